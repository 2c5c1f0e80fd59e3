"""Where in a node an element is read: indices that are affine in a kernel's axes.

An `Index` is ``constant + sum(coefficient * variable)``; a variable is a kernel's axis
(its number) or a `Dynamic`, an element of an integer node (what ``gather`` reads with).
A *place* is a tuple of indices, one a dim. Reading through a view maps a place in the
view to a place in its operand: `through_view`. So views cost nothing: they disappear
into the addresses of loads.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import prod
from typing import TypeAlias

from .graph import Node, Shape


@dataclass(frozen=True)
class Dynamic:
    """The element of an integer ``node`` at ``place``: an index below ``size``."""

    node: Node
    place: Place
    size: int


Variable: TypeAlias = "int | Dynamic"


@dataclass(frozen=True)
class Index:
    constant: int = 0
    terms: tuple[tuple[Variable, int], ...] = ()

    def scaled(self, factor: int) -> Index:
        if factor == 0:
            return ZERO
        terms = tuple((v, c * factor) for v, c in self.terms)
        return Index(self.constant * factor, terms)

    def plus(self, other: Index) -> Index:
        found = dict(self.terms)
        for variable, coefficient in other.terms:
            found[variable] = found.get(variable, 0) + coefficient
        terms = tuple((v, c) for v, c in found.items() if c)
        return Index(self.constant + other.constant, terms)


Place: TypeAlias = "tuple[Index, ...]"
ZERO = Index()


def axis(number: int) -> Index:
    return Index(0, ((number, 1),))


def natural_place(shape: Shape, axes: tuple[int, ...]) -> Place:
    """The place where the dims of ``shape`` larger than one are ``axes``, in order."""
    remaining = iter(axes)
    return tuple(ZERO if n == 1 else axis(next(remaining)) for n in shape)


def address(place: Place, strides: tuple[int, ...]) -> Index:
    """The element's offset in a buffer with ``strides``."""
    total = ZERO
    for index, stride in zip(place, strides, strict=True):
        total = total.plus(index.scaled(stride))
    return total


def contiguous_strides(shape: Shape) -> tuple[int, ...]:
    return tuple(prod(shape[d + 1 :]) for d in range(len(shape)))


def through_view(view: Node, place: Place, sizes: tuple[int, ...]) -> Place | None:
    """The place in ``view``'s operand; None where it is not affine.

    ``sizes`` are the extents of the axes.
    """
    (x,) = view.inputs
    if view.op == "expand":
        offset = len(place) - len(x.shape)
        return tuple(
            ZERO if n == 1 else place[offset + d] for d, n in enumerate(x.shape)
        )
    if view.op == "permute":
        result = [ZERO] * len(place)
        for d, index in zip(view.params["dims"], place, strict=True):
            result[d] = index
        return tuple(result)
    if view.op == "slice":
        p = view.params
        return tuple(
            index.scaled(step).plus(Index(start))
            for index, start, step in zip(place, p["starts"], p["steps"], strict=True)
        )
    return _through_reshape(view.shape, x.shape, place, sizes)


def _through_reshape(
    new: Shape, old: Shape, place: Place, sizes: tuple[int, ...]
) -> Place | None:
    result: list[Index] = [ZERO] * len(old)
    for new_dims, old_dims in _matching_runs(new, old):
        flat = ZERO
        for d in new_dims:
            flat = flat.scaled(new[d]).plus(place[d])
        for d in reversed(old_dims[1:]):
            parts = _divide(flat, old[d], sizes)
            if parts is None:
                return None
            flat, result[d] = parts
        if old_dims:
            result[old_dims[0]] = flat
    return tuple(result)


def _matching_runs(new: Shape, old: Shape) -> list[tuple[list[int], list[int]]]:
    """Runs of dims (without those of size one) that hold the same elements."""
    news = [d for d, n in enumerate(new) if n != 1]
    olds = [d for d, n in enumerate(old) if n != 1]
    runs = []
    while news and olds:
        a, b = [news.pop(0)], [olds.pop(0)]
        while (size_a := prod(new[d] for d in a)) != (
            size_b := prod(old[d] for d in b)
        ):
            if size_a < size_b:
                a.append(news.pop(0))
            else:
                b.append(olds.pop(0))
        runs.append((a, b))
    return runs


def _divide(
    index: Index, divisor: int, sizes: tuple[int, ...]
) -> tuple[Index, Index] | None:
    """Quotient and remainder, where the terms fall apart into the two."""
    quotient, remainder = [], []
    largest = index.constant % divisor
    for variable, coefficient in index.terms:
        if coefficient % divisor == 0:
            quotient.append((variable, coefficient // divisor))
            continue
        size = variable.size if isinstance(variable, Dynamic) else sizes[variable]
        if coefficient < 0:
            return None
        largest += coefficient * (size - 1)
        remainder.append((variable, coefficient))
    if largest >= divisor:
        return None
    high, low = divmod(index.constant, divisor)
    return Index(high, tuple(quotient)), Index(low, tuple(remainder))
