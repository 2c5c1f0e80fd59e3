"""Sizes that are given as one number for all dimensions, or one for each."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from itertools import repeat
from typing import Any


def ntuple(n: int) -> Callable[[Any], tuple[Any, ...]]:
    """Return a function that repeats a number n times, and keeps a sequence."""

    def spread(size: Any) -> tuple[Any, ...]:
        return tuple(size) if isinstance(size, Iterable) else tuple(repeat(size, n))

    return spread


single, pair, triple, quadruple = [ntuple(n) for n in (1, 2, 3, 4)]
_ntuple, _single, _pair, _triple, _quadruple = ntuple, single, pair, triple, quadruple


def reversed_twice(sizes: Iterable[int]) -> list[int]:
    """Return each size twice, the last dimension first: what `functional.pad` takes."""
    return [size for size in reversed(tuple(sizes)) for _ in range(2)]


_reverse_repeat_tuple = reversed_twice
