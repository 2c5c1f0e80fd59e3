"""What stands for tensors in a captured program: where they are found at a replay."""

from __future__ import annotations

from typing import Any


class GradPlace:
    """The gradient of a tensor, which stands at a place itself."""

    __slots__ = ("place",)

    def __init__(self, place: Any) -> None:
        self.place = place


class Slot:
    """What stands in the function's result for a tensor that a replay makes."""

    __slots__ = ("place",)

    def __init__(self, place: int) -> None:
        self.place = place


class ViewOf:
    """What stands in the result for a view of another tensor that is returned."""

    __slots__ = ("place", "steps")

    def __init__(self, place: int, steps: Any) -> None:
        self.place = place
        self.steps = steps


class Given:
    """What stands in the result for a tensor from outside, or a view of it.

    `place` is its position among the arguments, or the tensor, or a `GradPlace`.
    """

    __slots__ = ("place", "steps")

    def __init__(self, place: Any, steps: Any = None) -> None:
        self.place = place
        self.steps = steps
