"""Ops that run along a dimension and keep every step, and sums of neighbours."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from .. import dtypes
from ..primitives import scan as P
from ..tensor import Tensor, is_differentiable
from .joining import cat
from .public import op
from .reduction import (
    check_real,
    dims_of,
    named,
    numpy_names,
    one_dim,
    with_dtype,
)
from .results import named_result

Function = Callable[..., Any]


@op(inplace=True)
@numpy_names
def cumsum(input: Tensor, dim: int, *, dtype: Any = None) -> Tensor:
    """Return the sums of the elements up to each, along a dimension.

    Args:
        dim: the dimension.
        dtype: cast to this first.

    >>> import wengert as torch
    >>> torch.tensor([1, 2, 3]).cumsum(0)
    tensor([1, 3, 6])
    """
    if dtype is not None:
        input = with_dtype(input, dtype)
    result = P.cumsum(input, dim=one_dim(dim, input.ndim, "cumsum"), reverse=False)
    return result if dtype is None else with_dtype(result, dtype)


@op(inplace=True)
@numpy_names
def cumprod(input: Tensor, dim: int, *, dtype: Any = None) -> Tensor:
    """Return the products of the elements up to each, along a dimension.

    Args:
        dim: the dimension.
        dtype: cast to this first.

    >>> import wengert as torch
    >>> torch.tensor([1, 2, 3]).cumprod(0)
    tensor([1, 2, 6])
    """
    if dtype is not None:
        input = with_dtype(input, dtype)
    result = P.cumprod(input, dim=one_dim(dim, input.ndim, "cumprod"))
    return result if dtype is None else with_dtype(result, dtype)


@op()
@numpy_names
def logcumsumexp(input: Tensor, dim: int) -> Tensor:
    """Return log(cumsum(exp(input))) along a dimension, without overflow.

    Args:
        dim: the dimension.

    >>> import wengert as torch
    >>> torch.tensor([100.0, 100.0]).logcumsumexp(0)
    tensor([100.0000, 100.6931])
    """
    place = one_dim(dim, input.ndim, "logcumsumexp")
    if not is_differentiable(input._data.dtype):
        raise NotImplementedError(
            f"\"logcumsumexp_out_cpu\" not implemented for '{input.dtype.scalar_type}'"
        )
    return P.logcumsumexp(input, dim=place)


def cumulative_extreme(name: str, run: Function, superlative: str) -> Function:
    """Make ``cummax`` or ``cummin``."""
    result = named_result(name, "values", "indices")

    @numpy_names
    def call(input: Tensor, dim: int) -> Any:
        place = one_dim(dim, input.ndim, name)
        check_real(input, f"{name}_cpu")
        return result(*run(input, dim=place))

    call.__doc__ = f"""Return the {superlative} element up to each, and where it is.

    Args:
        dim: the dimension.

    Returns:
        Named ``values`` and ``indices``; of equal elements the last.

    >>> import wengert as torch
    >>> torch.tensor([2, 1, 3]).{name}(0).values
    tensor({[2, 2, 3] if name == "cummax" else [2, 1, 1]})
    """
    return named(call, name)


cummax = cumulative_extreme("cummax", P.cummax, "largest")
cummin = cumulative_extreme("cummin", P.cummin, "smallest")

# --- differences and sums of neighbours -----------------------------------------------


@op()
@numpy_names
def diff(
    input: Tensor,
    n: int = 1,
    dim: int = -1,
    prepend: Tensor | None = None,
    append: Tensor | None = None,
) -> Tensor:
    """Return the differences of neighbours along a dimension.

    Args:
        n: how many times to do so.
        dim: the dimension.
        prepend, append: what to put before and after the elements first.

    >>> import wengert as torch
    >>> torch.tensor([1, 4, 9]).diff()
    tensor([3, 5])
    """
    if not input.ndim:
        raise RuntimeError("diff expects input to be at least one-dimensional")
    if n < 0:
        raise RuntimeError(f"order must be non-negative but got {n}")
    place = one_dim(dim, input.ndim, "diff")
    if n == 0:
        return input.clone()
    parts = [part for part in (prepend, input, append) if part is not None]
    if len(parts) > 1:
        input = cat(parts, place)
    for _ in range(min(n, input.shape[place])):
        below, above = neighbours(input, place)
        input = above ^ below if input.dtype is dtypes.bool_ else above - below
    return input


def neighbours(input: Tensor, dim: int) -> tuple[Tensor, Tensor]:
    """Return all elements along a dimension but the last, and all but the first."""
    start = (slice(None),) * dim
    size = input.shape[dim]
    return input[(*start, slice(0, size - 1))], input[(*start, slice(1, size))]


def strips(y: Tensor, x: Tensor | None, dx: Any, dim: int, name: str) -> Tensor:
    """Return the areas under a curve between neighbouring points, twice."""
    if x is not None and dx is not None:
        raise TypeError(f"{name}() takes x or dx, not both")
    if y.dtype is dtypes.bool_:
        raise RuntimeError(
            f"{name}: received a bool input for `y`, but bool is not supported"
        )
    low, high = neighbours(y, dim)
    total = low + high
    if x is None:
        return total if dx is None else total * dx
    if x.ndim == 1 and y.ndim != 1:
        if x.shape[0] != y.shape[dim]:
            raise RuntimeError(
                f"{name}(): There must be one `x` value for each sample point"
            )
        x = x.reshape((-1, *(1,) * (y.ndim - 1 - dim)))
        return total * diff(x, dim=0)
    return total * diff(x, dim=dim - y.ndim)


@op("trapz", out=False)
def trapezoid(
    y: Tensor, x: Tensor | None = None, *, dx: Any = None, dim: int = -1
) -> Tensor:
    """Return the area under a curve by the trapezoidal rule, along a dimension.

    Args:
        y: the heights.
        x: where they are; without it, ``dx`` apart, which is 1 by default.
        dim: the dimension.

    >>> import wengert as torch
    >>> torch.trapezoid(torch.tensor([0.0, 1.0, 2.0]))
    tensor(2.)
    """
    dim = one_dim(dim, y.ndim, "trapezoid")
    if y.ndim and not y.shape[dim]:
        return y.detach().sum(dim).to(y.dtype)
    return strips(y, x, dx, dim, "trapezoid").sum(dim) / 2.0


@op(out=False)
def cumulative_trapezoid(
    y: Tensor, x: Tensor | None = None, *, dx: Any = None, dim: int = -1
) -> Tensor:
    """Return the areas under a curve up to each point, by the trapezoidal rule.

    Args:
        y: the heights.
        x: where they are; without it, ``dx`` apart, which is 1 by default.
        dim: the dimension.

    >>> import wengert as torch
    >>> torch.cumulative_trapezoid(torch.tensor([0.0, 1.0, 2.0]))
    tensor([0.5000, 2.0000])
    """
    dim = one_dim(dim, y.ndim, "cumulative_trapezoid")
    return strips(y, x, dx, dim, "cumulative_trapezoid").cumsum(dim) / 2.0


# --- slopes ---------------------------------------------------------------------------


@op(out=False)
@numpy_names
def gradient(
    input: Tensor, *, spacing: Any = 1, dim: Any = None, edge_order: int = 1
) -> tuple[Tensor, ...]:
    """Return the slopes of values given at points, along each of several dimensions.

    Between neighbours the values are taken to be quadratic.

    Args:
        spacing: how far points are apart: a number, or for each dimension a number or
            a vector of the points' places.
        dim: a dimension or several; none means all.
        edge_order: 1 takes the slope to the neighbour at the edges, 2 is quadratic.

    >>> import wengert as torch
    >>> torch.gradient(torch.tensor([0.0, 1.0, 4.0, 9.0]))
    (tensor([1., 2., 4., 5.]),)
    """
    if edge_order not in (1, 2):
        raise RuntimeError(
            "torch.gradient only supports edge_order=1 and edge_order=2."
        )
    dims = dims_of(dim, input.ndim, "gradient")
    if isinstance(spacing, (Tensor, int, float)):
        spacings = [spacing] * len(dims)
    else:
        spacings = list(spacing)
    if len(spacings) != len(dims):
        raise RuntimeError(
            "torch.gradient expected spacing to be unspecified, a scalar, or a list of "
            f"length equal to {len(dims)}, the number of dimensions, but got a list of "
            f"length {len(spacings)}"
        )
    if any(input.shape[place] <= edge_order for place in dims):
        raise RuntimeError(
            "torch.gradient expected each dimension size to be at least edge_order+1"
        )
    return tuple(
        [
            slopes(input, step, place, edge_order)
            for step, place in zip(spacings, dims, strict=True)
        ]
    )


def slopes(input: Tensor, spacing: Any, dim: int, edge_order: int) -> Tensor:
    """Return the slopes along one dimension."""
    if isinstance(spacing, Tensor) and spacing.ndim:
        step = diff(spacing).reshape((-1, *(1,) * (input.ndim - 1 - dim)))
        before, after = neighbours(step, 0)
    else:
        step = before = after = spacing
    between = diff(input, dim=dim) / step
    left, right = neighbours(between, dim)
    inner = (left * after + right * before) / (before + after)
    first, last = between.narrow(dim, 0, 1), between.narrow(dim, -1, 1)
    if edge_order == 2:
        # The slope changes evenly, and is known half a step inside.
        n = inner.shape[dim]
        first = first * 2 - inner.narrow(dim, 0, 1)
        last = last * 2 - inner.narrow(dim, n - 1, 1)
    return cat([first, inner, last], dim)
