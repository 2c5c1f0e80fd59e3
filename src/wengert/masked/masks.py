"""What masked ops share: masks, and what stands in the place of what is masked out."""

from __future__ import annotations

from math import inf
from typing import Any

from ..dtypes import bool_, dtype
from ..limits import iinfo
from ..ops.selection import where
from ..tensor import Tensor

Dims = int | tuple[int, ...] | list[int] | None


def canonical_dims(dim: Dims, ndim: int) -> tuple[int, ...]:
    """Return dimensions counted from zero up, in their order; all for None and ()."""
    if dim is None or dim == ():
        return tuple(range(ndim))
    ndim = max(ndim, 1)
    found: list[int] = []
    for d in (dim,) if isinstance(dim, int) else dim:
        if d in found:
            raise RuntimeError(f"dim={d} appears multiple times in the list of dims")
        if not -ndim <= d < ndim:
            raise IndexError(
                f"Dimension out of range (expected to be in range of [{-ndim}, "
                f"{ndim - 1}], but got {d})"
            )
        found.append(d % ndim)
    return tuple(sorted(found))


def mask_of(input: Tensor, mask: Tensor) -> Tensor:
    """Return a mask of bools that has the input's shape."""
    if mask.shape != input.shape:
        if len(mask.shape) > len(input.shape):
            raise IndexError(
                "_input_mask expected broadcastable mask (got mask dimensionality "
                "higher than of the input)"
            )
        mask = mask.broadcast_to(tuple(input.shape))
    result: Tensor = mask.to(dtype=bool_)
    return result


def filled(op: str, input: Tensor, mask: Tensor | None, lowest: Any = 0) -> Tensor:
    """Put what an op takes no notice of in the place of what is masked out.

    Args:
        lowest: a number; or "low" or "high" for what is below or above all others.
    """
    if mask is None:
        return input
    whole = mask_of(input, mask)
    value = extreme(op, input.dtype, lowest) if isinstance(lowest, str) else lowest
    return where(whole, input, input.new_full((), value))


def extreme(op: str, kind: dtype, which: str) -> Any:
    """Return the lowest or highest value of a dtype."""
    if kind.is_floating_point:
        return -inf if which == "low" else inf
    if kind.is_complex and op == "logsumexp":
        return complex(-inf, 0)
    if kind.is_complex or kind is bool_:
        raise NotImplementedError(f"identity of {op} on {kind} input")
    limits = iinfo(kind)
    return limits.min if which == "low" else limits.max
