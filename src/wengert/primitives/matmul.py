"""Products of matrices and vectors.

BLAS reads transposed matrices as they are, so the rules transpose views and copy
nothing. For two matrices ``a.dot(b)`` has less than half the overhead of ``a @ b``.
"""

from __future__ import annotations

from collections.abc import Callable
from math import prod
from typing import Any

import numpy as np
from numpy import ndarray

from ..dtypes import from_numpy
from ..errors import not_broadcastable, not_expandable
from ..quick.products import affine
from .fitting import sum_to
from .op import bilinear, fused, with_names

Shape = tuple[int, ...]

UNUSUAL = "e?"
"""The dtypes of which `dot` makes no product, or a bad one."""


def adjoint(matrix: Any) -> Any:
    """Return the conjugate transpose."""
    return matrix.mT.conjugate()


def product(a: ndarray, b: ndarray) -> Any:
    """Multiply two arrays of which neither has more than two dimensions."""
    if a.dtype is not b.dtype or a.dtype.char in UNUSUAL:
        return unusual_product(product, a, b)
    try:
        return a.dot(b)
    except ValueError:
        raise not_multipliable(a.shape, b.shape) from None


def batched_product(a: ndarray, b: ndarray) -> ndarray:
    """Multiply stacks of matrices, broadcast against each other."""
    if a.dtype is not b.dtype or a.dtype.char in UNUSUAL:
        return unusual_product(batched_product, a, b)
    if b.ndim == 2:
        return product(rows(a), b).reshape(*a.shape[:-1], b.shape[1])
    if a.shape[-1] == b.shape[-2] == 1:
        return outer_products(a, b)
    try:
        return np.matmul(a, b)
    except ValueError:
        raise not_multipliable(a.shape, b.shape) from None


def outer_products(columns: ndarray, rows: ndarray) -> ndarray:
    """Multiply stacks of columns by stacks of rows.

    NumPy calls BLAS for matrices with two columns, but not for a single one: with a
    second one of zeros, products of 128x128 elements take a third of the time.
    """
    height, width = columns.shape[-2], rows.shape[-1]
    if height * width < 256 or columns.dtype.char not in "fd":
        return columns * rows
    left = np.zeros((*columns.shape[:-2], 2, height), columns.dtype)
    left[..., 0, :] = columns[..., 0]
    right = np.zeros((*rows.shape[:-2], 2, width), rows.dtype)
    right[..., :1, :] = rows
    return np.matmul(left.mT, right)


def unusual_product(compute: Callable[..., Any], a: ndarray, b: ndarray) -> Any:
    """Multiply arrays of a dtype that BLAS does not have."""
    if a.dtype != b.dtype:
        raise RuntimeError(
            "expected m1 and m2 to have the same dtype, but got: "
            f"{from_numpy(a.dtype).c_name} != {from_numpy(b.dtype).c_name}"
        )
    if a.dtype.char == "?" and a.size and b.size:
        raise NotImplementedError(
            "\"addmm_impl_cpu_\" not implemented for 'Bool': convert the matrices "
            "with .int()"
        )
    wide = np.dtype({"e": "f", "?": "B"}.get(a.dtype.char, a.dtype.char))
    return compute(a.astype(wide), b.astype(wide)).astype(a.dtype, copy=False)


def not_multipliable(a: Shape, b: Shape) -> RuntimeError:
    """Return the error about shapes that do not fit."""
    if len(a) == len(b) == 1:
        return RuntimeError(
            f"inconsistent tensor size, expected tensor [{a[0]}] and src [{b[0]}] to "
            f"have the same number of elements, but got {a[0]} and {b[0]} elements "
            "respectively"
        )
    if len(b) == 1:
        return RuntimeError(
            f"size mismatch, got input ({a[0]}), mat ({a[0]}x{a[1]}), vec ({b[0]})"
        )
    if len(a) <= 2 and len(b) == 2:
        rows, columns = (1, *a)[-2:]
        return RuntimeError(
            "mat1 and mat2 shapes cannot be multiplied "
            f"({rows}x{columns} and {b[0]}x{b[1]})"
        )
    if a[-1] != b[-2]:
        return RuntimeError(
            f"Expected size for first two dimensions of batch2 tensor to be: "
            f"{[*a[:-2], a[-1]]} but got: {[*b[:-2], b[-2]]}."
        )
    return not_broadcastable(a[:-2], b[:-2])


# --- two matrices, matrix and vector, two vectors -------------------------------------

