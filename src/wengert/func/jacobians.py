"""The unit vectors that Jacobians are computed with, and taking the results apart."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ..dispatch import numpy_dtype
from ..tensor import Tensor, plain


def sizes_of(tensors: Sequence[Tensor]) -> list[int]:
    """Return the numbers of elements."""
    return [int(np.prod(tuple(tensor.shape))) for tensor in tensors]


def basis_of(tensors: Sequence[Tensor]) -> list[Tensor]:
    """Return for each tensor its part of all unit vectors of all tensors' elements.

    The first dimension numbers the unit vectors, the others are those of the tensor.
    """
    sizes = sizes_of(tensors)
    total = sum(sizes)
    basis, start = [], 0
    for tensor, size in zip(tensors, sizes, strict=True):
        part = np.zeros((total, size), numpy_dtype(tensor))
        part[start : start + size] = np.eye(size, dtype=part.dtype)
        basis.append(plain(part.reshape(total, *tensor.shape)))
        start += size
    return basis


def split_columns(columns: Sequence[Any], tensors: Sequence[Tensor]) -> list[list[Any]]:
    """Take apart what was computed for all unit vectors, by the tensors they belong to."""
    pieces, start = [], 0
    for size in sizes_of(tensors):
        pieces.append([column[start : start + size] for column in columns])
        start += size
    return pieces
