"""The ranges that random numbers of a dtype may come from, and errors for others."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy import ndarray

# the names that PyTorch's messages use
_C_NAMES = {
    "b1": "bool",
    "u1": "unsigned char",
    "u2": "short unsigned int",
    "u4": "unsigned int",
    "u8": "long unsigned int",
    "i1": "signed char",
    "i2": "short int",
    "i4": "int",
    "i8": "long int",
    "f2": "c10::Half",
    "f4": "float",
    "f8": "double",
}
_CATEGORIES = {"f2": "Half", "f4": "Float", "f8": "Double"}


def require(condition: object, message: str) -> None:
    """Raise RuntimeError with this message unless the condition holds."""
    if not condition:
        raise RuntimeError(message)


def largest_count(dtype: np.dtype[Any]) -> int:
    """The largest integer such that all from 0 on are numbers of this dtype."""
    if dtype.kind == "f":
        return 1 << (np.finfo(dtype).nmant + 1)
    return _limits(dtype)[1]


def _limits(dtype: np.dtype[Any]) -> tuple[int, int]:
    if dtype.kind == "b":
        return 0, 1
    if dtype.kind == "f":
        largest = int(np.finfo(dtype).max)
        return -largest, largest
    limits = np.iinfo(dtype)
    return int(limits.min), int(limits.max)


def integer_range(low: int, high: int, dtype: np.dtype[Any]) -> tuple[int, int]:
    """The bounds of [low, high), moved inwards where rounding to `dtype` leaves it.

    Raises:
        RuntimeError: there are no numbers in between, or numbers that `dtype` has not.
    """
    smallest, largest = _limits(dtype)
    name = _C_NAMES[dtype.str[1:]]
    require(
        low < high,
        f"random_ expects 'from' to be less than 'to', but got from={low} >= to={high}",
    )
    require(smallest <= low <= largest, f"from is out of bounds for {name}")
    require(smallest <= high - 1 <= largest, f"to - 1 is out of bounds for {name}")
    if dtype.kind == "f":
        low, high = _rounded_inwards(low, high, dtype.type)
    require(
        low < high,
        "random_ expects 'from' casted to dtype to be less than 'to' casted to dtype, "
        f"but got from={low} >= to={high}",
    )
    return low, high


def _rounded_inwards(
    low: int, high: int, kind: type[np.floating[Any]]
) -> tuple[int, int]:
    after_low, before_high = kind(low + 1), kind(high - 1)
    # as integers: comparing with `kind` would round the other side, too
    if int(after_low) < low:
        low = int(np.nextafter(after_low, kind(np.inf)))
    if int(before_high) >= high:
        high = int(np.nextafter(before_high, kind(-np.inf)))
    return low, high


def check_interval(low: float, high: float, dtype: np.dtype[Any]) -> None:
    """Raise RuntimeError unless floats of `dtype` can come from [low, high)."""
    key = dtype.str[1:]
    largest = float(np.finfo(dtype).max)
    require(-largest <= low <= largest, f"from is out of bounds for {_C_NAMES[key]}")
    require(-largest <= high <= largest, f"to is out of bounds for {_C_NAMES[key]}")
    require(
        low <= high,
        "uniform_ expects to return a [from, to) range, "
        f"but found from={low:g} > to={high:g}",
    )
    require(
        high - low <= largest,
        f"uniform_ expects to-from <= std::numeric_limits<{_CATEGORIES[key]}>::max(), "
        f"but found to={high:g} and from={low:g} which result in to-from to exceed the "
        "limit",
    )


def improbable(probs: ndarray, by_sum: bool) -> str:
    """Return what is wrong with probabilities.

    Args:
        by_sum: they are to be looked for in their sums, which are made one by one.
    """
    if not by_sum:
        return "probability tensor contains either `inf`, `nan` or element < 0"
    wrong = probs[~((probs >= 0) & (probs < np.inf))]
    entry = "= infinity or NaN" if np.inf in wrong[:1] else "< 0"
    return f"invalid multinomial distribution (encountering probability entry {entry})"


def check_probabilities(probs: ndarray, num_samples: int, replacement: bool) -> None:
    """Raise RuntimeError unless `num_samples` can be drawn with these probabilities."""
    require(1 <= probs.ndim <= 2, "prob_dist must be 1 or 2 dim")
    require(num_samples > 0, "cannot sample n_sample <= 0 samples")
    require(
        replacement or num_samples <= probs.shape[-1],
        "cannot sample n_sample > prob_dist.size(-1) samples without replacement",
    )
    require(
        ((probs >= 0) & (probs < np.inf)).all(),
        improbable(probs, by_sum=replacement and num_samples > 1),
    )
    require(
        (probs.sum(-1) > 0).all(),
        "invalid multinomial distribution (sum of probabilities <= 0)",
    )
