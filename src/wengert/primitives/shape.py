"""Ops that arrange the dimensions of an array anew, in the same memory where possible.

Note [Views and memory]
    NumPy decides what is a view: a primitive declared with `view` returns one wherever
    NumPy can, and only then its result becomes a view of the tensor. So a rule may call
    ``.reshape`` on gradients of any memory layout.
"""

from __future__ import annotations

from typing import Any

from numpy import ndarray

from .fitting import sum_to
from .op import linear, nondifferentiable, view
from .strided import restrided

Shape = tuple[int, ...]

# --- the same elements in the same order ----------------------------------------------


def back_to_shape(grad: Any, self_shape: Shape) -> Any:
    """Give the gradient the shape of the input."""
    return grad.reshape(self_shape)


def _reshape(self: ndarray, *, shape: Shape) -> ndarray:
    return self.reshape(shape)


reshape = view("view", _reshape, back_to_shape)
reshape_copy = linear(
    "unsafe_view", _reshape, back_to_shape, grad_fn="UnsafeViewBackward0"
)
alias = view("alias", lambda self: self[...], lambda grad: grad)


def _unsqueeze(self: ndarray, *, dim: int) -> ndarray:
    return self[(slice(None),) * dim + (None, ...)]


unsqueeze = view("unsqueeze", _unsqueeze, back_to_shape)


def squeezing(name: str, grad_fn: str) -> Any:
    """Declare one of the forms of squeeze: ``dims`` are dimensions of size 1."""
    return view(
        name,
        lambda self, *, dims: self.squeeze(dims) if dims else self[...],
        lambda grad, self_shape: grad.reshape(self_shape),
        grad_fn=grad_fn,
    )


squeeze_all = squeezing("squeeze", "SqueezeBackward0")
squeeze_dim = squeezing("squeeze_dim", "SqueezeBackward1")
squeeze_dims = squeezing("squeeze_dims", "SqueezeBackward2")

# --- the dimensions in another order --------------------------------------------------


def inverse(dims: Shape) -> Shape:
    """Return the permutation that undoes one."""
    return tuple(sorted(range(len(dims)), key=dims.__getitem__))


def _permute(self: ndarray, *, dims: Shape) -> ndarray:
    return self.transpose(dims)


permute = view(
    "permute", _permute, lambda grad, dims: permute(grad, dims=inverse(dims))
)


def _transpose(self: ndarray, *, dim0: int, dim1: int) -> ndarray:
    return self.swapaxes(dim0, dim1)


transpose = view(
    "transpose",
    _transpose,
    lambda grad, dim0, dim1: transpose(grad, dim0=dim0, dim1=dim1),
)
t = view("t", lambda self: self.transpose(), lambda grad: t(grad))

# --- one element for many -------------------------------------------------------------


def _expand(self: ndarray, *, shape: Shape) -> ndarray:
    lead = len(shape) - self.ndim
    strides = [0] * lead
    for stride, size, wanted in zip(
        self.strides, self.shape, shape[lead:], strict=True
    ):
        strides.append(stride if size == wanted else 0)
    return restrided(self, shape, tuple(strides))


expand = view("expand", _expand, lambda grad, self_shape: sum_to(grad, self_shape))

# --- the same memory as another dtype -------------------------------------------------


view_dtype = nondifferentiable("view_dtype", lambda self, *, dtype: self.view(dtype))
