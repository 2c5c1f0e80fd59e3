"""Products of matrices and vectors, and what is made of them."""

from __future__ import annotations

from typing import Any

from .. import dtypes, errors
from ..primitives import matmul as M
from ..tensor import Tensor
from .public import check_operand, op

BY_RANKS = {(2, 2): M.mm, (2, 1): M.mv, (1, 2): M.vm, (1, 1): M.dot}


@op()
def matmul(input: Tensor, other: Tensor) -> Tensor:
    """Return the product of matrices, of vectors, or of stacks of matrices.

    Args:
        input, other: tensors with dimensions. A vector stands for a row on the left,
            for a column on the right. Dimensions before the last two are broadcast.

    Raises:
        RuntimeError: the shapes do not fit, or the dtypes differ.

    >>> import wengert as torch
    >>> torch.tensor([[1, 2], [3, 4]]) @ torch.tensor([1, 1])
    tensor([3, 7])
    """
    if type(other) is not Tensor:
        check_operand("matmul", "other", 1, other)
    a, b = input.ndim, other.ndim
    multiply = BY_RANKS.get((a, b))
    if multiply is not None:
        return multiply(input, other)
    if not a or not b:
        raise RuntimeError(
            "both arguments to matmul need to be at least 1D, but they are "
            f"{a}D and {b}D"
        )
    if b == 1:
        return M.matmul(input, other.unsqueeze(1)).squeeze(-1)
    if a == 1:
        return M.matmul(input.unsqueeze(0), other).squeeze(-2)
    return M.matmul(input, other)


def operator_matmul(self: Tensor, other: Any) -> Any:
    return matmul(self, other) if hasattr(other, "ndim") else NotImplemented


def operator_rmatmul(self: Tensor, other: Any) -> Any:
    return matmul(other, self) if hasattr(other, "ndim") else NotImplemented


Tensor.__matmul__ = operator_matmul  # type: ignore[method-assign]
Tensor.__rmatmul__ = operator_rmatmul  # type: ignore[method-assign]


def check_ndim(tensor: Any, ndim: int, message: str) -> None:
    """Refuse a tensor with another number of dimensions."""
    if tensor.ndim != ndim:
        raise RuntimeError(message)


@op()
def mm(input: Tensor, mat2: Tensor) -> Tensor:
    """Return the product of two matrices.

    Raises:
        RuntimeError: they are not matrices, or do not fit.

    >>> import wengert as torch
    >>> torch.mm(torch.ones(1, 2), torch.ones(2, 1))
    tensor([[2.]])
    """
    check_ndim(input, 2, "self must be a matrix")
    check_ndim(mat2, 2, "mat2 must be a matrix")
    return M.mm(input, mat2)


@op()
def mv(input: Tensor, vec: Tensor) -> Tensor:
    """Return the product of a matrix and a vector.

    Raises:
        RuntimeError: they are not a matrix and a vector, or do not fit.

    >>> import wengert as torch
    >>> torch.mv(torch.ones(2, 3), torch.ones(3))
    tensor([3., 3.])
    """
    if (input.ndim, vec.ndim) != (2, 1):
        raise RuntimeError(
            f"vector + matrix @ vector expected, got 1, {input.ndim}, {vec.ndim}"
        )
    return M.mv(input, vec)


@op()
def bmm(input: Tensor, mat2: Tensor) -> Tensor:
    """Return the products of two stacks of as many matrices.

    Raises:
        RuntimeError: they are not stacks, or do not fit.

    >>> import wengert as torch
    >>> torch.bmm(torch.ones(2, 1, 3), torch.ones(2, 3, 1)).shape
    torch.Size([2, 1, 1])
    """
    check_stacks(input, mat2)
    return M.bmm(input, mat2)


def check_stacks(batch1: Tensor, batch2: Tensor) -> None:
    """Refuse what are not stacks of as many matrices that fit."""
    check_ndim(batch1, 3, "batch1 must be a 3D tensor")
    check_ndim(batch2, 3, "batch2 must be a 3D tensor")
    n, _, k = batch1.shape
    if tuple(batch2.shape[:2]) != (n, k):
        raise RuntimeError(
            f"Expected size for first two dimensions of batch2 tensor to be: [{n}, {k}]"
            f" but got: {list(batch2.shape[:2])}."
        )


def check_vectors(a: Tensor, b: Tensor) -> None:
    """Refuse what are not two vectors of one dtype."""
    if a.ndim != 1 or b.ndim != 1:
        raise RuntimeError(
            f"1D tensors expected, but got {a.ndim}D and {b.ndim}D tensors"
        )
    if a.dtype is not b.dtype:
        raise RuntimeError(
            "dot : expected both vectors to have same dtype, but found "
            f"{a.dtype.scalar_type} and {b.dtype.scalar_type}"
        )