mm = bilinear(
    "mm",
    product,
    inputs=("self", "mat2"),
    vjp_self=lambda grad, mat2: mm(grad, adjoint(mat2)),
    vjp_mat2=lambda grad, self: mm(adjoint(self), grad),
)
mv = bilinear(
    "mv",
    product,
    inputs=("self", "vec"),
    vjp_self=lambda grad, vec: grad.reshape((-1, 1)) * vec.conjugate(),
    vjp_vec=lambda grad, self: mv(adjoint(self), grad),
)
vm = bilinear(
    "vm",
    product,
    inputs=("vec", "self"),
    vjp_vec=lambda grad, self: mv(self.conjugate(), grad),
    vjp_self=lambda grad, vec: vec.conjugate().reshape((-1, 1)) * grad,
    grad_fn="SqueezeBackward4",
)
dot = bilinear(
    "dot",
    product,
    inputs=("self", "tensor"),
    vjp_self=lambda grad, tensor: grad * tensor.conjugate(),
    vjp_tensor=lambda grad, self: grad * self.conjugate(),
)
vdot = fused(
    "vdot",
    lambda self, other: product(self.conjugate(), other),
    inputs=("self", "other"),
    vjp_self=lambda grad, other: grad.conjugate() * other,
    vjp_other=lambda grad, self: grad * self,
)
"""The product of the first vector's conjugate and the second: linear in that alone."""

# --- stacks of matrices ---------------------------------------------------------------

bmm = bilinear(
    "bmm",
    batched_product,
    inputs=("self", "mat2"),
    vjp_self=lambda grad, mat2: bmm(grad, adjoint(mat2)),
    vjp_mat2=lambda grad, self: bmm(adjoint(self), grad),
)


def matmul_vjp_self(grad: Any, other: Any, self_shape: Shape) -> Any:
    return sum_to(matmul(grad, adjoint(other)), self_shape)


def matmul_vjp_other(grad: Any, self: Any, other_shape: Shape) -> Any:
    if len(other_shape) > 2:
        return sum_to(matmul(adjoint(self), grad), other_shape)
    return mm(adjoint(rows(self)), rows(grad))


def rows(stack: Any) -> Any:
    """Return a stack of matrices as one matrix with the rows of all."""
    if stack.ndim == 2:
        return stack
    *batch, width = stack.shape
    return stack.reshape((prod(batch), width))


matmul = bilinear(
    "matmul",
    batched_product,
    vjp_self=matmul_vjp_self,
    vjp_other=matmul_vjp_other,
    grad_fn="UnsafeViewBackward0",
)
"""Of stacks of matrices, and of a stack with one matrix, which is a single product."""

# --- a product added to something -----------------------------------------------------


def added(
    name: str,
    multiply: Callable[[Any, Any], Any],
    inputs: tuple[str, str, str],
    vjp_a: Callable[[Any, Any], Any],
    vjp_b: Callable[[Any, Any], Any],
) -> Any:
    """Declare an op such as ``addmm``: beta * input + alpha * multiply(a, b).

    Args:
        inputs: the names of input, a and b.
        vjp_a: the cotangent of a, of the cotangent of the product and b.
        vjp_b: the cotangent of b, of the cotangent of the product and a.
    """
    first, a, b = inputs

    def forward(self: Any, a: Any, b: Any, *, beta: Any, alpha: Any) -> Any:
        result = multiply(a, b)
        if alpha != 1:
            result = result * alpha
        if beta == 0:
            return result
        return result + (self if beta == 1 else beta * self)

    rules: dict[str, Any] = {
        f"vjp_{first}": with_names(
            lambda grad, beta, shape: times(sum_to(grad, shape), beta),
            ("grad", "beta", f"{first}_shape"),
        ),
        f"vjp_{a}": with_names(
            lambda grad, other, alpha: times(vjp_a(grad, other), alpha),
            ("grad", b, "alpha"),
        ),
        f"vjp_{b}": with_names(
            lambda grad, other, alpha: times(vjp_b(grad, other), alpha),
            ("grad", a, "alpha"),
        ),
    }
    return fused(name, forward, inputs=inputs, **rules)


def times(value: Any, factor: Any) -> Any:
    """Multiply by a number's conjugate, which is mostly one."""
    return value if factor == 1 else value * factor.conjugate()


