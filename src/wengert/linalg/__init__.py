"""Linear algebra, as ``torch.linalg``.

>>> import wengert as torch
>>> torch.linalg.det(torch.eye(2) * 2)
tensor(4.)
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..ops import (
    cholesky as _cholesky,
    decompositions as _decompositions,
    determinants as _determinants,
    matrix_functions as _matrix_functions,
    matrix_norms as _matrix_norms,
)
from ..ops.linalg import namespace as _functions

if TYPE_CHECKING:

    def __getattr__(name: str) -> Any: ...


__all__ = [
    "LinAlgError",
    "cholesky",
    "cholesky_ex",
    "cond",
    "cross",
    "det",
    "diagonal",
    "eig",
    "eigh",
    "eigvals",
    "eigvalsh",
    "householder_product",
    "inv",
    "inv_ex",
    "ldl_factor",
    "ldl_factor_ex",
    "ldl_solve",
    "lstsq",
    "lu",
    "lu_factor",
    "lu_factor_ex",
    "lu_solve",
    "matmul",
    "matrix_exp",
    "matrix_norm",
    "matrix_power",
    "matrix_rank",
    "multi_dot",
    "norm",
    "pinv",
    "qr",
    "slogdet",
    "solve",
    "solve_ex",
    "solve_triangular",
    "svd",
    "svdvals",
    "tensorinv",
    "tensorsolve",
    "vander",
    "vecdot",
    "vector_norm",
]

globals().update({name: _functions[name] for name in __all__})
