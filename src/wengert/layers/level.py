"""The levels of nested transformations.

Each transformation that is entered takes the next number. An op belongs to the highest
level among its inputs, to which everything of a lower level is a constant: that keeps
``grad(lambda x: x * grad(lambda y: x * y)(x))(x)`` from confusing the two derivatives.
"""

from __future__ import annotations

import gc
from collections.abc import Callable, Sequence
from typing import Any

from .. import modes
from ..dtypes import from_numpy
from ..primitive import Primitive
from ..tensor import (
    AccumulateGrad,
    Layer,
    Special,
    Tensor,
    forward_levels,
    history,
    level_of,
    plain,
    rebind,
    version_of,
)
from ..views import View, birth, replay
from . import births, messages

active: set[int] = set()
"""The transformations that are running, in any thread."""


class Level:
    """A context in which a transformation is active; entering returns its number.

    Args:
        grad: the grad mode of the transformation's own tensors; None for that which is
            on already.
        forward: whether this is forward mode, which goes on in inference mode.
        pure: refuse to write into any tensor from outside of it.
    """

    def __init__(
        self, *, grad: bool | None = None, forward: bool = False, pure: bool = False
    ) -> None:
        self.grad = grad
        self.forward = forward
        self.pure = pure

    def __enter__(self) -> int:
        number = self.number = births.begin()
        active.add(number)
        outside = modes.is_grad_enabled()
        self.before = modes.local.levels
        modes.switch("levels", (*self.before, (number, outside)))
        self.previous = modes.switch(
            "grad", outside if self.grad is None else self.grad
        )
        # these two need not count in `modes.special`, as `levels` does
        if self.forward:
            self.tangents, modes.local.forward = modes.local.forward, True
        if self.pure:
            self.outer, modes.local.pure = modes.local.pure, number
        return number

    def __exit__(self, *exception: object) -> None:
        if self.forward:
            modes.local.forward = self.tangents
        if self.pure:
            modes.local.pure = self.outer
        modes.switch("grad", self.previous)
        modes.switch("levels", self.before)
        active.discard(self.number)
        births.end()


def on_level(level: int, array: Any) -> Tensor:
    """Return a tensor of a level: its array is of a layer, or a lower tensor."""
    tensor = plain(array)
    tensor._special = Special(level)
    return tensor


def leaf_on_level(level: int, tensor: Tensor) -> Tensor:
    """Return a leaf of a level that stands for a tensor and requires grad."""
    leaf = on_level(level, tensor)
    leaf._node = AccumulateGrad(leaf)
    return leaf


def belongs(value: Any, level: int) -> bool:
    """Whether a tensor, or an array of a layer, is of this level."""
    if isinstance(value, Tensor):
        return value._special is not None and value._special.level == level
    return isinstance(value, Layer) and value.level == level


def lowered(value: Any, level: int) -> Any:
    """Return what a tensor of this level has below it; others as they are."""
    return value._data if isinstance(value, Tensor) and belongs(value, level) else value


def decomposed(
    primitive: Primitive, level: int, args: Sequence[Any], params: dict[str, Any]
) -> Any:
    """Return an op of arrays of a level from its decomposition, which is of tensors."""
    tensors = [
        on_level(level, arg) if isinstance(arg, Layer) and arg.level == level else arg
        for arg in args
    ]
    assert primitive.decomposition is not None
    results = primitive.decomposition(*tensors, **params)
    if isinstance(results, tuple):
        return tuple([lowered(result, level) for result in results])
    return lowered(results, level)


