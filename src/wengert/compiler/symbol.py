"""Arrays that stand for nodes of a graph: NumPy code run on them writes the graph.

A `Symbol` answers NumPy's protocols (ufuncs with ``out``, reductions, ``np.where`` …)
by adding nodes, so that the forward of most primitives, and the update rules of the
optimizers, are captured by just running them. Whatever it does not know, and whatever
could be wrong, raises `Untraceable`; nothing is guessed.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.lib.mixins import NDArrayOperatorsMixin

from .graph import Graph, Node

DTYPES = frozenset(map(np.dtype, ("bool", "int32", "int64", "float32", "float64")))
"""What the compiler's kernels compute with."""

BINARY = {
    np.add: "add",
    np.subtract: "sub",
    np.multiply: "mul",
    np.true_divide: "div",
    np.maximum: "maximum",
    np.minimum: "minimum",
    np.power: "pow",
    np.equal: "eq",
    np.not_equal: "ne",
    np.less: "lt",
    np.less_equal: "le",
    np.greater: "gt",
    np.greater_equal: "ge",
}
LOGICAL = {
    np.logical_and: "logical_and",
    np.logical_or: "logical_or",
    np.logical_xor: "logical_xor",
    np.logical_not: "logical_not",
}
UNARY = {
    np.negative: "neg",
    np.absolute: "abs",
    np.sign: "sign",
    np.reciprocal: "reciprocal",
    np.floor: "floor",
    np.ceil: "ceil",
    np.trunc: "trunc",
    np.rint: "round",
    np.sqrt: "sqrt",
    np.exp: "exp",
    np.expm1: "expm1",
    np.log: "log",
    np.log1p: "log1p",
    np.tanh: "tanh",
    np.sin: "sin",
    np.cos: "cos",
    np.isnan: "isnan",
}
OF_BOOLS = {
    np.add: "logical_or",
    np.bitwise_or: "logical_or",
    np.multiply: "logical_and",
    np.bitwise_and: "logical_and",
    np.bitwise_xor: "logical_xor",
    np.not_equal: "logical_xor",
    np.invert: "logical_not",
}
REDUCTIONS = {
    np.add: "sum",
    np.multiply: "prod",
    np.maximum: "amax",
    np.minimum: "amin",
}
NEUTRAL = {np.maximum: -np.inf, np.minimum: np.inf}


class Untraceable(Exception):
    """Something that cannot be written as nodes of a graph."""


