"""Arrays with one dimension more than they show: what vmap's functions compute on.

The hidden dimension is always the first of `value`. `batching` says how each op goes
over it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

from ..primitive import Primitive
from ..primitives.copying import copy
from ..tensor import Tensor
from . import batching, messages
from .level import Shared, active, belongs, is_recorded, on_level


class Batched(Shared):
    """An array whose value has a first dimension that ops do not see."""

    __slots__ = ()

    def __init__(self, value: Any, level: int) -> None:
        super().__init__((value,), level)

    @property
    def value(self) -> Any:
        return self.parts[0]

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

    def write(self, values: Any) -> None:
        """Take over other values: the same for the whole batch, or one for each."""
        source = values.value if belongs(values, self.level) else values
        if is_recorded(self.value) or is_recorded(source):
            self.take(copy(self.value, source))
        else:
            self.value.copy_(source)

    def values_of(self, what: str) -> Any:
        """Refuse to give the values of one element, as there are several."""
        raise messages.item_of_batched(what)

    def detached(self) -> Any:
        """Return a tensor of these values without derivatives."""
        return on_level(self.level, Batched(self.value.detach(), self.level))

    def constant(self, value: Tensor) -> Batched:
        """Return a lower level's value as one of this, with memory for each element."""
        wide = value.unsqueeze(0).expand((self.value.shape[0], *value.shape))
        return Batched(wide.clone(), self.level)

    @classmethod
    def process(
        cls,
        primitive: Primitive,
        level: int,
        args: Sequence[Any],
        params: dict[str, Any],
    ) -> Any:
        if level not in active:
            raise messages.escaped()
        if primitive.name in batching.DYNAMIC:
            raise messages.dynamic_shape(primitive.name)
        batched = [is_batched(arg, level) for arg in args]
        values = [arg.value if b else arg for arg, b in zip(args, batched, strict=True)]
        size = next(v.shape[0] for v, b in zip(values, batched, strict=True) if b)
        results = over_batch(primitive, size, batched, values, args, params)
        if results is NotImplemented:
            if primitive.decomposition is not None:
                return primitive.decomposition(*args, **params)
            results = loop(primitive, size, batched, values, params)
        several = isinstance(results, tuple)
        made = [Batched(item, level) for item in (results if several else (results,))]
        if primitive.kind == "view":
            for index, view in enumerate(made):
                view.follow(
                    args[0], partial(cls.remade, primitive, level, params, index)
                )
        return tuple(made) if several else made[0]

    @classmethod
    def remade(
        cls,
        primitive: Primitive,
        level: int,
        params: dict[str, Any],
        index: int,
        value: Any,
    ) -> Any:
        """Return the value of a view of a batched array that has this value."""
        found = cls.process(primitive, level, (Batched(value, level),), params)
        return (found[index] if isinstance(found, tuple) else found).value


def is_batched(arg: Any, level: int) -> bool:
    """Whether an argument is batched by this transformation."""
    return isinstance(arg, Batched) and arg.level == level


def over_batch(
    primitive: Primitive,
    size: int,
    batched: Sequence[bool],
    values: Sequence[Any],
    args: Sequence[Any],
    params: dict[str, Any],
) -> Any:
    """Return the op on the whole batch at once, or NotImplemented."""
    name = primitive.name
    own = primitive.batch or batching.rules.get(name)
    if own is not None:
        result = own(size, batched, *values, **params)
        if result is not NotImplemented:
            return result
    if primitive.kind == "elementwise" or name in batching.ALIGNED or name == "mul":
        rank = max([len(getattr(arg, "shape", ())) for arg in args])
        wide = [
            batching.aligned(value, has, rank)
            for value, has in zip(values, batched, strict=True)
        ]
        return primitive.call(*wide, **params)
    if name in batching.TOGETHER:
        values = batching.together(values, batched, size)
    elif name in batching.FIRST:
        if any(batched[1:]) or not batched[0]:
            return NotImplemented
    elif not batching.shiftable(primitive):
        return NotImplemented
    shifted = batching.shift(params, len(args[0].shape), size)
    return NotImplemented if shifted is None else primitive.call(*values, **shifted)


def loop(
    primitive: Primitive,
    size: int,
    batched: Sequence[bool],
    values: Sequence[Any],
    params: dict[str, Any],
) -> Any:
    """Call a primitive for each element of the batch, and stack the results."""
    batching.looped[primitive.name] += 1
    rows = [
        primitive.call(
            *[v[i] if b else v for v, b in zip(values, batched, strict=True)], **params
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