@op()
def dot(input: Tensor, tensor: Tensor) -> Tensor:
    """Return the sum of the products of two vectors' elements.

    Raises:
        RuntimeError: they are not vectors of one length and dtype.

    >>> import wengert as torch
    >>> torch.dot(torch.tensor([1, 2]), torch.tensor([3, 4]))
    tensor(11)
    """
    check_vectors(input, tensor)
    return M.dot(input, tensor)


@op()
def vdot(input: Tensor, other: Tensor) -> Tensor:
    """Return the dot product of the first vector's conjugate and the second.

    Raises:
        RuntimeError: they are not vectors of one length and dtype.

    >>> import wengert as torch
    >>> torch.vdot(torch.tensor([1j]), torch.tensor([1j]))
    tensor(1.+0.j)
    """
    check_vectors(input, other)
    return (M.vdot if input.is_complex() else M.dot)(input, other)


@op("ger")
def outer(input: Tensor, vec2: Tensor) -> Tensor:
    """Return the products of all pairs of elements of two vectors.

    Raises:
        RuntimeError: they are not vectors.

    >>> import wengert as torch
    >>> torch.outer(torch.tensor([1, 2]), torch.tensor([3, 4]))
    tensor([[3, 4],
            [6, 8]])
    """
    for name, vector in (("self", input), ("vec2", vec2)):
        check_ndim(
            vector,
            1,
            f"outer: Expected 1-D argument {name}, but got {vector.ndim}-D",
        )
    return input.unsqueeze(1) * vec2


# --- a product added to something -----------------------------------------------------


def check_addend(input: Tensor, shape: tuple[int, ...], *factors: Tensor) -> None:
    """Refuse what cannot be added to a product: another dtype, or too large a shape."""
    for factor in factors:
        if factor.dtype is not input.dtype:
            raise RuntimeError(
                "self and mat2 must have the same dtype, but got "
                f"{input.dtype.scalar_type} and {factor.dtype.scalar_type}"
            )
    check_expandable(tuple(input.shape), shape)


def check_expandable(shape: tuple[int, ...], wanted: tuple[int, ...]) -> None:
    """Refuse a shape that cannot be broadcast to another."""
    lead = len(wanted) - len(shape)
    for i, size in enumerate(shape):
        if lead < 0 or size not in (1, wanted[lead + i]):
            raise errors.not_expandable(shape, wanted)


def integral(input: Tensor, **numbers: Any) -> dict[str, Any]:
    """Return alpha and beta as integers, if the tensor's elements are."""
    if input.dtype.category > dtypes.INT:
        return numbers
    return {name: int(number) for name, number in numbers.items()}


@op(inplace=True)
def addmm(
    input: Tensor, mat1: Tensor, mat2: Tensor, *, beta: Any = 1, alpha: Any = 1
) -> Tensor:
    """Return beta * input + alpha * (mat1 @ mat2).

    Args:
        input: is broadcast to the product. It counts for nothing where beta is zero.
        mat1, mat2: matrices.

    >>> import wengert as torch
    >>> torch.addmm(torch.ones(1), torch.ones(1, 2), torch.ones(2, 1))
    tensor([[3.]])
    """
    check_ndim(mat1, 2, f"mat1 must be a matrix, got {mat1.ndim}-D tensor")
    check_ndim(mat2, 2, f"mat2 must be a matrix, got {mat2.ndim}-D tensor")
    if mat1.shape[1] != mat2.shape[0]:
        raise M.not_multipliable(mat1.shape, mat2.shape)
    check_addend(input, (mat1.shape[0], mat2.shape[1]), mat1, mat2)
    return M.addmm(input, mat1, mat2, **integral(input, beta=beta, alpha=alpha))


@op(inplace=True)
def addmv(
    input: Tensor, mat: Tensor, vec: Tensor, *, beta: Any = 1, alpha: Any = 1
) -> Tensor:
    """Return beta * input + alpha * (mat @ vec).

    Args:
        input: is broadcast to the product. It counts for nothing where beta is zero.
        mat: a matrix.
        vec: a vector.

    >>> import wengert as torch
    >>> torch.addmv(torch.ones(2), torch.ones(2, 3), torch.ones(3))
    tensor([4., 4.])
    """
    if mat.ndim != 2 or vec.ndim != 1:
        raise RuntimeError(
            "vector + matrix @ vector expected, got "
            f"{input.ndim}, {mat.ndim}, {vec.ndim}"
        )
    if mat.shape[1] != vec.shape[0]:
        raise M.not_multipliable(mat.shape, vec.shape)
    check_addend(input, (mat.shape[0],), mat, vec)
    return M.addmv(input, mat, vec, **integral(input, beta=beta, alpha=alpha))


