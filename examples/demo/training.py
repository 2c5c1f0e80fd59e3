"""Train a network, and show how it goes."""

import time
from collections.abc import Iterator
from dataclasses import dataclass, field

from tqdm import tqdm

import wengert as torch
import wengert.nn.functional as F
from examples.demo.data import Samples
from wengert import nn, optim

BATCH = 32
WEIGHT_DECAY = 1e-4
EPOCHS_PER_LINE = 5


@dataclass(frozen=True)
class Recipe:
    """How to train: for how long, at which rate, on images shifted at random or not."""

    epochs: int
    rate: float
    shift: bool


@dataclass
class History:
    """The mean loss and the accuracy on the training data, epoch by epoch."""

    losses: list[float] = field(default_factory=list)
    accuracies: list[float] = field(default_factory=list)
    seconds: float = 0.0


def fit(name: str, model: nn.Module, train: Samples, recipe: Recipe) -> History:
    """Train with AdamW, the rate falling to zero along a cosine.

    Args:
        name: what the progress display calls the model.
        model: is changed.
        train: the samples to learn from.
        recipe: how to train.
    """
    optimizer = optim.AdamW(
        model.parameters(), lr=recipe.rate, weight_decay=WEIGHT_DECAY
    )
    schedule = optim.lr_scheduler.CosineAnnealingLR(optimizer, recipe.epochs)
    history = History()
    start = time.perf_counter()
    # a terminal gets the bar; anything else a line now and then
    with tqdm(total=recipe.epochs, desc=name, unit="epoch", disable=None) as bar:
        for epoch in range(1, recipe.epochs + 1):
            loss, accuracy = one_epoch(model, train, recipe, optimizer)
            schedule.step()
            history.losses.append(loss)
            history.accuracies.append(accuracy)
            bar.set_postfix(loss=f"{loss:.4f}", accuracy=f"{accuracy:.2%}")
            bar.update()
            if bar.disable and epoch % EPOCHS_PER_LINE == 0:
                print(
                    f"{name}: epoch {epoch:2} of {recipe.epochs}, "
                    f"loss {loss:.4f}, accuracy {accuracy:.2%}",
                    flush=True,
                )
    history.seconds = time.perf_counter() - start
    return history


def one_epoch(
    model: nn.Module, train: Samples, recipe: Recipe, optimizer: optim.Optimizer
) -> tuple[float, float]:
    """See every sample once; return the mean loss and the accuracy on the way."""
    model.train()
    total_loss, correct = 0.0, 0
    for images, labels in batches(train):
        logits = model(shifted(images) if recipe.shift else images)
        loss = F.cross_entropy(logits, labels)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        total_loss += loss.item() * len(labels)
        correct += int((logits.argmax(1) == labels).sum())
    count = len(train.labels)
    return total_loss / count, correct / count


def batches(samples: Samples) -> Iterator[Samples]:
    """Every sample once, in a random order."""
    for rows in torch.randperm(len(samples.labels)).split(BATCH):
        yield Samples(samples.images[rows], samples.labels[rows])


def shifted(images: torch.Tensor) -> torch.Tensor:
    """Move a batch by up to one pixel in each direction; zeros come in."""
    top, left = torch.randint(0, 3, (2,)).tolist()
    height, width = images.shape[2:]
    padded = F.pad(images, (1, 1, 1, 1))
    return padded[:, :, top : top + height, left : left + width]


@torch.no_grad()
def predict(model: nn.Module, images: torch.Tensor) -> torch.Tensor:
    """The digit that the trained model reads in each image."""
    model.eval()
    return model(images).argmax(1)
