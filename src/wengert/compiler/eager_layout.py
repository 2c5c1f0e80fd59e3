"""How eager mode's arrays lie in memory: what a few random ops depend on.

PyTorch's dropout draws its numbers in the order of memory, so that a transposed tensor
gets the same as it would have got before. A trace has no arrays, but knows of what each
node is made: views are as they are, NumPy's results lie as their operands do, and what
is called shows an example. All else is taken for contiguous.

That is not always so: layer_norm is one op in eager mode, and many here. Then the same
random numbers drop other values of a transposed tensor's.
"""

from __future__ import annotations

from collections.abc import Sequence

from .graph import Node, Shape
from .index import contiguous_strides, natural_place, through_view
from .layout import Strides, memory_strides, strides_at


def eager_strides(node: Node, known: dict[Node, Strides]) -> Strides:
    """The strides of eager mode's array, in elements; ``known`` are those of others.

    Those of dims of size one are of no account.
    """
    stack = [] if node in known else [node]
    while stack:
        last = stack[-1]
        missing = [x for x in last.inputs if x not in known]
        if not missing:
            known[last] = _strides(last, [known[x] for x in last.inputs])
            stack.pop()
        stack += missing
    return known[node]


def _strides(node: Node, operands: list[Strides]) -> Strides:
    if node.op == "input":
        return memory_strides(node)
    if node.op == "constant":
        value = node.params["value"]
        return tuple(s // value.itemsize for s in value.strides)
    if node.kind == "view":
        return _of_view(node, operands[0]) or contiguous_strides(node.shape)
    if node.kind == "elementwise" or node.op == "cat":
        return _in_order(node.shape, order_of_dims(node.shape, operands))
    if node.kind == "reduction":
        (x,), dims = node.inputs, node.params["dims"]
        kept = [d for d in order_of_dims(x.shape, operands) if d not in dims]
        if not node.params["keepdim"]:
            kept = [d - sum(other < d for other in dims) for d in kept]
        return _in_order(node.shape, kept)
    return contiguous_strides(node.shape)


def order_of_dims(shape: Shape, operands: Sequence[Strides]) -> list[int]:
    """The dims larger than one in the order in which NumPy lays out a result.

    That of the operands; where they do not agree, the order of the dims. It is NumPy's
    `npyiter_find_best_axis_ordering`: an insertion sort, from the innermost dim on.
    """
    order = [d for d, n in enumerate(shape) if n != 1][::-1]
    for i, dim in enumerate(order):
        place = i
        for j in reversed(range(i)):
            pairs = [(abs(s[dim]), abs(s[order[j]])) for s in operands]
            votes = [outer < inner for outer, inner in pairs if outer and inner]
            if not all(votes):
                break
            if votes:
                place = j
        order.insert(place, order.pop(i))
    return order[::-1]


def _in_order(shape: Shape, dims: list[int]) -> Strides:
    """The strides of an array whose dims lie in an order; others are of size one."""
    steps = contiguous_strides(tuple(shape[d] for d in dims))
    found = dict(zip(dims, steps, strict=True))
    return tuple(found.get(d, 0) for d in range(len(shape)))


def _of_view(node: Node, strides: Strides) -> Strides | None:
    (x,) = node.inputs
    if node.op == "reshape":
        return reshaped_strides(x.shape, strides, node.shape)
    large = tuple(d for d, n in enumerate(node.shape) if n != 1)
    place = through_view(node, natural_place(node.shape, large), node.shape)
    return None if place is None else strides_at(place, strides, len(node.shape))[1]


def reshaped_strides(shape: Shape, strides: Strides, wanted: Shape) -> Strides | None:
    """The strides of a reshape; None if it has to copy."""
    blocks: list[tuple[int, int]] = []  # sizes and strides of what lies together
    for n, step in zip(shape, strides, strict=True):
        if n == 1:
            continue
        if blocks and blocks[-1][1] == n * step:
            blocks[-1] = blocks[-1][0] * n, step
        else:
            blocks.append((n, step))
    result = []
    room, step = 1, 0
    for n in reversed(wanted):
        if n > 1 and room == 1:
            room, step = blocks.pop()
        if room % n:
            return None
        result.append(step if n > 1 else 0)
        room, step = room // n, step * n
    return tuple(reversed(result))
