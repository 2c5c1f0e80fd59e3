"""Hashes of the elements of tensors."""

from __future__ import annotations

from typing import Any

from ..primitives.bitwise import hash_of
from ..tensor import Tensor
from .arguments import normalize_dims
from .public import op


@op()
def hash_tensor(
    input: Tensor, dim: Any = (), *, keepdim: bool = False, mode: int = 0
) -> Tensor:
    """Return the exclusive or of all elements, as the bits of 64-bit numbers.

    Args:
        dim: a dimension or several; none means all.
        keepdim: keep the reduced dimensions, with size 1.
        mode: 0.

    >>> import wengert as torch
    >>> torch.hash_tensor(torch.tensor([1, 2, 4])).item()
    7
    """
    if mode != 0:
        raise RuntimeError(f"Unknown hash_tensor mode: {mode}")
    dims = normalize_dims(None if dim == () else dim, len(input.shape))
    if dim == () and 0 in input.shape:
        raise RuntimeError(
            "hash_tensor: Expected reduction dim to be specified for input.numel() == "
            "0. Specify the reduction dim with the 'dim' argument."
        )
    if input.dtype.is_complex:
        kind = input.dtype.scalar_type
        raise NotImplementedError(f"\"xor_sum_cpu\" not implemented for '{kind}'")
    reduced = dims if input.shape else ()
    result: Tensor = hash_of(input, dim=reduced, keepdim=keepdim)
    return result
