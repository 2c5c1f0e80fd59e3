"""Nested containers of tensors: take the leaves out, put others back.

A tree is a leaf, or a tuple, list, dict, namedtuple, OrderedDict or defaultdict of
trees.
"""

from __future__ import annotations

from collections import OrderedDict, defaultdict
from collections.abc import Callable, Iterator
from typing import Any


class Structure:
    """The shape of a tree: how to build it again from its leaves."""

    __slots__ = ("children", "kind", "keys")

    def __init__(self, kind: Any, keys: Any, children: list[Structure]) -> None:
        self.kind = kind
        self.keys = keys
        self.children = children

    @property
    def count(self) -> int:
        """The number of leaves."""
        if self.kind is None:
            return 1
        return sum(child.count for child in self.children)

    def __eq__(self, other: object) -> bool:
        return (
            isinstance(other, Structure)
            and self.kind is other.kind
            and self.keys == other.keys
            and self.children == other.children
        )

    def __hash__(self) -> int:
        return hash((self.kind, repr(self.keys), len(self.children)))

    def __repr__(self) -> str:
        if self.kind is None:
            return "*"
        inside = ", ".join([repr(child) for child in self.children])
        return f"{self.kind.__name__}({inside})"


LEAF = Structure(None, None, [])


def is_namedtuple(value: Any) -> bool:
    return isinstance(value, tuple) and hasattr(type(value), "_fields")


def flatten(tree: Any) -> tuple[list[Any], Structure]:
    """Return the leaves of a tree in order, and its structure."""
    leaves: list[Any] = []
    return leaves, _collect(tree, leaves)


def _collect(tree: Any, leaves: list[Any]) -> Structure:
    """Append a tree's leaves to a list and return the structure.

    A function inside `flatten` would refer to itself, and so keep the leaves, which are
    large, until Python looks for cycles.
    """
    kind = type(tree)
    keys: Any = None
    if kind is tuple or kind is list:
        children = tree
    elif kind is dict or kind is OrderedDict:
        keys, children = list(tree), tree.values()
    elif kind is defaultdict:
        keys, children = (tree.default_factory, list(tree)), tree.values()
    elif is_namedtuple(tree):
        children = tree
    else:
        leaves.append(tree)
        return LEAF
    return Structure(kind, keys, [_collect(child, leaves) for child in children])


def unflatten(leaves: list[Any] | tuple[Any, ...], structure: Structure) -> Any:
    """Build a tree of this structure from its leaves."""
    return _build(iter(leaves), structure)


def _build(leaves: Iterator[Any], structure: Structure) -> Any:
    kind = structure.kind
    if kind is None:
        return next(leaves)
    children = [_build(leaves, child) for child in structure.children]
    if kind is dict or kind is OrderedDict:
        return kind(zip(structure.keys, children, strict=True))
    if kind is defaultdict:
        factory, keys = structure.keys
        return defaultdict(factory, zip(keys, children, strict=True))
    if kind is tuple or kind is list:
        return kind(children)
    return kind(*children)


def leaves(tree: Any) -> list[Any]:
    """Return the leaves of a tree in order."""
    return flatten(tree)[0]


def map(function: Callable[..., Any], tree: Any, *others: Any) -> Any:
    """Apply a function to the leaves of a tree (and of others of one structure)."""
    found, structure = flatten(tree)
    columns = [found]
    for other in others:
        other_leaves, other_structure = flatten(other)
        if other_structure != structure:
            raise ValueError(
                f"the trees have different structures: {structure} and "
                f"{other_structure}"
            )
        columns.append(other_leaves)
    results = [function(*row) for row in zip(*columns, strict=True)]
    return unflatten(results, structure)


def spread(dims: Any, structure: Structure) -> list[Any] | None:
    """Return a dimension for each leaf of a tree; None if they do not fit it.

    Args:
        dims: one for all, or a tree of which a leaf stands for a whole branch.
    """
    _, dims_structure = flatten(dims)
    if dims_structure.kind is None:
        return [dims] * structure.count
    children = list(dims.values()) if isinstance(dims, dict) else list(dims)
    if (
        dims_structure.kind is not structure.kind
        or dims_structure.keys != structure.keys
        or len(children) != len(structure.children)
    ):
        return None
    parts = [
        spread(child, branch)
        for child, branch in zip(children, structure.children, strict=True)
    ]
    if any(part is None for part in parts):
        return None
    return [dim for part in parts for dim in part]  # type: ignore[union-attr]