addmm = added(
    "addmm",
    product,
    ("self", "mat1", "mat2"),
    lambda grad, mat2: mm(grad, adjoint(mat2)),
    lambda grad, mat1: mm(adjoint(mat1), grad),
)
addmv = added(
    "addmv",
    product,
    ("self", "mat", "vec"),
    lambda grad, vec: grad.reshape((-1, 1)) * vec.conjugate(),
    lambda grad, mat: mv(adjoint(mat), grad),
)
addr = added(
    "addr",
    np.multiply.outer,
    ("self", "vec1", "vec2"),
    lambda grad, vec2: mv(grad, vec2.conjugate()),
    lambda grad, vec1: mv(grad.mT, vec1.conjugate()),
)
baddbmm = added(
    "baddbmm",
    batched_product,
    ("self", "batch1", "batch2"),
    lambda grad, batch2: bmm(grad, adjoint(batch2)),
    lambda grad, batch1: bmm(adjoint(batch1), grad),
)


def summed_product(a: ndarray, b: ndarray) -> ndarray:
    """Return the sum of the products of two stacks of matrices, as one product."""
    wide = a.transpose(1, 0, 2).reshape(a.shape[1], -1)
    return product(wide, rows(b))


addbmm = added(
    "addbmm",
    summed_product,
    ("self", "batch1", "batch2"),
    lambda grad, batch2: matmul(grad, adjoint(batch2)),
    lambda grad, batch1: matmul(adjoint(batch1), grad),
)

# --- linear layers --------------------------------------------------------------------


def _linear(input: ndarray, weight: ndarray, bias: ndarray | None = None) -> ndarray:
    result: ndarray
    try:
        if input.ndim == 2:
            result = product(input, weight.T)
        else:
            flat = product(rows(input), weight.T)
            result = flat.reshape(*input.shape[:-1], weight.shape[0])
    except RuntimeError:
        if bias is None or input.dtype == weight.dtype:
            raise
        kinds = [from_numpy(each.dtype).scalar_type for each in (input, weight)]
        raise RuntimeError(
            f"mat1 and mat2 must have the same dtype, but got {' and '.join(kinds)}"
        ) from None
    if bias is not None:
        try:
            result += bias
        except ValueError:
            raise not_expandable(bias.shape, result.shape) from None
    return result


def _input_grad(grad: ndarray, weight: ndarray) -> ndarray:
    if grad.ndim == 2:
        return product(grad, weight)
    return product(rows(grad), weight).reshape(*grad.shape[:-1], weight.shape[1])


def _weight_grad(grad: ndarray, input: ndarray) -> Any:
    return product(rows(grad).T, rows(input))


# Each of a linear layer's two rules is a product of the other two arrays, and so are
# their rules: none needs more than one op, on any layer.

input_grad = bilinear(
    "linear_input_grad",
    _input_grad,
    inputs=("self", "weight"),
    vjp_self=lambda grad, weight: linear(grad, weight.conjugate()),
    vjp_weight=lambda grad, self: weight_grad(self.conjugate(), grad),
    grad_fn="MmBackward0",
)
weight_grad = bilinear(
    "linear_weight_grad",
    _weight_grad,
    inputs=("self", "input"),
    vjp_self=lambda grad, input: linear(input.conjugate(), grad),
    vjp_input=lambda grad, self: input_grad(self.conjugate(), grad),
    grad_fn="MmBackward0",
)


def linear_op(name: str, biased: bool, grad_fn: str) -> Any:
    """Declare a form of ``linear``: they differ in their nodes' names."""
    rules: dict[str, Any] = {
        "vjp_input": lambda grad, weight: input_grad(grad, weight.conjugate()),
        "vjp_weight": lambda grad, input: weight_grad(grad, input.conjugate()),
        "jvp_input": lambda input_t, weight: linear(input_t, weight),
        "jvp_weight": lambda weight_t, input: linear(input, weight_t),
    }
    if biased:
        rules["vjp_bias"] = lambda grad, bias_shape: sum_to(grad, bias_shape)
        rules["jvp_bias"] = lambda bias_t: bias_t
    inputs = ("input", "weight", "bias") if biased else ("input", "weight")
    return fused(name, _linear, inputs=inputs, grad_fn=grad_fn, quick=affine, **rules)


linear = linear_op("linear", False, "MmBackward0")
linear_with_bias = linear_op("linear_with_bias", True, "AddmmBackward0")
linear_of_stack = linear_op("linear_of_stack", False, "UnsafeViewBackward0")
linear_of_stack_with_bias = linear_op(
    "linear_of_stack_with_bias", True, "ViewBackward0"
)