class Symbol(NDArrayOperatorsMixin):
    """An array of which only the node that computes it is known.

    `shared` says that memory may be seen through another symbol, too: then it must not
    be written to.
    """

    __slots__ = ("graph", "node", "shared")

    def __init__(self, graph: Graph, node: Node, shared: bool = False) -> None:
        if node.dtype not in DTYPES:
            raise Untraceable(f"no kernels for {node.dtype}")
        self.graph = graph
        self.node = node
        self.shared = shared

    @property
    def shape(self) -> tuple[int, ...]:
        return self.node.shape

    @property
    def ndim(self) -> int:
        return len(self.node.shape)

    @property
    def size(self) -> int:
        return self.node.size

    @property
    def dtype(self) -> np.dtype[Any]:
        return self.node.dtype

    @property
    def itemsize(self) -> int:
        return self.node.dtype.itemsize

    @property
    def real(self) -> Symbol:
        return self

    @property
    def T(self) -> Symbol:
        return self.transpose()

    def __array__(self, *args: Any, **kwargs: Any) -> Any:
        raise Untraceable("a symbol has no values")

    def _refuse(self, *args: Any) -> Any:
        raise Untraceable("a symbol has no values")

    __bool__ = __float__ = __int__ = __index__ = __iter__ = __setitem__ = _refuse
    min = max = _refuse  # to check an argument

    def __len__(self) -> int:
        return self.shape[0]

    # --- the same elements, arranged anew ---------------------------------------------

    def new(self, node: Node) -> Symbol:
        """Return a symbol in memory of its own."""
        return Symbol(self.graph, node)

    def _seen_as(self, node: Node) -> Symbol:
        self.shared = True
        return Symbol(self.graph, node, shared=True)

    def reshape(self, *shape: Any) -> Symbol:
        wanted = list(shape[0] if len(shape) == 1 and _is_sequence(shape[0]) else shape)
        if -1 in wanted:
            rest = -int(np.prod(wanted))
            if rest <= 0 or self.size % rest:
                raise Untraceable("a size that cannot be inferred")
            wanted[wanted.index(-1)] = self.size // rest
        return self._seen_as(self.graph.reshape(self.node, tuple(map(int, wanted))))

    def ravel(self) -> Symbol:
        return self.reshape(-1)

    def transpose(self, *dims: Any) -> Symbol:
        if len(dims) == 1 and _is_sequence(dims[0]):
            (dims,) = dims
        if not dims or dims == (None,):
            dims = tuple(reversed(range(self.ndim)))
        return self._seen_as(self.graph.permute(self.node, dims))

    def swapaxes(self, first: int, second: int) -> Symbol:
        dims = list(range(self.ndim))
        dims[first], dims[second] = dims[second], dims[first]
        return self.transpose(dims)

    def squeeze(self, axis: Any = None) -> Symbol:
        if axis is None:
            axis = [i for i, size in enumerate(self.shape) if size == 1]
        gone = {i % self.ndim for i in (axis if _is_sequence(axis) else (axis,))}
        return self.reshape([n for i, n in enumerate(self.shape) if i not in gone])

    def __getitem__(self, index: Any) -> Symbol:
        return self._seen_as(sliced(self.graph, self.node, index))

    # --- copies ---------------------------------------------------------------------

    def copy(self) -> Symbol:
        return self.new(self.node)

    def astype(self, dtype: Any, copy: bool = True) -> Symbol:
        wanted = np.dtype(dtype)
        if wanted not in DTYPES:
            raise Untraceable(f"no kernels for {wanted}")
        if wanted == self.dtype and not copy:
            return self
        return self.new(self.graph.cast(self.node, wanted))

    def conjugate(self) -> Symbol:
        return self

    conj = conjugate

    # --- NumPy's functions ------------------------------------------------------------

    def __array_ufunc__(
        self, ufunc: np.ufunc, method: str, *inputs: Any, **kwargs: Any
    ) -> Any:
        outs = kwargs.pop("out", None)
        if method == "__call__":
            node = applied(self.graph, ufunc, inputs, **kwargs)
        elif method == "reduce":
            node = reduced(ufunc, inputs[0], **kwargs)
        else:
            raise Untraceable(f"{ufunc.__name__}.{method}")
        if outs is None or outs[0] is None:
            return self.new(node)
        (out,) = outs
        if not isinstance(out, Symbol):
            raise Untraceable("a result in the memory of an ordinary array")
        out.fill_with(node)
        return out

    def fill_with(self, node: Node) -> None:
        """Take other values in place."""
        if self.shared:
            raise Untraceable("writing to memory that is shared")
        self.node = self.graph.expand(self.graph.cast(node, self.dtype), self.shape)

    def __array_function__(
        self, function: Any, types: Any, args: Any, kwargs: Any
    ) -> Any:
        known = FUNCTIONS.get(function)
        if known is None:
            raise Untraceable(f"numpy.{function.__name__}")
        return known(self.graph, *args, **kwargs)


def _is_sequence(value: Any) -> bool:
    return isinstance(value, tuple | list)


def node_of(graph: Graph, value: Any, dtype: Any = None) -> Node:
    """Return the node of a symbol, or of a constant."""
    if isinstance(value, Symbol):
        return value.node
    if isinstance(value, Node):
        return value
    array = np.asarray(value, dtype)
    if array.dtype not in DTYPES:
        raise Untraceable(f"no kernels for {array.dtype}")
    return graph.constant(array)


