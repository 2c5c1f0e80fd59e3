"""A training step as data: a typed graph in static single assignment form.

A `Graph` is a list of nodes in the order in which they may run. A `Node` is one op
on earlier nodes; shape and dtype are inferred once, by `Graph.add`, and never change.
Elementwise ops take operands of one shape: broadcasting is written out as ``expand``
nodes, so that no later stage has to think about it.

Three lists make a graph a program:

- ``inputs``: arrays read anew at each replay (by reference), and run-time scalars;
- ``outputs``: nodes whose values a replay returns;
- ``writes``: pairs ``(input, value)``: what each input array holds after a replay.

In-place semantics are those two lists: every read of an input sees the array as it
was before the replay, and all writes happen after. Whoever captures a program turns
each in-place op into a new value of the same storage, and must give storage that
several tensors share as one input.

>>> graph = Graph()
>>> x = graph.input(((2, 3), "float32"), name="x")
>>> total = graph.sum(graph.add("exp", [x]), dims=(1,))
>>> graph.outputs.append(total)
>>> print(graph)
%0 = input x                       float32[2, 3]
%1 = exp(%0)                       float32[2, 3]
%2 = sum(%1, dims=(1,), keepdim=0) float32[2]
return %2
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np

from .ops import BOOL, OPS, Op

Shape = tuple[int, ...]
Params = dict[str, Any]


class Node:
    """One value: an op, its operands, its parameters, and what it yields.

    ``source`` is the user's line that made it (``"train.py:12"``) or None.
    """

    __slots__ = ("dtype", "inputs", "number", "op", "params", "shape", "source")

    def __init__(
        self,
        op: str,
        inputs: tuple[Node, ...],
        params: dict[str, Any],
        shape: Shape,
        dtype: np.dtype,
        number: int,
        source: str | None,
    ) -> None:
        self.op = op
        self.inputs = inputs
        self.params = params
        self.shape = shape
        self.dtype = dtype
        self.number = number
        self.source = source

    @property
    def info(self) -> Op:
        return OPS[self.op]

    @property
    def kind(self) -> str:
        return OPS[self.op].kind

    @property
    def size(self) -> int:
        return math.prod(self.shape)

    @property
    def nbytes(self) -> int:
        return self.size * self.dtype.itemsize

    def __repr__(self) -> str:
        return f"%{self.number}"

    def describe(self) -> str:
        """The right-hand side of this node's line: op, operands and parameters."""
        if self.op in ("input", "scalar"):
            return f"{self.op} {self.params['name']}"
        arguments = [repr(operand) for operand in self.inputs]
        arguments += [f"{k}={_brief(v)}" for k, v in self.params.items()]
        return f"{self.op}({', '.join(arguments)})"


