"""What stands for tensors in a captured program: where they are found at a replay."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ..tensor import Tensor
from ..views import replay


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

    __slots__ = ("index", "place", "steps")

    def __init__(self, place: int, steps: Any, index: int | None) -> None:
        self.place = place
        self.steps = steps
        self.index = index


class Given:
    """What stands in the result for a tensor from outside, or a view of it.

    `place` is its position among the arguments, or the tensor, or a `GradPlace`.
    """

    __slots__ = ("index", "place", "steps")

    def __init__(self, place: Any, steps: Any = None, index: int | None = None) -> None:
        self.place = place
        self.steps = steps
        self.index = index


def view_of(tensor: Tensor, steps: Sequence[Any], index: int | None) -> Any:
    """Return a view, made again by its steps."""
    view: Any = replay(steps, tensor)  # type: ignore[arg-type]
    return view if index is None else view[index]
