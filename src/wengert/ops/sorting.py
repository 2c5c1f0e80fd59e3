"""Ops that put elements in order, and those that pick one by its place in the order."""

from __future__ import annotations

from typing import Any

from ..dtypes import bool_
from ..primitives import sorting as P
from ..tensor import Tensor
from .public import op
from .reduction import check_not_empty, check_real, numpy_names, one_dim
from .results import named_result

sort_result = named_result("sort", "values", "indices")
topk_result = named_result("topk", "values", "indices")
kthvalue_result = named_result("kthvalue", "values", "indices")
mode_result = named_result("mode", "values", "indices")
median_results = {
    name: named_result(name, "values", "indices") for name in ("median", "nanmedian")
}


@op()
@numpy_names
def sort(
    input: Tensor,
    dim: int = -1,
    descending: bool = False,
    *,
    stable: bool | None = None,
) -> Any:
    """Return the elements in order along a dimension, and where they were.

    Args:
        dim: the dimension.
        descending: the largest first.
        stable: whether equal elements must keep their order.

    Returns:
        Named ``values`` and ``indices``. NaN counts as larger than every number.

    >>> import wengert as torch
    >>> torch.tensor([3, 1, 2]).sort().indices
    tensor([1, 2, 0])
    """
    place = one_dim(dim, input.ndim, "sort")
    if input.is_complex():
        raise RuntimeError("Sort does not support complex dtypes on CPU")
    return sort_result(
        *P.sort(input, dim=place, descending=bool(descending), stable=bool(stable))
    )


@op()
@numpy_names
def argsort(
    input: Tensor, dim: int = -1, descending: bool = False, *, stable: bool = False
) -> Tensor:
    """Return the indices that sort the elements along a dimension.

    Args:
        dim: the dimension.
        descending: the largest first.
        stable: whether equal elements must keep their order.

    >>> import wengert as torch
    >>> torch.tensor([3, 1, 2]).argsort()
    tensor([1, 2, 0])
    """
    return sort(input.detach(), dim, descending, stable=stable).indices


@op()
def msort(input: Tensor) -> Tensor:
    """Return the elements in order along the first dimension.

    >>> import wengert as torch
    >>> torch.tensor([3, 1, 2]).msort()
    tensor([1, 2, 3])
    """
    return sort(input, 0).values


@op()
@numpy_names
def topk(
    input: Tensor, k: int, dim: int = -1, largest: bool = True, sorted: bool = True
) -> Any:
    """Return the k largest elements along a dimension, and where they are.

    Args:
        k: how many.
        dim: the dimension.
        largest: False asks for the smallest.
        sorted: they come in order in any case.

    Returns:
        Named ``values`` and ``indices``.

    >>> import wengert as torch
    >>> torch.tensor([3, 1, 2]).topk(2).values
    tensor([3, 2])
    """
    del sorted  # as they are in any case
    place = one_dim(dim, input.ndim, "topk")
    if not 0 <= k <= (input.shape[place] if input.ndim else 1):
        raise RuntimeError("selected index k out of range")
    if input.is_complex() or input.dtype is bool_:
        kind = "complex" if input.is_complex() else "bool"
        raise RuntimeError(f"topk does not support {kind} dtypes on CPU")
    return topk_result(*P.topk(input, k=k, dim=place, largest=bool(largest)))


@op()
@numpy_names
def kthvalue(input: Tensor, k: int, dim: int = -1, keepdim: bool = False) -> Any:
    """Return the k-th smallest element along a dimension, and where it is.

    Args:
        k: counted from one.
        dim: the dimension.
        keepdim: keep the dimension, with size 1.

    Returns:
        Named ``values`` and ``indices``.

    >>> import wengert as torch
    >>> torch.tensor([3, 1, 2]).kthvalue(2).values
    tensor(2)
    """
    place = one_dim(dim, input.ndim, "kthvalue")
    check_not_empty(input, (place,), place, "kthvalue")
    if not 1 <= k <= (input.shape[place] if input.ndim else 1):
        raise RuntimeError(
            f"kthvalue(): selected number k out of range for dimension {place}"
        )
    check_real(input, "kthvalue_cpu")
    return kthvalue_result(*P.kthvalue(input, dim=place, keepdim=keepdim, k=k))


def median_op(name: str, whole: Any, along: Any, of_what: str) -> Any:
    """Make ``median`` or ``nanmedian``."""

    @numpy_names
    def call(input: Tensor, dim: int | None = None, keepdim: bool = False) -> Any:
        check_real(input, f"{name}_cpu")
        if input.dtype is bool_:
            raise NotImplementedError(f"\"{name}_cpu\" not implemented for 'Bool'")
        if dim is None:
            return whole(input)
        place = one_dim(dim, input.ndim, name)
        check_not_empty(input, (place,), place, name)
        return median_results[name](*along(input, dim=place, keepdim=keepdim))

    call.__name__ = call.__qualname__ = name
    call.__doc__ = f"""Return the median{of_what}: of two in the middle the lower one.

    Args:
        dim: a dimension; none means all elements.
        keepdim: keep the dimension, with size 1.

    Returns:
        The median; with a dimension named ``values`` and ``indices``.

    >>> import wengert as torch
    >>> torch.tensor([3, 1, 2]).{name}()
    tensor(2)
    """
    return op()(call)


median = median_op("median", P.median, P.median_dim, " (NaN if there is one)")
nanmedian = median_op("nanmedian", P.nanmedian, P.nanmedian_dim, " of what is not NaN")


@op()
@numpy_names
def mode(input: Tensor, dim: int = -1, keepdim: bool = False) -> Any:
    """Return the most frequent element along a dimension, and where it is last.

    Args:
        dim: the dimension.
        keepdim: keep the dimension, with size 1.

    Returns:
        Named ``values`` and ``indices``; of equally frequent elements the smallest.

    >>> import wengert as torch
    >>> torch.tensor([3, 1, 3]).mode().values
    tensor(3)
    """
    place = one_dim(dim, input.ndim, "mode")
    check_not_empty(input, (place,), place, "mode")
    check_real(input, "mode_cpu")
    return mode_result(*P.mode(input, dim=place, keepdim=keepdim))