class Graph:
    """A program under construction, or finished: nodes, outputs and writes."""

    def __init__(self) -> None:
        self.nodes: list[Node] = []
        self.inputs: list[Node] = []
        self.outputs: list[Node] = []
        self.writes: list[tuple[Node, Node]] = []
        self.source: str | None = None

    def input(self, spec: Any, name: str | None = None) -> Node:
        """An array read at each replay; ``spec`` is an array or ``(shape, dtype)``.

        Arrays with the strides of ``spec`` are read in place, others are copied.
        """
        shape, dtype = _shape_and_dtype(spec)
        params: dict[str, Any] = {"name": name or f"in{len(self.inputs)}"}
        strides = getattr(spec, "strides", None)
        if strides is not None and not spec.flags.c_contiguous:
            params["strides"] = tuple(s // dtype.itemsize for s in strides)
        node = self._append("input", (), params, shape, dtype)
        self.inputs.append(node)
        return node

    def scalar(self, dtype: Any = np.float64, name: str | None = None) -> Node:
        """A number given at each replay, such as a learning rate or a step count."""
        name = name or f"in{len(self.inputs)}"
        node = self._append("scalar", (), {"name": name}, (), np.dtype(dtype))
        self.inputs.append(node)
        return node

    def constant(self, value: Any, dtype: Any = None) -> Node:
        """A value that is part of the program (copied now)."""
        array = np.array(value, dtype=dtype)
        return self._append("constant", (), {"value": array}, array.shape, array.dtype)

    def iota(self, shape: Shape, dim: int, dtype: Any = np.int64) -> Node:
        """The index along ``dim`` at each element."""
        dtype, dim = np.dtype(dtype), dim % len(shape)
        params = {"shape": tuple(shape), "dim": dim, "dtype": dtype}
        return self._append("iota", (), params, tuple(shape), dtype)

    def add(self, op: str, operands: Sequence[Any], **params: Any) -> Node:
        """Append ``op``; Python numbers become constants, shapes are broadcast.

        Raises:
            KeyError: the op is not in the table.
            TypeError: operands of an elementwise op differ in dtype.
            ValueError: shapes do not fit.
        """
        kind = OPS[op].kind
        if kind == "elementwise":
            return self._elementwise(op, operands, params)
        nodes = tuple(operands)
        shape, dtype = _INFER[op](nodes, params)
        return self._append(op, nodes, params, shape, dtype)

    def expand(self, x: Node, shape: Shape) -> Node:
        """``x`` broadcast to ``shape`` (itself where that is its shape already)."""
        shape = tuple(shape)
        return x if x.shape == shape else self.add("expand", [x], shape=shape)

    def reshape(self, x: Node, shape: Shape) -> Node:
        shape = tuple(shape)
        return x if x.shape == shape else self.add("reshape", [x], shape=shape)

    def permute(self, x: Node, dims: Sequence[int]) -> Node:
        return self.add("permute", [x], dims=tuple(d % len(dims) for d in dims))

    def transpose(self, x: Node) -> Node:
        """``x`` with its last two dims exchanged."""
        rank = len(x.shape)
        return self.permute(x, (*range(rank - 2), rank - 1, rank - 2))

    def slice(self, x: Node, *slices: slice) -> Node:
        """``x[slices]`` with Python's slices, one a dim from the first on."""
        full = (*slices, *[slice(None)] * (len(x.shape) - len(slices)))
        ranges = [range(n)[part] for n, part in zip(x.shape, full, strict=True)]
        return self.add(
            "slice",
            [x],
            starts=tuple(r.start if len(r) else 0 for r in ranges),
            steps=tuple(r.step if len(r) else 1 for r in ranges),
            shape=tuple(len(r) for r in ranges),
        )

    def cast(self, x: Node, dtype: Any) -> Node:
        dtype = np.dtype(dtype)
        return x if x.dtype == dtype else self.add("cast", [x], dtype=dtype)

    def reduce(
        self, op: str, x: Node, dims: Iterable[int] | None = None, keepdim: bool = False
    ) -> Node:
        """``sum``, ``prod``, ``amax`` or ``amin`` over ``dims`` (all when None)."""
        rank = len(x.shape)
        every = range(rank) if dims is None else sorted({d % rank for d in dims})
        return self.add(op, [x], dims=tuple(every), keepdim=keepdim)

    def sum(self, x: Node, dims: Any = None, keepdim: bool = False) -> Node:
        return self.reduce("sum", x, dims, keepdim)

    def mean(self, x: Node, dims: Any = None, keepdim: bool = False) -> Node:
        total = self.sum(x, dims, keepdim)
        return self.add("div", [total, x.size / total.size if total.size else 0.0])

    def argmax(
        self, x: Node, dim: int, keepdim: bool = False, op: str = "amax"
    ) -> Node:
        """The first index of the largest element along ``dim``; a NaN is largest."""
        best = self.expand(self.reduce(op, x, (dim,), keepdim=True), x.shape)
        hit = self.add(
            "logical_or", [self.add("eq", [x, best]), self.add("isnan", [x])]
        )
        index = self.iota(x.shape, dim)
        chosen = self.add("where", [hit, index, x.shape[dim]])
        return self.reduce("amin", chosen, (dim,), keepdim)

    def matmul(self, a: Node, b: Node) -> Node:
        """The matrix product; leading (batch) dims broadcast."""
        batch = np.broadcast_shapes(a.shape[:-2], b.shape[:-2])
        a = self.expand(a, (*batch, *a.shape[-2:]))
        b = self.expand(b, (*batch, *b.shape[-2:]))
        return self.add("matmul", [a, b])

    def gather(self, x: Node, dim: int, index: Node) -> Node:
        """``torch.gather``: ``result[..i..] = x[..index[..i..]..]`` along ``dim``."""
        return self.add("gather", [x, index], dim=dim % len(x.shape))

    def index_select(self, x: Node, dim: int, index: Node) -> Node:
        """The slices of ``x`` along ``dim`` that the vector ``index`` names."""
        dim %= len(x.shape)
        shape = [1] * len(x.shape)
        shape[dim] = index.size
        target = (*x.shape[:dim], index.size, *x.shape[dim + 1 :])
        wide = self.expand(self.reshape(index, tuple(shape)), target)
        return self.gather(x, dim, wide)

    def scatter_add(self, x: Node, dim: int, index: Node, source: Node) -> Node:
        """``x`` with ``source`` added where ``index`` points along ``dim``."""
        return self.add("scatter_add", [x, index, source], dim=dim % len(x.shape))

    def cat(self, parts: Sequence[Node], dim: int) -> Node:
        return self.add("cat", parts, dim=dim % len(parts[0].shape))

    def call(
        self,
        function: Callable[..., Any],
        operands: Sequence[Node],
        specs: Sequence[Any],
    ) -> list[Node]:
        """Run a Python function on arrays; it returns one array for each of ``specs``.

        What no kernel computes: it runs at its place in every replay.
        """
        call = self._append(
            "call", tuple(operands), {"function": function}, (), np.dtype(object)
        )
        results = []
        for index, spec in enumerate(specs):
            shape, dtype = _shape_and_dtype(spec)
            results.append(
                self._append("result", (call,), {"index": index}, shape, dtype)
            )
        return results

    def write(self, target: Node, value: Node) -> None:
        """Let the input ``target`` hold ``value`` after a replay."""
        if target.op != "input" or (target.shape, target.dtype) != (
            value.shape,
            value.dtype,
        ):
            raise ValueError(f"cannot write {type_of(value)} to {type_of(target)}")
        self.writes = [pair for pair in self.writes if pair[0] is not target]
        self.writes.append((target, value))

    def copy_node(self, node: Node, inputs: Sequence[Node]) -> Node:
        """Append ``node`` with other operands (of the same types); for passes."""
        copied = self._append(
            node.op, tuple(inputs), node.params, node.shape, node.dtype
        )
        copied.source = node.source
        if node.op in ("input", "scalar"):
            self.inputs.append(copied)
        return copied

    def results(self) -> list[Node]:
        """The nodes that must be computed: outputs and written values."""
        return [*self.outputs, *(value for _, value in self.writes)]

    def _elementwise(self, op: str, operands: Sequence[Any], params: Params) -> Node:
        info = OPS[op]
        typed = next(x for x in reversed(operands) if isinstance(x, Node))
        nodes = [
            x if isinstance(x, Node) else self.constant(x, typed.dtype)
            for x in operands
        ]
        shape = np.broadcast_shapes(*(n.shape for n in nodes))
        data = nodes[1:] if op == "where" else nodes
        if len({n.dtype for n in data}) != 1 or len(nodes) != info.arity:
            raise TypeError(f"{op} of {', '.join(map(type_of, nodes))}")
        dtype = params.get("dtype", BOOL if info.boolean else data[0].dtype)
        inputs = tuple(self.expand(n, shape) for n in nodes)
        return self._append(op, inputs, params, shape, dtype)

    def _append(
        self,
        op: str,
        inputs: tuple[Node, ...],
        params: Params,
        shape: Shape,
        dtype: Any,
    ) -> Node:
        node = Node(op, inputs, params, shape, dtype, len(self.nodes), self.source)
        self.nodes.append(node)
        return node

    def __str__(self) -> str:
        rows = [(f"%{n.number} = {n.describe()}", n) for n in self.nodes]
        width = min(60, max((len(text) for text, _ in rows), default=0))
        lines = [
            f"{text:<{width}} {type_of(node)}"
            + (f"  # {node.source}" * bool(node.source))
            for text, node in rows
        ]
        lines += [f"{target} <- {value}" for target, value in self.writes]
        return "\n".join([*lines, "return " + ", ".join(map(repr, self.outputs))])


def type_of(node: Node) -> str:
    """Return a node's dtype and shape, as in ``float32[3, 4]``."""
    return f"{node.dtype}{list(node.shape)}"


def _brief(value: Any) -> str:
    if isinstance(value, np.ndarray):
        return str(value) if value.size == 1 else f"array{list(value.shape)}"
    if isinstance(value, bool):
        return str(int(value))
    return getattr(value, "__name__", str(value))


def _shape_and_dtype(spec: Any) -> tuple[Shape, np.dtype]:
    if isinstance(spec, tuple) and not hasattr(spec, "dtype"):
        return tuple(spec[0]), np.dtype(spec[1])
    return tuple(spec.shape), np.dtype(spec.dtype)


Inferred = tuple[Shape, np.dtype]


def _require(condition: bool, op: str, nodes: Sequence[Node]) -> None:
    if not condition:
        raise ValueError(f"{op} of {', '.join(map(type_of, nodes))}")


def _infer_given_shape(nodes: Sequence[Node], params: Params) -> Inferred:
    return params["shape"], nodes[0].dtype


def _infer_expand(nodes: Sequence[Node], params: Params) -> Inferred:
    shape = params["shape"]
    _require(np.broadcast_shapes(nodes[0].shape, shape) == shape, "expand", nodes)
    return shape, nodes[0].dtype


def _infer_reshape(nodes: Sequence[Node], params: Params) -> Inferred:
    _require(math.prod(params["shape"]) == nodes[0].size, "reshape", nodes)
    return params["shape"], nodes[0].dtype


def _infer_permute(nodes: Sequence[Node], params: Params) -> Inferred:
    (x,) = nodes
    _require(sorted(params["dims"]) == list(range(len(x.shape))), "permute", nodes)
    return tuple(x.shape[d] for d in params["dims"]), x.dtype


def _infer_reduction(nodes: Sequence[Node], params: Params) -> Inferred:
    (x,), dims = nodes, params["dims"]
    if params["keepdim"]:
        shape = tuple(1 if d in dims else n for d, n in enumerate(x.shape))
    else:
        shape = tuple(n for d, n in enumerate(x.shape) if d not in dims)
    return shape, x.dtype


def _infer_matmul(nodes: Sequence[Node], _: Params) -> Inferred:
    a, b = nodes
    fits = (
        a.dtype == b.dtype
        and len(a.shape) == len(b.shape) >= 2
        and a.shape[:-2] == b.shape[:-2]
        and a.shape[-1] == b.shape[-2]
    )
    _require(fits, "matmul", nodes)
    return (*a.shape[:-1], b.shape[-1]), a.dtype


def _infer_gather(nodes: Sequence[Node], params: Params) -> Inferred:
    x, index = nodes
    _require(
        index.dtype.kind == "i" and _same_but(x, index, params["dim"]), "gather", nodes
    )
    return index.shape, x.dtype


def _infer_scatter(nodes: Sequence[Node], params: Params) -> Inferred:
    x, index, source = nodes
    fits = (
        index.dtype.kind == "i"
        and x.dtype == source.dtype
        and index.shape == source.shape
        and _same_but(x, index, params["dim"])
    )
    _require(fits, "scatter_add", nodes)
    return x.shape, x.dtype


def _infer_cat(nodes: Sequence[Node], params: Params) -> Inferred:
    first, dim = nodes[0], params["dim"]
    fits = all(n.dtype == first.dtype and _same_but(first, n, dim) for n in nodes)
    _require(fits, "cat", nodes)
    total = sum(n.shape[dim] for n in nodes)
    return (*first.shape[:dim], total, *first.shape[dim + 1 :]), first.dtype


def _same_but(a: Node, b: Node, dim: int) -> bool:
    """Whether two nodes' shapes agree in every dim but ``dim``."""
    trimmed = [s.shape[:dim] + s.shape[dim + 1 :] for s in (a, b)]
    return trimmed[0] == trimmed[1] and len(a.shape) == len(b.shape)


_INFER: dict[str, Callable[[Sequence[Node], Params], Inferred]] = {
    "expand": _infer_expand,
    "reshape": _infer_reshape,
    "permute": _infer_permute,
    "slice": _infer_given_shape,
    "sum": _infer_reduction,
    "prod": _infer_reduction,
    "amax": _infer_reduction,
    "amin": _infer_reduction,
    "matmul": _infer_matmul,
    "gather": _infer_gather,
    "scatter_add": _infer_scatter,
    "cat": _infer_cat,
}
