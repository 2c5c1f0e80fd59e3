"""Products summed over chosen dimensions, and products of several matrices."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod
from typing import Any

from ..primitives import contraction as P, matmul as M
from ..tensor import Tensor
from .arguments import broadcast_shape, normalize_dim
from .matmul import matmul
from .public import op

Shape = tuple[int, ...]


@op()
def inner(input: Tensor, other: Tensor) -> Tensor:
    """Return the products of all vectors along the last dimensions of two tensors.

    Raises:
        RuntimeError: the last dimensions differ.

    >>> import wengert as torch
    >>> torch.inner(torch.ones(2, 3), torch.ones(4, 3)).shape
    torch.Size([2, 4])
    """
    if not input.ndim or not other.ndim:
        return input * other
    if input.shape[-1] != other.shape[-1]:
        raise RuntimeError(
            "inner() the last dimension must match on both input tensors but got "
            f"shapes {list(input.shape)} and {list(other.shape)}"
        )
    return tensordot(input, other, ([-1], [-1]))


@op(method=False)
def tensordot(a: Tensor, b: Tensor, dims: Any = 2) -> Tensor:
    """Return the product of two tensors, summed over pairs of dimensions.

    Args:
        dims: how many: the last of ``a`` and the first of ``b``; or a list of those of
            ``a`` and one of those of ``b``.

    Raises:
        RuntimeError: the dimensions do not match.

    >>> import wengert as torch
    >>> torch.tensordot(torch.ones(2, 3), torch.ones(3, 4), dims=1).shape
    torch.Size([2, 4])
    """
    of_a, of_b = dims_of_pair(a, b, dims)
    if len(of_a) != len(of_b):
        raise RuntimeError("both dimension lists should have same length")
    for i, j in zip(of_a, of_b, strict=True):
        if a.shape[i] == 1:
            b = b.sum(j, keepdim=True)
        elif b.shape[j] == 1:
            a = a.sum(i, keepdim=True)
        elif a.shape[i] != b.shape[j]:
            raise RuntimeError(
                "contracted dimensions need to match, but first has size "
                f"{a.shape[i]} in dim {i} and second has size {b.shape[j]} in dim {j}"
            )
    sums_a = [normalize_dim(i, a.ndim) for i in of_a]
    sums_b = [normalize_dim(j, b.ndim) for j in of_b]
    free_a = [i for i in range(a.ndim) if i not in sums_a]
    free_b = [j for j in range(b.ndim) if j not in sums_b]
    depth = prod([a.shape[i] for i in sums_a])
    shape_a, shape_b = [a.shape[i] for i in free_a], [b.shape[j] for j in free_b]
    left = a.permute((*free_a, *sums_a)).reshape((prod(shape_a), depth))
    right = b.permute((*sums_b, *free_b)).reshape((depth, prod(shape_b)))
    return M.mm(left, right).reshape((*shape_a, *shape_b))


def dims_of_pair(a: Tensor, b: Tensor, dims: Any) -> tuple[list[int], list[int]]:
    """Return the dimensions of each of two tensors to sum over."""
    if isinstance(dims, Tensor):
        dims = dims.tolist()
    if isinstance(dims, (list, tuple)):
        of_a, of_b = dims
        return [
            [int(dim)] if isinstance(dim, int) else [int(i) for i in dim]
            for dim in (of_a, of_b)
        ]  # type: ignore[return-value]
    if dims < 0:
        raise RuntimeError(f"tensordot expects dims >= 0, but got dims={dims}")
    if dims > min(a.ndim, b.ndim):
        raise RuntimeError(
            f"tensordot expects dims < ndim_a or ndim_b, but got dims={dims}"
        )
    return list(range(-dims, 0)), list(range(dims))


# --- products of several matrices -----------------------------------------------------


@op(method=False)
def chain_matmul(*matrices: Tensor) -> Tensor:
    """Return the product of several matrices, in the order that costs least.

    Args:
        matrices: one or more.

    >>> import wengert as torch
    >>> torch.chain_matmul(torch.ones(2, 3), torch.ones(3, 4), torch.ones(4, 1))
    tensor([[12.],
            [12.]])
    """
    return matrices[0] if len(matrices) == 1 else multi_dot(matrices)


def multi_dot(tensors: Sequence[Tensor]) -> Tensor:
    """Return the product of several matrices, in the order that costs least.

    Args:
        tensors: two or more matrices; the first and the last may be vectors.

    Raises:
        RuntimeError: they are fewer, or have other dimensions, or do not fit.

    >>> import wengert as torch
    >>> multi_dot([torch.ones(3), torch.ones(3, 2), torch.ones(2)])
    tensor(6.)
    """
    if len(tensors) < 2:
        raise RuntimeError(
            f"multi_dot(): expected at least 2 tensors but got {len(tensors)}"
        )
    *_, last = tensors
    ends = tensors[0].ndim == 1, last.ndim == 1
    matrices = list(tensors)
    if ends[0]:
        matrices[0] = matrices[0].unsqueeze(0)
    if ends[1]:
        matrices[-1] = matrices[-1].unsqueeze(1)
    for i, matrix in enumerate(matrices):
        if matrix.ndim != 2:
            raise RuntimeError(
                f"multi_dot(): tensor {i} must be 2D but got {matrix.ndim}D"
            )
    sizes = [*[matrix.shape[0] for matrix in matrices], matrices[-1].shape[1]]
    result = multiplied(matrices, cheapest_splits(sizes), 0, len(matrices) - 1)
    kept = [n for n, gone in zip(result.shape, ends, strict=True) if not gone]
    return result.reshape(kept)


def cheapest_splits(sizes: Sequence[int]) -> dict[tuple[int, int], int]:
    """Return for each stretch of a chain of matrices where to split it.

    Args:
        sizes: matrix i has the shape (sizes[i], sizes[i + 1]).
    """
    n = len(sizes) - 1
    cost = {(i, i): 0 for i in range(n)}
    splits = {}
    for length in range(1, n):
        for i in range(n - length):
            j = i + length
            cost[i, j], splits[i, j] = min(
                (
                    cost[i, k]
                    + cost[k + 1, j]
                    + sizes[i] * sizes[k + 1] * sizes[j + 1],
                    k,
                )
                for k in range(i, j)
            )
    return splits


def multiplied(
    matrices: Sequence[Tensor], splits: dict[tuple[int, int], int], i: int, j: int
) -> Tensor:
    """Return the product of matrices i to j."""
    if i == j:
        return matrices[i]
    k = splits[i, j]
    left = multiplied(matrices, splits, i, k)
    return M.mm(left, multiplied(matrices, splits, k + 1, j))


@op()
def matrix_power(input: Tensor, n: int) -> Tensor:
    """Return a square matrix, or each of a stack, multiplied n times.

    Args:
        n: how often; negative numbers multiply the inverse.

    Raises:
        RuntimeError: the matrices are not square.

    >>> import wengert as torch
    >>> torch.matrix_power(torch.tensor([[1, 1], [0, 1]]), 3)
    tensor([[1, 3],
            [0, 1]])
    """
    check_square(input, "linalg.matrix_power")
    if n < 0:
        from .solving import inv

        return matrix_power(inv(input), -n)
    if n == 0:
        from .creation import eye

        unit = eye(input.shape[-1], dtype=input.dtype)
        return unit.expand(tuple(input.shape)).clone()
    if n == 1:
        return input.clone()
    if n == 3:
        return matmul(matmul(input, input), input)
    result = None
    power = input
    while n:
        if n % 2:
            result = power if result is None else matmul(result, power)
        n //= 2
        if n:
            power = matmul(power, power)
    assert result is not None
    return result


def check_square(input: Tensor, name: str) -> None:
    """Refuse what are not square matrices."""
    if input.ndim < 2:
        raise RuntimeError(
            f"{name}: The input tensor A must have at least 2 dimensions."
        )
    rows, columns = input.shape[-2:]
    if rows != columns:
        raise RuntimeError(
            f"{name}: A must be batches of square matrices, but they are {rows} by "
            f"{columns} matrices"
        )


# --- other products -------------------------------------------------------------------


@op()
def kron(input: Tensor, other: Tensor) -> Tensor:
    """Return Kronecker's product: each element of the first times all of the second.

    >>> import wengert as torch
    >>> torch.kron(torch.tensor([1, 2]), torch.tensor([1, 10]))
    tensor([ 1, 10,  2, 20])
    """
    ndim = max(input.ndim, other.ndim)
    a = (*[1] * (ndim - input.ndim), *input.shape)
    b = (*[1] * (ndim - other.ndim), *other.shape)
    spread_a = [size for n in a for size in (n, 1)]
    spread_b = [size for n in b for size in (1, n)]
    product = input.reshape(spread_a) * other.reshape(spread_b)
    return product.reshape([m * n for m, n in zip(a, b, strict=True)])


@op()
def trace(input: Tensor) -> Tensor:
    """Return the sum of a matrix's diagonal.

    Raises:
        RuntimeError: the tensor is not a matrix.

    >>> import wengert as torch
    >>> torch.trace(torch.tensor([[1, 2], [3, 4]]))
    tensor(5)
    """
    if input.ndim != 2:
        raise RuntimeError(
            f"trace: expected a matrix, but got tensor with dim {input.ndim}"
        )
    return P.trace(input)


@op()
def cross(input: Tensor, other: Tensor, dim: int | None = None) -> Tensor:
    """Return the vector products of vectors in space.

    Args:
        dim: the dimension of size 3; without it, the first one.

    Raises:
        RuntimeError: there is no such dimension.

    >>> import wengert as torch
    >>> torch.cross(torch.tensor([1, 0, 0]), torch.tensor([0, 1, 0]), dim=0)
    tensor([0, 0, 1])
    """
    if dim is None:
        if 3 not in input.shape:
            raise RuntimeError("no dimension of size 3 in input")
        dim = tuple(input.shape).index(3)
    return linalg_cross(input, other, dim=dim)


def linalg_cross(input: Tensor, other: Tensor, *, dim: int = -1) -> Tensor:
    """Return the vector products of vectors in space.

    Args:
        dim: the dimension of size 3.

    Raises:
        RuntimeError: it has another size, or the numbers of dimensions differ.

    >>> import wengert as torch
    >>> linalg_cross(torch.tensor([1, 0, 0]), torch.tensor([0, 1, 0]))
    tensor([0, 0, 1])
    """
    if input.ndim != other.ndim:
        raise RuntimeError(
            "linalg.cross: inputs must have the same number of dimensions."
        )
    place = normalize_dim(dim, input.ndim)
    if input.shape[place] != 3 or other.shape[place] != 3:
        raise RuntimeError(
            f"linalg.cross: inputs dimension {dim} must have length 3. Got "
            f"{input.shape[place]} and {other.shape[place]}"
        )
    shape = broadcast_shape(input.shape, other.shape)
    return P.cross(input.expand(shape), other.expand(shape), dim=place)


def vecdot(x: Tensor, y: Tensor, *, dim: int = -1) -> Tensor:
    """Return the dot products along a dimension, the first vectors conjugated.

    Args:
        dim: the dimension.

    >>> import wengert as torch
    >>> vecdot(torch.ones(2, 3), torch.ones(2, 3))
    tensor([3., 3.])
    """
    return (x.conj() * y).sum(dim)


def bilinear(
    input1: Tensor, input2: Tensor, weight: Tensor, bias: Tensor | None = None
) -> Tensor:
    """Return input1 @ weight[i] @ input2 for each of the weight's matrices, plus bias.

    Args:
        input1: (..., in1_features).
        input2: (..., in2_features).
        weight: (out_features, in1_features, in2_features).
        bias: (out_features,).

    Raises:
        RuntimeError: the sizes do not fit.

    >>> import wengert as torch
    >>> bilinear(torch.ones(2), torch.ones(3), torch.ones(4, 2, 3))
    tensor([6., 6., 6., 6.])
    """
    if input1.ndim != input2.ndim or input1.shape[:-1] != input2.shape[:-1]:
        raise RuntimeError(
            "bilinear(): input batch dimensions do not match: got "
            f"{list(input1.shape[:-1])} and {list(input2.shape[:-1])}"
        )
    for name, tensor, axis in (("input1", input1, 1), ("input2", input2, 2)):
        if tensor.shape[-1] != weight.shape[axis]:
            raise RuntimeError(
                f"bilinear(): {name} size does not match weight size: got "
                f"{tensor.shape[-1]} but expected {weight.shape[axis]}"
            )
    out, first, second = weight.shape
    n = prod(input1.shape[:-1])
    flat1 = input1.reshape((n, first))
    # Each row of input1 with every matrix at once: (rows, out, second).
    halfway = M.mm(flat1, weight.transpose(0, 1).reshape((first, out * second)))
    halfway = halfway.reshape((n, out, second))
    result = M.matmul(halfway, input2.reshape((n, second, 1)))
    result = result.reshape((*input1.shape[:-1], out))
    return result if bias is None else result + bias
