"""Arrays of which only the graph node is known: what `wengert.compile` runs code on.

A `Traced` array computes nothing: each op on it adds to the graph of the running trace.
It stands where NumPy's array would, below tensors of level zero, so that everything
above (the record, backward, transformations, optimizers) goes on as it does in eager
mode.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ..dtypes import from_numpy
from ..primitive import Primitive
from ..tensor import Layer, Tensor, wrap_at

IN_ORDER = ("view", "alias", "unsqueeze", "squeeze", "squeeze_dim", "squeeze_dims")
"""Views that leave contiguous memory contiguous."""


class Traced(Layer):
    """Memory whose contents are a node of the graph, or a view of such memory.

    Note [Views of nodes]
        Writing replaces the node: a new value of the same storage. A view knows of what
        it is one and how it was made; it makes its node again when its base has
        another, and writing to it writes the base. So all who share memory agree, as in
        eager.
    """

    __slots__ = ("__weakref__", "base", "contiguous", "frozen", "held", "in_memory")
    __slots__ += ("seen", "step", "tracer")

    in_memory: tuple[int, ...] | None
    """The dimensions of eager mode's array as they lie in memory, the slowest first.

    None if that is the order they have.
    """

    def __init__(self, tracer: Any, node: Any) -> None:
        self.level = 0
        self.tracer = tracer
        self.held = node
        self.base: Traced | None = None
        self.contiguous = True
        self.in_memory = None
        self.frozen = False

    @property
    def node(self) -> Any:
        """The node that computes what is in this memory now."""
        base = self.base
        if base is not None:
            whole = base.node
            if whole is not self.seen:
                self.held = self.tracer.view_of(whole, *self.step)
                self.seen = whole
        return self.held

    def follow(self, base: Traced, step: tuple[Any, ...]) -> None:
        """Be a view of other memory."""
        self.base, self.step, self.seen = base, step, base.node
        primitive = step[0]
        self.contiguous = base.contiguous and primitive.name in IN_ORDER
        if primitive.name == "view" and not base.contiguous:
            # Eager may have had to copy: whether it did must not matter.
            self.freeze()

    def freeze(self) -> None:
        """Refuse to be written to, with all that this is a view of."""
        self.frozen = True
        if self.base is not None:
            self.base.freeze()

    def write(self, values: Any) -> None:
        """Take over other values in place."""
        self.put(self.tracer.fitted(values, self.shape, self.held.dtype))

    def put(self, node: Any) -> None:
        """Take over the values of a node of the same shape and dtype."""
        if self.frozen:
            raise self.tracer.ambiguous()
        if self.base is None:
            self.held = node
        else:
            self.base.put(self.tracer.written(self.base.node, node, *self.step))

    @property
    def order(self) -> tuple[int, ...] | None:
        """What the program, if it asks for it, depends on: see `in_memory`."""
        self.tracer.knows_order = True
        return self.in_memory

    @property
    def shape(self) -> tuple[int, ...]:
        found: tuple[int, ...] = self.held.shape
        return found

    @property
    def ndim(self) -> int:
        return len(self.held.shape)

    @property
    def size(self) -> int:
        found: int = self.held.size
        return found

    @property
    def numpy_dtype(self) -> Any:  # type: ignore[override]
        return self.held.dtype

    @property
    def dtype(self) -> Any:
        return from_numpy(self.held.dtype)

    @property
    def _data(self) -> Traced:
        """Itself: functions of tensors that look at the array find one."""
        return self

    def __repr__(self) -> str:
        return f"Traced({self.held!r}, {self.dtype}{list(self.shape)})"

    def copy(self) -> Traced:
        return Traced(self.tracer, self.node)

    def detached(self) -> Tensor:
        """Return a tensor without history that shares this memory."""
        return wrap_at(0, self)

    def constant(self, value: Any) -> Any:
        return value

    def escape(self, *args: Any, **kwargs: Any) -> Any:
        """Refuse to say what values are: there are none while tracing."""
        raise self.tracer.escaped()

    __array__ = __bool__ = __float__ = __int__ = __index__ = __setitem__ = escape
    item = tolist = escape

    def values_of(self, what: str) -> Any:
        """Return the values of a constant; others have none yet."""
        return self.tracer.known_values(self.node)

    @classmethod
    def process(
        cls,
        primitive: Primitive,
        level: int,  # noqa: ARG003 (every layer has it)
        args: Sequence[Any],
        params: dict[str, Any],
    ) -> Any:
        tracer = next(arg.tracer for arg in args if isinstance(arg, Traced))
        return tracer.process(primitive, args, params)
