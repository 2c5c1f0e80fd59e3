"""Fourier transforms, along one or several dimensions ``dim``.

There are three: of complex numbers, of real ones, and to real ones, as in PyTorch. Each
is linear, and its transpose is the transform in the other direction with the same
``normalization``: 0 for none, 1 for the root of the number of elements, 2 for it.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy import ndarray

from .complex import real
from .dims import Shape
from .elementwise import mul
from .op import linear
from .padding import constant_pad

NORMS = {
    True: ("backward", "ortho", "forward"),
    False: ("forward", "ortho", "backward"),
}
"""NumPy's names of the normalizations, by whether the transform is the forward one."""

LARGE = 4096
"""From so many elements on it pays to load SciPy's transforms, if it is installed."""


def library(self: ndarray) -> Any:
    """Return the module of transforms: SciPy's are three times as quick as NumPy's."""
    if self.size < LARGE:
        return np.fft
    try:
        import scipy.fft
    except ImportError:
        return np.fft
    return scipy.fft


def transformed(
    name: str, self: ndarray, dim: Shape, norm: str, last: int | None = None
) -> ndarray:
    """Call the transform of a name; one dimension alone takes a third of the time.

    Args:
        last: the size of the last dimension of the result, if it is to be told.
    """
    result: ndarray
    if len(dim) == 1:
        result = getattr(library(self), name)(self, last, dim[0], norm)
    else:
        sizes = None if last is None else [*[self.shape[d] for d in dim[:-1]], last]
        result = getattr(library(self), f"{name}n")(self, sizes, dim, norm)
    return result


def _fft_c2c(
    self: ndarray, *, dim: Shape, normalization: int, forward: bool
) -> ndarray:
    norm = NORMS[forward][normalization]
    return transformed("fft" if forward else "ifft", self, dim, norm)


fft_c2c = linear(
    "fft_c2c",
    _fft_c2c,
    lambda grad, dim, normalization, forward: fft_c2c(
        grad, dim=dim, normalization=normalization, forward=not forward
    ),
    grad_fn="FftC2CBackward0",
)


def _fft_r2c(
    self: ndarray, *, dim: Shape, normalization: int, onesided: bool
) -> ndarray:
    norm = NORMS[True][normalization]
    return transformed("rfft" if onesided else "fft", self, dim, norm)


def fft_r2c_transpose(
    grad: Any, self_shape: Shape, dim: Shape, normalization: int, onesided: bool
) -> Any:
    if onesided:
        last = dim[-1]
        margin = [0] * len(self_shape)
        margin[last] = self_shape[last] - grad.shape[last]
        none = (0,) * len(self_shape)
        grad = constant_pad(grad, before=none, after=tuple(margin), value=0)
    return real(fft_c2c(grad, dim=dim, normalization=normalization, forward=False))


fft_r2c = linear("fft_r2c", _fft_r2c, fft_r2c_transpose, grad_fn="FftR2CBackward0")


def _fft_c2r(
    self: ndarray, *, dim: Shape, normalization: int, last_dim_size: int
) -> ndarray:
    norm = NORMS[False][normalization]
    return transformed("irfft", self, dim, norm, last_dim_size)


def fft_c2r_transpose(
    grad: Any, dim: Shape, normalization: int, last_dim_size: int
) -> Any:
    half = fft_r2c(grad, dim=dim, normalization=normalization, onesided=True)
    last = dim[-1]
    after = len(half.shape) - last - 1
    return mul(half, multiplicities(last_dim_size).reshape((-1, *(1,) * after)))


def multiplicities(size: int) -> ndarray:
    """Return for each frequency of half a spectrum how often it is in the whole one.

    Twice, as itself and as its opposite, but for zero and, of even sizes, the highest.
    """
    result = np.full(size // 2 + 1, 2, np.float32)
    result[0] = 1
    if size % 2 == 0:
        result[-1] = 1
    return result


fft_c2r = linear("fft_c2r", _fft_c2r, fft_c2r_transpose, grad_fn="FftC2RBackward0")