class Shared(Layer):
    """A layer's array that may be a view, and that may be written to.

    Note [Views on layers]
        Writing into an array writes into the arrays below it. But where the level below
        records, or a tangent is concerned that other duals may have, too, the array
        takes other parts instead. A view knows of which array it is a view, and makes
        its own parts again whenever that has taken others.
    """

    __slots__ = ("base", "held", "numpy_dtype", "seen", "shape", "step")

    shape: tuple[int, ...]
    base: Shared | None
    """What this is a view of."""
    held: tuple[Any, ...]
    """The parts, which are up to date unless this is a view."""
    step: Callable[[Any], Any]
    """What makes a part of the view of that of the base."""

    @property
    def ndim(self) -> int:
        return len(self.shape)

    @property
    def dtype(self) -> Any:
        return from_numpy(self.numpy_dtype)

    @property
    def parts(self) -> tuple[Any, ...]:
        """The arrays of lower levels that this is made of."""
        base = self.base
        if base is not None:
            whole = base.parts
            if whole is not self.seen:
                self.held = tuple([self.step(part) for part in whole])
                self.seen = whole
        return self.held

    def follow(self, base: Shared, step: Callable[[Any], Any]) -> None:
        """Be a view of another array."""
        self.base, self.step = base, step
        self.seen = base.held if base.base is None else base.parts

    def take(self, *parts: Any) -> None:
        """Have other parts, of the same shape."""
        base = self.base
        if base is None:
            self.held = parts
            return
        wholes = [whole.clone() for whole in base.parts]
        for whole, part in zip(wholes, parts, strict=True):
            self.step(whole).copy_(part)
        base.take(*wholes)

    def refusal(self) -> RuntimeError:
        """Return the error about values like this for a tensor from outside."""
        return messages.captured_written()

    def copy(self) -> Any:
        """Return an array with memory of its own."""
        parts: list[Any] = [part.clone() for part in self.parts]
        kind: Any = type(self)
        return kind(*parts, self.level)


def is_recorded(value: Any) -> bool:
    """Whether the derivatives of a value are recorded, on its own level."""
    return isinstance(value, Tensor) and history(value) is not None


# Note [Lifting tensors]
#     A tensor made inside a transformation from nothing has no level yet. The level of
#     the first values that are written into it, or into a view of it, becomes its own;
#     before that it was a constant there. Its memory stays where it was unless a batch
#     needs more of it. A tensor from outside is refused, see Note [Births].


def is_below(tensor: Tensor, values: Tensor) -> bool:
    """Whether a tensor is of a lower level than others, or a constant on theirs."""
    if level_of(tensor) < level_of(values):
        return True
    return isinstance(tensor._data, Tensor) and isinstance(values._data, Layer)


def lift(tensor: Tensor, values: Tensor) -> None:
    """Bring a tensor to the level of values that are about to be written into it."""
    level = level_of(values)
    view = tensor._special
    if isinstance(view, View):
        if is_below(view.base, values):
            lift(view.base, values)
        return
    check_inside(tensor, values)
    others = views_of(tensor)
    lower = tensor._data
    if level_of(tensor) < level:
        lower = plain(tensor._data)
        lower._node = tensor._node
        lower._counter = tensor._counter
        lower._special = tensor._special
    array = values._data
    lifted = lower if isinstance(array, Tensor) else array.constant(lower)
    rebind(tensor, lifted, Special(level))
    tensor._node = None
    # The lower tensor counts by itself: writing to a layer may leave its memory alone.
    tensor._counter = [version_of(tensor)]
    for other in others:
        made: View = other._special  # type: ignore[assignment]
        made.level = level
        other._counter = tensor._counter
        other._data = replay(made.steps(), tensor)._data
        other._node = None


def check_inside(tensor: Tensor, values: Tensor) -> None:
    """Refuse to write values of a transformation into a tensor from outside of it."""
    level = level_of(values)
    if birth(tensor) >= level or level in forward_levels:
        return
    array = values._data
    raise array.refusal() if isinstance(array, Shared) else messages.captured_written()


def views_of(base: Tensor) -> list[Tensor]:
    """Return the views of a tensor, which nobody counts, as they seldom matter."""
    versions = base._counter
    if versions is None:
        return []
    return [
        holder
        for holder in gc.get_referrers(versions)
        if isinstance(holder, Tensor)
        and isinstance(holder._special, View)
        and holder._special.base is base
    ]