@op(inplace=True)
def addr(
    input: Tensor, vec1: Tensor, vec2: Tensor, *, beta: Any = 1, alpha: Any = 1
) -> Tensor:
    """Return beta * input + alpha * outer(vec1, vec2).

    Args:
        input: is broadcast to the product. It counts for nothing where beta is zero.
        vec1, vec2: vectors.

    >>> import wengert as torch
    >>> torch.addr(torch.zeros(2, 2), torch.ones(2), torch.ones(2))
    tensor([[1., 1.],
            [1., 1.]])
    """
    check_ndim(vec1, 1, f"addr: Expected 1-D argument vec1, but got {vec1.ndim}-D")
    check_ndim(vec2, 1, f"addr: Expected 1-D argument vec2, but got {vec2.ndim}-D")
    check_expandable(tuple(input.shape), (vec1.shape[0], vec2.shape[0]))
    common = dtypes.promote_types(
        input.dtype, dtypes.promote_types(vec1.dtype, vec2.dtype)
    )
    if common.category <= dtypes.INT and isinstance(alpha + beta, float):
        raise RuntimeError(
            "For integral input tensors, argument alpha and beta must not be a "
            "floating "
            "point number."
        )
    input, vec1, vec2 = input.to(common), vec1.to(common), vec2.to(common)
    return M.addr(input, vec1, vec2, beta=beta, alpha=alpha).to(common)


@op(inplace=True)
def baddbmm(
    input: Tensor, batch1: Tensor, batch2: Tensor, *, beta: Any = 1, alpha: Any = 1
) -> Tensor:
    """Return beta * input + alpha * (batch1 @ batch2).

    Args:
        input: is broadcast to the products. It counts for nothing where beta is zero.
        batch1, batch2: stacks of as many matrices.

    >>> import wengert as torch
    >>> torch.baddbmm(torch.ones(1), torch.ones(2, 1, 3), torch.ones(2, 3, 1)).shape
    torch.Size([2, 1, 1])
    """
    check_stacks(batch1, batch2)
    shape = (batch1.shape[0], batch1.shape[1], batch2.shape[2])
    check_addend(input, shape, batch1, batch2)
    return M.baddbmm(input, batch1, batch2, **integral(input, beta=beta, alpha=alpha))


@op(inplace=True)
def addbmm(
    input: Tensor, batch1: Tensor, batch2: Tensor, *, beta: Any = 1, alpha: Any = 1
) -> Tensor:
    """Return beta * input + alpha * the sum of the products batch1 @ batch2.

    Args:
        input: is broadcast to the product. It counts for nothing where beta is zero.
        batch1, batch2: stacks of as many matrices.

    >>> import wengert as torch
    >>> torch.addbmm(torch.ones(1), torch.ones(2, 1, 3), torch.ones(2, 3, 1))
    tensor([[7.]])
    """
    check_stacks(batch1, batch2)
    check_addend(input, (batch1.shape[1], batch2.shape[2]), batch1, batch2)
    return M.addbmm(input, batch1, batch2, **integral(input, beta=beta, alpha=alpha))


# --- linear layers --------------------------------------------------------------------


def linear(input: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
    """Return input @ weight.T + bias, the map of a linear layer.

    Args:
        input: (..., in_features).
        weight: (out_features, in_features), or (in_features,).
        bias: (out_features,).

    Raises:
        RuntimeError: the shapes do not fit, or the dtypes differ.

    >>> import wengert as torch
    >>> linear(torch.ones(2), torch.ones(3, 2), torch.ones(3))
    tensor([3., 3., 3.])
    """
    if type(input) is not Tensor:
        check_operand("linear", "input", 0, input)
    if input.ndim == 2 == weight.ndim:
        if bias is None:
            return M.linear(input, weight)
        return M.linear_with_bias(input, weight, bias)
    if weight.ndim == 2 and input.ndim > 2:
        if bias is None:
            return M.linear_of_stack(input, weight)
        return M.linear_of_stack_with_bias(input, weight, bias)
    if weight.ndim == 2 and bias is not None:
        return M.linear_of_stack_with_bias(input, weight, bias)
    result = matmul(input, weight.t())
    return result if bias is None else result + bias
