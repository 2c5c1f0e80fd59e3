"""Where a node's elements lie in memory, seen through views."""

from __future__ import annotations

from itertools import pairwise

from .graph import Node, Shape
from .index import Place, contiguous_strides, natural_place, through_view

Strides = tuple[int, ...]


def memory_of(node: Node) -> Node:
    """The node whose buffer ``node`` views: itself, unless it is a view."""
    while node.kind == "view":
        (node,) = node.inputs
    return node


def locate(node: Node) -> tuple[Node, int, tuple[int, ...]] | None:
    """The memory under a chain of views: its node, an offset and strides."""
    sizes = node.shape
    large = tuple(d for d, n in enumerate(sizes) if n != 1)
    place: Place | None = natural_place(sizes, large)
    base = node
    while base.kind == "view" and place is not None:
        place = through_view(base, place, sizes)
        (base,) = base.inputs
    if place is None:
        return None
    return base, *strides_at(place, memory_strides(base), len(sizes))


def memory_strides(node: Node) -> tuple[int, ...]:
    """In elements; inputs have those of the arrays that the program is made for."""
    given: tuple[int, ...] | None = node.params.get("strides")
    if given is not None:
        return given
    return contiguous_strides(node.shape)


def strides_at(place: Place, strides: Strides, rank: int) -> tuple[int, Strides]:
    """Where elements lie whose place in memory with ``strides`` is affine in theirs."""
    offset, steps = 0, [0] * rank
    for index, stride in zip(place, strides, strict=True):
        offset += index.constant * stride
        for variable, coefficient in index.terms:
            assert isinstance(variable, int)
            steps[variable] += coefficient * stride
    return offset, tuple(steps)


def matrix_layout(node: Node) -> tuple[Node, int, tuple[int, int], int] | None:
    """How a product reads it: memory, offset, strides of rows and columns, of a batch.

    None where the matrices of a batch do not lie at equal distances.
    """
    found = locate(node)
    if found is None:
        return None
    base, offset, strides = found
    batch = _uniform_stride(node.shape[:-2], strides[:-2])
    return None if batch is None else (base, offset, strides[-2:], batch)  # type: ignore[return-value]


def _uniform_stride(shape: Shape, strides: tuple[int, ...]) -> int | None:
    """The stride of the dims taken as one; None where they cannot be."""
    pairs = [(n, s) for n, s in zip(shape, strides, strict=True) if n != 1]
    if not pairs:
        return 0
    for (_, s), (n_next, s_next) in pairwise(pairs):
        if s != n_next * s_next:
            return None
    return pairs[-1][1]


def is_product(node: Node) -> bool:
    """Whether `gemm` computes a node, once its operands have a layout for it."""
    fits = node.op == "matmul" and node.dtype.str in ("<f4", "<f8")
    return fits and node.size > 0 and node.inputs[0].size > 0
