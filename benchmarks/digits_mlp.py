"""A training step of an MLP, 64-128-128-10 with ReLU, on scikit-learn's digits."""

from collections.abc import Iterator
from importlib import import_module
from itertools import cycle, islice, pairwise
from typing import Any

import numpy as np
import numpy.typing as npt

from benchmarks.measure import Outcome, numbers, timed

Array = npt.NDArray[np.float32]
Labels = npt.NDArray[np.int64]

SIZES = [64, 128, 128, 10]
BATCH = 64
CHECKED_STEPS = 20
RATE, BETA1, BETA2, EPSILON = 1e-3, 0.9, 0.999, 1e-8


def batches() -> list[tuple[Array, Labels]]:
    # here, for it takes longer to load than most workloads take to run
    from sklearn.datasets import load_digits

    pixels, labels = load_digits(return_X_y=True)
    order = np.random.default_rng(0).permutation(len(pixels))[: CHECKED_STEPS * BATCH]
    return [
        ((pixels[rows] / 16).astype(np.float32), labels[rows].astype(np.int64))
        for rows in order.reshape(CHECKED_STEPS, BATCH)
    ]


def initial_parameters() -> list[Array]:
    """Weight and bias of each layer, as `nn.Linear` holds them."""
    random = np.random.default_rng(1)
    parameters = []
    for fan_in, fan_out in pairwise(SIZES):
        bound = fan_in**-0.5
        parameters += [
            random.uniform(-bound, bound, (fan_out, fan_in)).astype(np.float32),
            random.uniform(-bound, bound, fan_out).astype(np.float32),
        ]
    return parameters


def train(library: str) -> Outcome:
    torch = import_module(library)
    losses = training(torch)
    checked = [loss.item() for loss in islice(losses, CHECKED_STEPS)]
    return timed(lambda: next(losses), numbers(checked))


def training(torch: Any) -> Iterator[Any]:
    """Train for ever; each step yields its loss."""
    nn = torch.nn
    model = nn.Sequential(
        nn.Linear(64, 128),
        nn.ReLU(),
        nn.Linear(128, 128),
        nn.ReLU(),
        nn.Linear(128, 10),
    )
    with torch.no_grad():
        for parameter, value in zip(
            model.parameters(), initial_parameters(), strict=True
        ):
            parameter.copy_(torch.from_numpy(value))
    optimizer = torch.optim.Adam(model.parameters(), lr=RATE)
    tensors = [(torch.from_numpy(x), torch.from_numpy(y)) for x, y in batches()]
    for pixels, labels in cycle(tensors):
        optimizer.zero_grad()
        loss = nn.functional.cross_entropy(model(pixels), labels)
        loss.backward()
        optimizer.step()
        yield loss


def numpy_train() -> Outcome:
    losses = numpy_training()
    checked = list(islice(losses, CHECKED_STEPS))
    return timed(lambda: next(losses), numbers(checked))


def numpy_training() -> Iterator[float]:
    parameters = initial_parameters()
    means = [np.zeros_like(parameter) for parameter in parameters]
    squares = [np.zeros_like(parameter) for parameter in parameters]
    for step, (pixels, labels) in enumerate(cycle(batches()), 1):
        loss, grads = numpy_gradients(parameters, pixels, labels)
        rate = RATE / (1 - BETA1**step)
        correction = (1 - BETA2**step) ** 0.5
        for parameter, grad, mean, square in zip(
            parameters, grads, means, squares, strict=True
        ):
            mean += (1 - BETA1) * (grad - mean)
            square *= BETA2
            square += (1 - BETA2) * grad * grad
            parameter -= rate * mean / (np.sqrt(square) / correction + EPSILON)
        yield loss


def numpy_gradients(
    parameters: list[Array], pixels: Array, labels: Labels
) -> tuple[float, list[Array]]:
    """Loss and gradients, by hand."""
    w1, b1, w2, b2, w3, b3 = parameters
    hidden1 = np.maximum(pixels @ w1.T + b1, 0)
    hidden2 = np.maximum(hidden1 @ w2.T + b2, 0)
    logits = hidden2 @ w3.T + b3

    shifted = logits - logits.max(axis=1, keepdims=True)
    exponentials = np.exp(shifted)
    sums = exponentials.sum(axis=1, keepdims=True)
    rows = np.arange(len(labels))
    loss = float((np.log(sums[:, 0]) - shifted[rows, labels]).mean())

    grad3 = exponentials / sums
    grad3[rows, labels] -= 1
    grad3 /= len(labels)
    grad2 = (grad3 @ w3) * (hidden2 > 0)
    grad1 = (grad2 @ w2) * (hidden1 > 0)
    return loss, [
        grad1.T @ pixels,
        grad1.sum(axis=0),
        grad2.T @ hidden1,
        grad2.sum(axis=0),
        grad3.T @ hidden2,
        grad3.sum(axis=0),
    ]
