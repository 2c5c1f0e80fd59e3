"""The pictures of the demo."""

from collections.abc import Mapping

from matplotlib.figure import Figure

import wengert as torch
from examples.demo import tape
from examples.demo.data import Samples
from examples.demo.training import History

ROWS, COLUMNS = 4, 10


def curves(histories: Mapping[str, History]) -> Figure:
    """Loss and accuracy over the epochs, a line for each network."""
    figure = Figure(figsize=(9, 3.6), layout="constrained")
    left, right = figure.subplots(1, 2)
    for name, history in histories.items():
        epochs = range(1, len(history.losses) + 1)
        left.plot(epochs, history.losses, label=name)
        right.plot(epochs, [100 * value for value in history.accuracies], label=name)
    left.set(title="training loss", xlabel="epoch", ylabel="loss", yscale="log")
    right.set(title="training accuracy", xlabel="epoch", ylabel="%", ylim=(80, 100.5))
    for axes in (left, right):
        axes.grid(alpha=0.3)
        axes.legend()
    return figure


def predictions(test: Samples, predicted: torch.Tensor) -> Figure:
    """Test digits with what the network reads; its mistakes come first, in red."""
    figure = Figure(figsize=(COLUMNS, ROWS * 1.25), layout="constrained")
    order = (predicted == test.labels).int().argsort(stable=True).tolist()
    for axes, row in zip(figure.subplots(ROWS, COLUMNS).flat, order, strict=False):
        reads, shows = int(predicted[row]), int(test.labels[row])
        axes.imshow(test.images[row, 0].numpy(), cmap="gray_r", vmin=0, vmax=1)
        axes.set_title(
            f"{reads}" if reads == shows else f"{reads}, not {shows}",
            color="black" if reads == shows else "red",
        )
        axes.set_axis_off()
    return figure


def small_tape() -> Figure:
    """The tape of a network of two layers and its squared error."""
    x, target = torch.ones(8, 3), torch.zeros(8, 1)
    w1, b1 = (torch.ones(size, requires_grad=True) for size in [(3, 4), (4,)])
    w2, b2 = (torch.ones(size, requires_grad=True) for size in [(4, 1), (1,)])
    hidden = torch.tanh(x @ w1 + b1)
    loss = ((hidden @ w2 + b2 - target) ** 2).mean()
    return tape.draw(loss, {"w1": w1, "b1": b1, "w2": w2, "b2": b2})
