"""Complex numbers: their parts, from their parts, and as pairs of real numbers.

Note [Gradients of complex numbers]
    The gradient of a real loss L by z = x + iy is ∂L/∂x + i ∂L/∂y. So a holomorphic op
    with the derivative d takes a gradient g to g·conj(d), and an op that is not
    holomorphic is treated as a function of the two real numbers x and y. Fitting takes
    the real part of what reaches a real input, and makes the gradient of a complex one
    complex.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy import ndarray

from .copying import zeros_like
from .op import elementwise, view
from .selection import masked, ne

# --- the parts ------------------------------------------------------------------------

real = view(
    "real",
    lambda self: self.real,
    lambda grad: grad,
    grad_fn="SelectBackward0",
    batch=lambda _size, _batched, self: real(self),
)
imag = view(
    "imag",
    lambda self: self.imag,
    lambda grad: grad * 1j,
    grad_fn="SelectBackward0",
    batch=lambda _size, _batched, self: imag(self),
)


def joined(real: Any, imag: Any) -> ndarray:
    """Return complex numbers with these real and imaginary parts."""
    shape = np.broadcast_shapes(real.shape, imag.shape)
    result = np.empty(shape, np.result_type(real.dtype, np.complex64))
    result.real = real
    result.imag = imag
    return result


complex = elementwise(
    "complex",
    joined,
    inputs=("real", "imag"),
    vjp_real=lambda grad: real(grad),
    vjp_imag=lambda grad: imag(grad),
    jvp=lambda real_t, imag_t: complex(real_t, imag_t),
)


# --- conjugate and angle --------------------------------------------------------------

conj = elementwise(
    "conj",
    np.conjugate,
    vjp=lambda grad: grad.conjugate(),
    jvp=lambda self_t: self_t.conjugate(),
)
conj_physical = elementwise(
    "conj_physical",
    np.conjugate,
    vjp=lambda grad: grad.conjugate(),
    jvp=lambda self_t: self_t.conjugate(),
)


def _angle(self: ndarray) -> Any:
    if self.dtype.kind == "c":
        return np.arctan2(self.imag, self.real)
    flat = np.where(self < 0, self.dtype.type(np.pi), self.dtype.type(0))
    return np.where(np.isnan(self), self, flat)


def _angle_vjp(grad: Any, self: Any, self_dtype: Any) -> Any:
    if self_dtype.kind != "c":
        return zeros_like(grad)
    return masked(grad * 1j / self.conjugate(), ne(self, 0))


def _angle_jvp(self_t: Any, self: Any, self_dtype: Any) -> Any:
    if self_dtype.kind != "c":
        return zeros_like(self_t)
    return imag(masked(self_t / self, ne(self, 0)))


angle = elementwise("angle", _angle, promote="float", vjp=_angle_vjp, jvp=_angle_jvp)

# --- as pairs of real numbers ---------------------------------------------------------


def _view_as_real(self: ndarray) -> ndarray:
    return self[..., None].view(self.real.dtype)


def _view_as_complex(self: ndarray) -> Any:
    if self.strides[-1] != self.itemsize:
        return joined(self[..., 0], self[..., 1])
    return self.view(np.result_type(self.dtype, np.complex64))[..., 0]


view_as_real = view(
    "view_as_real",
    _view_as_real,
    lambda grad: view_as_complex(grad),
    batch=lambda _size, _batched, self: view_as_real(self),
)
view_as_complex = view(
    "view_as_complex",
    _view_as_complex,
    lambda grad: view_as_real(grad),
    batch=lambda _size, _batched, self: view_as_complex(self),
)