def applied(
    graph: Graph,
    ufunc: np.ufunc,
    inputs: Sequence[Any],
    dtype: Any = None,
    casting: str = "same_kind",
) -> Node:
    """Return the node of a ufunc, whose operands are promoted as NumPy does."""
    if ufunc is np.conjugate or ufunc is np.positive:
        return node_of(graph, inputs[0])
    if ufunc is np.square:
        return applied(graph, np.multiply, (inputs[0], inputs[0]), dtype)
    if ufunc is np.power and type(inputs[1]) in (int, float):
        simple = POWERS.get(inputs[1])
        if simple is not None:
            return simple(graph, inputs[0])
    if ufunc is np.isfinite:
        difference = applied(graph, np.subtract, (inputs[0], inputs[0]))
        return graph.add("eq", [difference, 0])
    kinds = tuple([_kind_of(value) for value in inputs])
    options: dict[str, Any] = {"casting": casting}
    if dtype is not None:
        options["signature"] = (*[None] * len(inputs), np.dtype(dtype))
    try:
        found = ufunc.resolve_dtypes((*kinds, None), **options)
    except TypeError as error:
        raise Untraceable(f"{ufunc.__name__} of {kinds}: {error}") from error
    nodes = [
        graph.cast(node_of(graph, value, None if _has_dtype(value) else wanted), wanted)
        for value, wanted in zip(inputs, found, strict=False)
    ]
    if any(node.dtype not in DTYPES for node in nodes) or found[-1] not in DTYPES:
        raise Untraceable(f"no kernels for {ufunc.__name__} of {found}")
    name = _op_of(ufunc, nodes[0].dtype)
    return graph.cast(graph.add(name, nodes), found[-1])


POWERS: dict[float, Callable[[Graph, Any], Node]] = {
    1: node_of,
    2: lambda graph, x: applied(graph, np.multiply, (x, x)),
    0.5: lambda graph, x: applied(graph, np.sqrt, (x,)),
    -1: lambda graph, x: applied(graph, np.reciprocal, (x,)),
}
"""What NumPy does for powers that need none; the operator `**` as well."""


def _op_of(ufunc: np.ufunc, dtype: np.dtype[Any]) -> str:
    if ufunc in LOGICAL:
        return _named(LOGICAL, ufunc)
    if dtype.kind == "b" and ufunc in OF_BOOLS:
        return OF_BOOLS[ufunc]
    table = UNARY if ufunc in UNARY else BINARY
    if dtype.kind != "f" and ufunc not in OF_INTEGERS:
        raise Untraceable(f"{ufunc.__name__} of {dtype}")
    if dtype.kind == "b" and ufunc is not np.equal:
        raise Untraceable(f"{ufunc.__name__} of {dtype}")
    return _named(table, ufunc)


OF_INTEGERS = {np.add, np.subtract, np.multiply, np.maximum, np.minimum, np.negative}
OF_INTEGERS |= {np.equal, np.not_equal, np.less, np.less_equal, np.greater}
OF_INTEGERS |= {np.greater_equal, np.absolute}


def _named(table: dict[np.ufunc, str], ufunc: np.ufunc) -> str:
    try:
        return table[ufunc]
    except KeyError:
        raise Untraceable(f"numpy.{ufunc.__name__}") from None


def _has_dtype(value: Any) -> bool:
    return hasattr(value, "dtype")


def _kind_of(value: Any) -> Any:
    """Return what NumPy promotes by: a dtype, or the type of a Python number."""
    if _has_dtype(value):
        return value.dtype
    return np.dtype(bool) if isinstance(value, bool) else type(value)


