"""Arrays with one dimension more than they show: what vmap's functions compute on.

The hidden dimension is always the first of `value`. An elementwise op aligns the other
dimensions and goes ahead; ops of a kind whose parameters name dimensions shift them by
one; a primitive may have a rule of its own (``batch``), or a decomposition. What has none
of these is called once for each element of the batch, and `looped` counts that.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any

from ..primitive import Primitive
from ..tensor import Layer, Tensor
from .level import belongs

looped: Counter[str] = Counter()
"""How often each primitive was called for one element of a batch at a time."""

SHIFTED = ("dim", "dims", "dim0", "dim1", "axis", "source", "destination")
"""The static parameters that number dimensions."""

SIZED = ("shape", "size", "sizes")
"""The static parameters that are the sizes of all dimensions of the result."""

REGULAR = ("linear", "view", "reduction", "nondifferentiable")
"""The kinds of ops of one array that follow from the two lists above."""


class Batched(Layer):
    """An array whose value has a first dimension that ops do not see."""

    __slots__ = ("value",)

    def __init__(self, value: Any, level: int) -> None:
        self.value = value
        self.level = level

    @property
    def shape(self) -> tuple[int, ...]:
        return tuple(self.value.shape)[1:]

    @property
    def ndim(self) -> int:
        return len(self.value.shape) - 1

    @property
    def dtype(self) -> Any:
        return self.value.dtype

    def __repr__(self) -> str:
        return f"Batched({self.value!r})"

    def copy(self) -> Batched:
        return Batched(self.value.clone(), self.level)

    def write(self, values: Any) -> None:
        """Take over other values in place, the same for the whole batch or for each."""
        source = values.value if belongs(values, self.level) else values
        self.value.copy_(source)

    @classmethod
    def process(
        cls, primitive: Primitive, level: int, args: Sequence[Any], params: dict[str, Any]
    ) -> Any:
        size = next(arg.value.shape[0] for arg in args if is_batched(arg, level))
        if primitive.batch is not None:
            batched = [is_batched(arg, level) for arg in args]
            values = [values_of(arg, level) for arg in args]
            results = primitive.batch(size, batched, *values, **params)
        elif primitive.kind in ("elementwise",) or primitive.promote is not None:
            results = primitive.call(*aligned(args, level), **params)
        elif primitive.decomposition is not None:
            return primitive.decomposition(*args, **params)
        elif primitive.kind in REGULAR and len(args) == 1:
            shifted = shift(params, args[0], size)
            results = primitive.call(args[0].value, **shifted)
        else:
            results = loop(primitive, level, size, args, params)
        if isinstance(results, tuple):
            return tuple([Batched(item, level) for item in results])
        return Batched(results, level)


def is_batched(arg: Any, level: int) -> bool:
    """Whether an argument is batched by this transformation."""
    return isinstance(arg, Batched) and arg.level == level


def values_of(arg: Any, level: int) -> Any:
    """Return an argument with the batch dimension shown."""
    return arg.value if is_batched(arg, level) else arg


def aligned(args: Sequence[Any], level: int) -> list[Any]:
    """Return the values with as many dimensions as the op needs to broadcast them."""
    rank = max([len(getattr(arg, "shape", ())) for arg in args])
    return [
        pad(arg.value, rank) if is_batched(arg, level) else arg for arg in args
    ]


def pad(value: Any, rank: int) -> Any:
    """Insert dimensions of size 1 after the first until `rank` others follow it."""
    batch, *shape = value.shape
    missing = rank - len(shape)
    return value.reshape((batch, *(1,) * missing, *shape)) if missing else value


def shift(params: dict[str, Any], arg: Any, size: int) -> dict[str, Any]:
    """Return parameters of an op as they are with the batch dimension in front."""
    shifted = dict(params)
    for name in params.keys() & set(SHIFTED):
        shifted[name] = shift_dims(params[name], arg)
    for name in params.keys() & set(SIZED):
        shifted[name] = (size, *params[name])
    return shifted


def shift_dims(dims: Any, arg: Any) -> Any:
    """Count dimensions from one later; None stands for all."""
    if dims is None:
        return tuple(range(1, len(arg.shape) + 1))
    if isinstance(dims, int):
        return dims + 1 if dims >= 0 else dims
    return tuple([d + 1 if d >= 0 else d for d in dims])


def loop(
    primitive: Primitive,
    level: int,
    size: int,
    args: Sequence[Any],
    params: dict[str, Any],
) -> Any:
    """Call a primitive for each element of the batch, and stack the results."""
    looped[primitive.name] += 1
    rows = [
        primitive.call(
            *[arg.value[i] if is_batched(arg, level) else arg for arg in args], **params
        )
        for i in range(size)
    ]
    if isinstance(rows[0], tuple):
        return tuple([stacked(column) for column in zip(*rows, strict=True)])
    return stacked(rows)


def stacked(rows: Sequence[Any]) -> Any:
    """Return the results of all elements as one value."""
    from ..ops.public import namespace

    stack: Callable[..., Tensor] = namespace["stack"]
    return stack(list(rows))
