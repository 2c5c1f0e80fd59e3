"""Arrays with one dimension more than they show: what vmap's functions compute on.

The hidden dimension is always the first of `value`. `batching` says how each op goes
over it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

from numpy import ndarray

from ..primitive import Primitive
from ..primitives.copying import copy
from ..recording import numpy_dtype
from ..tensor import Tensor
from . import batch_rules as batch_rules, batching, messages
from .level import Shared, active, belongs, decomposed, is_recorded, on_level


class Batched(Shared):
    """An array whose value has a first dimension that ops do not see."""

    __slots__ = ("width",)

    width: int
    """The size of the hidden dimension."""

    def __init__(self, value: Any, level: int) -> None:
        self.held = (value,)
        self.level = level
        self.base = None
        data = value._data
        shape = data.shape
        self.width = shape[0]
        self.shape = shape[1:]
        self.numpy_dtype = data.dtype if type(data) is ndarray else numpy_dtype(data)

    @property
    def value(self) -> Any:
        return self.held[0] if self.base is None else self.parts[0]

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
        if self.level not in active:
            raise messages.escaped()
        raise messages.item_of_batched(what)

    def refusal(self) -> RuntimeError:
        """Return the error about values like this for a tensor from outside."""
        return messages.batch_into_captured()

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
        size = 0
        batched: list[bool] = []
        values: list[Any] = []
        for arg in args:
            if type(arg) is Batched and arg.level == level:
                size = arg.width
                batched.append(True)
                values.append(arg.held[0] if arg.base is None else arg.parts[0])
            else:
                batched.append(False)
                values.append(arg)
        go_over = ways.get(primitive) or way_of(primitive)
        results = go_over(size, batched, values, args, params)
        if type(results) is Tensor and primitive.kind != "view":
            return Batched(results, level)
        if results is NotImplemented:
            if primitive.decomposition is not None:
                return decomposed(primitive, level, args, params)
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


Way = Callable[..., Any]
"""How an op goes over a batch: given the size, which inputs are batched, their values
(a batched one has the batch as first dimension), the arguments as they came, and the
parameters, it returns the value of the result, or NotImplemented."""

ways: dict[Primitive, Way] = {}
"""The way of each primitive that has been called, which its declaration determines."""


def way_of(primitive: Primitive) -> Way:
    """Return how a primitive goes over a batch: by its rule, if that can, or class."""
    own, by_class = batching.rule_of(primitive), way_by_class(primitive)
    if own is None:
        ways[primitive] = by_class
        return by_class

    def by_rule(
        size: int, batched: Sequence[bool], values: Any, args: Any, params: Any
    ) -> Any:
        result = own(size, batched, *values, **params)
        if result is NotImplemented:
            return by_class(size, batched, values, args, params)
        return result

    ways[primitive] = by_rule
    return by_rule


def way_by_class(primitive: Primitive) -> Way:
    """Return how a primitive goes over a batch as all of its class do."""
    name = primitive.name
    if name in batching.DYNAMIC:
        return refuse_dynamic(name)
    if batching.is_aligned(primitive):
        return broadcasting(primitive)
    if name in batching.TOGETHER or name in batching.FIRST:
        return shifting(primitive)
    return shifting(primitive) if batching.shiftable(primitive) else by_nothing


def by_nothing(*args: Any) -> Any:
    return NotImplemented


def refuse_dynamic(name: str) -> Way:
    def refuse(*args: Any) -> Any:
        raise messages.dynamic_shape(name)

    return refuse


def broadcasting(primitive: Primitive) -> Way:
    """Return the way of an op that broadcasts its inputs against each other."""
    call = primitive.call
    if len(primitive.inputs) == 1:
        return lambda size, batched, values, args, params: call(*values, **params)

    def over(
        size: int, batched: Sequence[bool], values: Any, args: Any, params: Any
    ) -> Any:
        ranks = [rank_of(arg) for arg in args]
        rank = max(ranks)
        for i, own in enumerate(ranks):
            if own < rank and batched[i]:
                values[i] = batching.aligned(values[i], True, rank)
        return call(*values, **params)

    return over


def rank_of(arg: Any) -> int:
    """Return how many dimensions an argument shows."""
    kind = type(arg)
    if kind is Batched:
        return len(arg.shape)
    return len(arg._data.shape) if kind is Tensor else len(getattr(arg, "shape", ()))


def shifting(primitive: Primitive) -> Way:
    """Return the way of an op whose parameters count the dimensions."""
    call, name = primitive.call, primitive.name

    def over(
        size: int, batched: Sequence[bool], values: Any, args: Any, params: Any
    ) -> Any:
        if name in batching.TOGETHER:
            values = batching.together(values, batched, size)
        elif name in batching.FIRST and (any(batched[1:]) or not batched[0]):
            return NotImplemented
        shifted = batching.shift(params, rank_of(args[0]), size)
        return NotImplemented if shifted is None else call(*values, **shifted)

    return over


def loop(
    primitive: Primitive,
    size: int,
    batched: Sequence[bool],
    values: Sequence[Any],
    params: dict[str, Any],
) -> Any:
    """Call a primitive for each element of the batch, and stack the results."""
    batching.looped[primitive.name] += 1
    if not size:
        return nothing(primitive, batched, values, params)
    rows = [
        primitive.call(
            *[v[i] if b else v for v, b in zip(values, batched, strict=True)], **params
        )
        for i in range(size)
    ]
    if isinstance(rows[0], tuple):
        return tuple([stacked(column) for column in zip(*rows, strict=True)])
    return stacked(rows)


def nothing(
    primitive: Primitive,
    batched: Sequence[bool],
    values: Sequence[Any],
    params: dict[str, Any],
) -> Any:
    """Return the results for an empty batch: of a batch of one, without that one."""
    one = [
        value.new_zeros((1, *value.shape[1:])) if has else value
        for value, has in zip(values, batched, strict=True)
    ]
    found = loop(primitive, 1, batched, one, params)
    return tuple([r[:0] for r in found]) if isinstance(found, tuple) else found[:0]


def stacked(rows: Sequence[Any]) -> Any:
    """Return the results of all elements as one value."""
    from ..ops.public import namespace

    stack: Callable[..., Tensor] = namespace["stack"]
    return stack(list(rows))
