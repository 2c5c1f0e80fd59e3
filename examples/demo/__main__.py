"""Run the tutorial, train two networks, draw what happened."""

import runpy
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import wengert as torch
from examples.demo import data, models, pictures
from examples.demo.training import History, Recipe, fit, predict
from wengert import nn

SEED = 0
FOLDER = Path("build/demo")


@dataclass(frozen=True)
class Task:
    """A network, how to train it, and the test accuracy that it must reach."""

    name: str
    build: Callable[[], nn.Module]
    recipe: Recipe
    goal: float


TASKS = [
    Task(
        "perceptron",
        models.perceptron,
        Recipe(epochs=30, rate=3e-3, shift=False),
        goal=0.97,
    ),
    Task(
        "convolutional",
        models.convolutional,
        Recipe(epochs=20, rate=2e-3, shift=True),
        goal=0.985,
    ),
]


def main() -> int:
    headline("A beginner's tutorial, with `import wengert as torch`")
    runpy.run_module("examples.tutorial")

    headline("Two networks learn to read digits")
    train, test = data.load(SEED)
    histories: dict[str, History] = {}
    reached = True
    for task in TASKS:
        torch.manual_seed(SEED)
        model = task.build()
        histories[task.name] = fit(task.name, model, train, task.recipe)
        predicted = predict(model, test.images)
        right, count = int((predicted == test.labels).sum()), len(test.labels)
        verdict = "reached" if right / count >= task.goal else "MISSED"
        reached &= verdict == "reached"
        print(
            f"{task.name}: {right} of {count} test digits right, {right / count:.2%} "
            f"({task.goal:.1%} {verdict}), in {histories[task.name].seconds:.1f} s"
        )

    headline("Pictures")
    FOLDER.mkdir(parents=True, exist_ok=True)
    for name, figure in {
        "curves": pictures.curves(histories),
        "predictions": pictures.predictions(test, predicted),
        "tape": pictures.small_tape(),
    }.items():
        path = FOLDER / f"{name}.png"
        figure.savefig(path, dpi=120)
        print(path)
    return 0 if reached else 1


def headline(text: str) -> None:
    print(f"\n=== {text}\n", flush=True)


if __name__ == "__main__":
    sys.exit(main())
