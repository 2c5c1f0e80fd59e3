"""Groups that run inside of a matrix product, on rows that are in the cache still.

What follows a product (a bias and an activation, the mask of an activation's gradient,
the update of a weight by its gradient) reads a matrix that was just written. A product
that is cut by rows calls at the end of each chunk the kernel of its *epilogue*, on the
same rows: a pass over memory less, and a barrier less.

Any group over the elements of the product's result can be one, its reductions along
rows or columns included, as long as a row of it reads no other row of the result.
"""

from __future__ import annotations

from itertools import pairwise
from math import prod

from . import products
from .graph import Node
from .groups import STORE, Group, Product, Sink, Step
from .index import axis, natural_place
from .kernels import MOST_PARTIALS, Kernel
from .layout import memory_of

LEAST_ROWS = 32  # fewer cannot be shared among threads
MOST_CHUNKS = 1024
Plans = dict[Product, products.Product]


def attach_epilogues(steps: list[Step]) -> tuple[list[Step], Plans]:
    """Plan products, and put the epilogue of each right behind it."""
    plans: Plans = {}
    order = list(steps)
    groups = [step for step in steps if isinstance(step, Group)]
    for group in groups:
        _pair(order, group)
    paired = {step.beside for step in steps if isinstance(step, Product)}
    for product in [step for step in steps if isinstance(step, Product)]:
        alone = product.beside is None and product not in paired
        most = 0
        for group in groups:
            if not alone or not _suits(group, product):
                continue
            together = _together(order, product, group)
            if together:
                order, product.epilogue = together, group
                groups.remove(group)
                most = MOST_PARTIALS if _folds_rows(group) else MOST_CHUNKS
                break
        plans[product] = products.plan(product.node, most)
    return order, plans


def _suits(group: Group, product: Product) -> bool:
    """Whether a group's rows need no more of the product than the same rows."""
    node = product.node
    places = [place for loaded, place in group.loaded if loaded is node]
    operands = {memory_of(operand) for operand in node.inputs}
    return (
        bool(places)
        and prod(node.shape[:-1]) == node.shape[-2] >= LEAST_ROWS
        and group.sizes == node.shape[-2:]
        and group.inner in (None, (1,))
        and group.columns_over in (None, (0,))
        and all(len(place) > 1 and place[-2] == axis(0) for place in places)
        and not any(sink.write in operands for sink in group.sinks)
    )


def _pair(order: list[Step], group: Group) -> None:
    """Let neighbouring products that a group adds, or the like, run together."""
    for first, second in pairwise(order):
        if not (isinstance(first, Product) and isinstance(second, Product)):
            continue
        both = {first.node, second.node} <= group.reads and is_like(
            first.node, second.node
        )
        if both and first not in second.after and first.beside is None:
            second.beside = first


def _folds_rows(group: Group) -> bool:
    """Whether each chunk leaves a partial result."""
    return any(sink.is_final for sink in group.sinks)


def _together(order: list[Step], product: Product, group: Group) -> list[Step] | None:
    """The steps with one of the two moved next to the other, if that is possible."""
    first, last = order.index(product), order.index(group)
    between = order[first + 1 : last]
    if not group.after & set(between):
        moved = [product, group, *between]
    elif not any(product in step.after for step in between):
        moved = [*between, product, group]
    else:
        return None
    return [*order[:first], *moved, *order[last + 1 :]]


def heirs(
    steps: list[Step], kernels: dict[Group, Kernel], outputs: list[Node]
) -> dict[Node, Sink]:
    """Products whose memory is taken over by what their epilogue makes of them.

    An element is read just before its place is written, so the cache holds one matrix,
    not two.
    """
    found: dict[Node, Sink] = {}
    for product in steps:
        if not isinstance(product, Product) or product.epilogue is None:
            continue
        group, node = product.epilogue, product.node
        readers = [step for step in steps if node in step.reads]
        if readers != [group] or node in outputs or kernels[group].phases > 1:
            continue
        here = natural_place(node.shape, (0, 1))
        if any(place != here for loaded, place in group.loaded if loaded is node):
            continue
        for sink in group.sinks:
            fits = sink.place == here and is_like(sink.node, node)
            if sink.kind == STORE and sink.write is None and fits:
                found[node] = sink
                break
    return found


def fetched_ahead(product: Product) -> list[Node]:
    """Up to two matrices that an epilogue reads just where the product writes."""
    here = natural_place(product.node.shape, (0, 1))
    assert product.epilogue
    found = [
        node
        for node, place in product.epilogue.loaded
        if place == here and node is not product.node
    ]
    dense = [n for n in found if "strides" not in n.params and is_like(n, product.node)]
    return sorted(dense, key=lambda node: node.number)[:2]


def is_like(a: Node, b: Node) -> bool:
    return (a.shape, a.dtype) == (b.shape, b.dtype)
