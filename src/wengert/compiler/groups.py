"""Steps and groups: what `schedule` makes, and the rules of a group's axes."""

from __future__ import annotations

from dataclasses import dataclass, field
from math import prod

from .emit import is_native
from .graph import Node
from .index import ZERO, Place
from .scalars import has_kernel

SMALL = 16384  # elements: one row, so that a full reduction fuses with its consumers
STORE, ROW, COLUMN, FULL, OUTER = "store", "row", "column", "full", "outer"


@dataclass(eq=False)
class Sink:
    """What a group leaves in memory, or reduces.

    ``place`` is the place of the node, or of a reduction's operand. ``output`` is the
    output that it becomes, ``write`` the input that a store overwrites.
    """

    node: Node
    kind: str
    place: Place
    output: int | None = None
    write: Node | None = None

    @property
    def is_final(self) -> bool:
        return self.kind in (COLUMN, FULL, OUTER)


@dataclass(eq=False)
class Step:
    """One thing that a replay does; ``after`` are the steps that it waits for."""

    number: int
    after: set[Step] = field(default_factory=set)
    reads: set[Node] = field(default_factory=set)

    def results(self) -> list[Node]:
        return []


@dataclass(eq=False)
class Product(Step):
    """A matrix product.

    ``epilogue`` is what its chunks do with the rows they made, ``beside`` the product
    before it that it runs together with.
    """

    node: Node = None  # type: ignore[assignment]
    epilogue: Group | None = None
    beside: Product | None = None

    def results(self) -> list[Node]:
        return [self.node]


@dataclass(eq=False)
class Call(Step):
    """A node that runs in Python, on arrays."""

    node: Node = None  # type: ignore[assignment]

    def results(self) -> list[Node]:
        return [self.node]


@dataclass(eq=False)
class Group(Step):
    """One loop kernel."""

    sizes: tuple[int, ...] = ()
    inner: tuple[int, ...] | None = None
    columns_over: tuple[int, ...] | None = None
    sinks: list[Sink] = field(default_factory=list)
    places: dict[Node, Place] = field(default_factory=dict)  # of reductions' results
    walked: set[tuple[Node, Place]] = field(default_factory=set)
    nodes: set[Node] = field(default_factory=set)
    loaded: set[tuple[Node, Place]] = field(default_factory=set)
    aliases: dict[Node, Node] = field(default_factory=dict)  # reshapes of memory

    @property
    def outer(self) -> tuple[int, ...]:
        inner = self.inner or ()
        return tuple(a for a in range(len(self.sizes)) if a not in inner)

    def results(self) -> list[Node]:
        return [sink.node for sink in self.sinks]


def is_fused(node: Node) -> bool:
    """Whether the node is computed inside of loop kernels."""
    if node.kind == "view" or node.op == "iota":
        return True
    if node.op == "gather":
        return is_native(node.dtype)
    return node.kind == "elementwise" and has_kernel(node)


def is_loop(node: Node) -> bool:
    if node.kind == "reduction":
        return is_native(node.dtype) and node.inputs[0].size > 0
    return is_fused(node)


def axes_for(group: Group, sizes: tuple[int, ...]) -> tuple[int, ...] | None:
    """Which of a group's axes the dims of a sink are: all, or the outer ones."""
    if sizes == group.sizes:
        return tuple(range(len(sizes)))
    if group.inner is not None and sizes == tuple(group.sizes[a] for a in group.outer):
        return group.outer
    return None


def reduction_kind(group: Group, node: Node, axes: tuple[int, ...]) -> str | None:
    """How a group would do a reduction over its axes; None where it cannot."""
    folded = reduced_axes(node, axes)
    every = tuple(range(len(group.sizes)))
    if axes != every:
        return OUTER if folded == axes else None
    if group.inner is not None:
        if folded == group.inner:
            return ROW
        if folded == every:
            return FULL
        return COLUMN if folded == group.outer else None
    if folded == every:
        small = prod(group.sizes) <= SMALL and group.columns_over is None
        return ROW if small else FULL
    rest = tuple(a for a in every if a not in folded)
    if every[-1] in folded:
        return ROW if group.columns_over in (None, rest) else None
    return COLUMN if group.columns_over in (None, folded) else None


def settle_axes(group: Group, sink: Sink, axes: tuple[int, ...]) -> None:
    """Record what a new reduction fixes about a group's axes."""
    folded = reduced_axes(sink.node, axes)
    if sink.kind == ROW:
        group.inner = folded
    elif sink.kind == COLUMN:
        group.columns_over = folded


def reduced_axes(node: Node, axes: tuple[int, ...]) -> tuple[int, ...]:
    """The axes that a reduction folds, where ``axes`` are its operand's large dims."""
    (x,) = node.inputs
    large = [d for d, n in enumerate(x.shape) if n != 1]
    dims = node.params["dims"]
    return tuple(a for d, a in zip(large, axes, strict=True) if d in dims)


def result_place(node: Node, place: Place) -> Place:
    """Where in the iteration space a row reduction's result is."""
    dims = node.params["dims"]
    if node.params["keepdim"]:
        return tuple(ZERO if d in dims else index for d, index in enumerate(place))
    return tuple(index for d, index in enumerate(place) if d not in dims)