def reduced(
    ufunc: np.ufunc,
    array: Any,
    axis: Any = 0,
    dtype: Any = None,
    keepdims: bool = False,
    initial: Any = None,
    where: Any = True,
) -> Node:
    """Return the node of a reduction, accumulated in the dtype that NumPy takes."""
    if not isinstance(array, Symbol) or where is not True:
        raise Untraceable("a reduction with a mask")
    if initial is not None and initial != NEUTRAL.get(ufunc):
        raise Untraceable("a reduction with a start")
    graph, node = array.graph, array.node
    if ufunc in NEUTRAL and (node.size == 0 or node.dtype.kind == "b"):
        raise Untraceable("an extreme of nothing, or of bools")
    if dtype is None and ufunc in (np.add, np.multiply) and node.dtype.kind in "bi":
        dtype = np.int64
    if dtype is not None:
        node = array.astype(dtype).node
    dims = None if axis is None else axis if _is_sequence(axis) else (axis,)
    return graph.reduce(_named(REDUCTIONS, ufunc), node, dims, bool(keepdims))


def sliced(graph: Graph, node: Node, index: Any) -> Node:
    """Return the node of ``array[index]`` for slices, integers, None and Ellipsis."""
    items = list(index) if isinstance(index, tuple) else [index]
    if any(not isinstance(i, int | slice | None | type(...)) for i in items) or any(
        isinstance(i, bool) for i in items
    ):
        raise Untraceable("indexing by arrays")
    taken = sum(1 for item in items if item is not None and item is not ...)
    full = [slice(None)] * (len(node.shape) - taken)
    if ... in items:
        place = items.index(...)
        items[place : place + 1] = full
    else:
        items += full
    slices: list[slice] = []
    shape: list[int] = []
    for item in items:
        if item is None:
            shape.append(1)
            continue
        size = node.shape[len(slices)]
        if isinstance(item, int):
            start = item + size if item < 0 else item
            slices.append(slice(start, start + 1))
        else:
            slices.append(item)
            shape.append(len(range(size)[item]))
    if any(s != slice(None) for s in slices):
        node = graph.slice(node, *slices)
    return graph.reshape(node, tuple(shape))


def _where(graph: Graph, condition: Any, yes: Any, no: Any) -> Symbol:
    dtypes = [x.dtype if _has_dtype(x) else x for x in (yes, no)]
    common = np.result_type(*dtypes)
    if common not in DTYPES:
        raise Untraceable(f"no kernels for {common}")
    sides = [
        graph.cast(node_of(graph, x, None if _has_dtype(x) else common), common)
        for x in (yes, no)
    ]
    test = node_of(graph, condition)
    if test.dtype.kind != "b":
        test = graph.add("ne", [test, 0])
    return Symbol(graph, graph.add("where", [test, *sides]))


def _full_like(graph: Graph, like: Any, value: Any, dtype: Any = None) -> Symbol:
    constant = graph.constant(value, dtype or like.dtype)
    return Symbol(graph, graph.expand(constant, like.shape))


def _concatenate(graph: Graph, arrays: Any, axis: int = 0) -> Symbol:
    nodes = [node_of(graph, array) for array in arrays]
    if len({(node.dtype, len(node.shape)) for node in nodes}) != 1:
        raise Untraceable("joining arrays of several kinds")
    return Symbol(graph, graph.cat(nodes, axis))


def _copyto(graph: Graph, target: Any, values: Any) -> None:
    if not isinstance(target, Symbol):
        raise Untraceable("writing to an ordinary array")
    target.fill_with(node_of(graph, values))


def _broadcast_to(graph: Graph, array: Any, shape: Any) -> Symbol:
    return Symbol(graph, graph.expand(node_of(graph, array), tuple(shape)), shared=True)


FUNCTIONS: dict[Any, Callable[..., Any]] = {
    np.where: _where,
    np.zeros_like: lambda graph, like, dtype=None: _full_like(graph, like, 0, dtype),
    np.ones_like: lambda graph, like, dtype=None: _full_like(graph, like, 1, dtype),
    np.full_like: _full_like,
    np.concatenate: _concatenate,
    np.copyto: _copyto,
    np.broadcast_to: _broadcast_to,
    np.ndim: lambda graph, array: array.ndim,
    np.shape: lambda graph, array: array.shape,
}
