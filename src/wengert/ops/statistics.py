"""Variances, covariances, quantiles, histograms."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from .. import dtypes
from ..primitives import statistics as P
from ..tensor import Tensor, is_differentiable, plain
from .arguments import holds_anywhere, memory_of
from .complex import complex
from .public import op
from .reduction import Dim, check_bool, dims_of, numpy_names, one_dim
from .results import named_result
from .sorting import sort

Function = Callable[..., Any]

# --- variances ------------------------------------------------------------------------


def freedom(dim: Any, rest: tuple[Any, ...], named: dict[str, Any], name: str) -> Any:
    """Return dimensions, correction and keepdim from the two forms of arguments.

    ``(dim, unbiased, keepdim)``, of which dim may be left out, is the old one;
    ``(dim, *, correction, keepdim)`` the new one.
    """
    if isinstance(dim, bool):
        if rest or named:
            raise TypeError(f"{name}() received an invalid combination of arguments")
        return None, int(dim), False
    if not rest and not named:
        return dim, 1, False
    given = dict(zip(("unbiased", "keepdim"), rest, strict=False)) | named
    unbiased, correction = given.pop("unbiased", None), given.pop("correction", None)
    keepdim = given.pop("keepdim", False)
    if given or len(rest) > 2 or (unbiased is not None and correction is not None):
        raise TypeError(f"{name}() received an invalid combination of arguments")
    check_bool(keepdim, name)
    if unbiased is not None:
        check_bool(unbiased, name, "unbiased")
        correction = int(unbiased)
    return dim, 1 if correction is None else correction, keepdim


def spread(name: str, compute: Function, returns: str, wrap: Function) -> Function:
    """Make ``var``, ``std`` and their companions with the mean."""

    @numpy_names
    def call(input: Tensor, dim: Dim = None, *rest: Any, **named: Any) -> Any:
        dim, correction, keepdim = freedom(dim, rest, named, name)
        if not is_differentiable(input._data.dtype):
            raise RuntimeError(
                f"{name} only supports floating point and complex dtypes"
                if name.endswith("_mean")
                else "std and var only support floating point and complex dtypes"
            )
        dims = dims_of(dim, input.ndim, name)
        return wrap(compute(input, dim=dims, correction=correction, keepdim=keepdim))

    call.__name__ = call.__qualname__ = name
    call.__doc__ = f"""Return the {returns} of all elements, or along dimensions.

    Args:
        dim: a dimension or several; none means all.
        correction: what is subtracted from the number of elements that is divided by,
            1 by default. ``unbiased=False`` means 0.
        keepdim: keep the reduced dimensions, with size 1.

    >>> import wengert as torch
    >>> torch.{name}(torch.tensor([1.0, 3.0]), correction=0)
    {EXAMPLES[name]}
    """
    return op(method=not name.endswith("_mean"))(call)


EXAMPLES = {
    "var": "tensor(1.)",
    "std": "tensor(1.)",
    "var_mean": "(tensor(1.), tensor(2.))",
    "std_mean": "(tensor(1.), tensor(2.))",
}


def same(value: Any) -> Any:
    return value


var = spread("var", P.var, "variance", same)
std = spread("std", P.std, "standard deviation", same)
var_mean = spread("var_mean", P.var_mean, "variance and the mean", tuple)
std_mean = spread("std_mean", P.std_mean, "standard deviation and the mean", tuple)

# --- covariances ----------------------------------------------------------------------


@op()
def cov(
    input: Tensor,
    *,
    correction: int = 1,
    fweights: Tensor | None = None,
    aweights: Tensor | None = None,
) -> Tensor:
    """Return the covariances of variables, the rows, over observations, the columns.

    Args:
        correction: what is subtracted from the number of observations.
        fweights: how often each observation counts.
        aweights: how much each observation counts.

    >>> import wengert as torch
    >>> torch.tensor([[0.0, 1.0, 2.0], [2.0, 1.0, 0.0]]).cov()
    tensor([[ 1., -1.],
            [-1.,  1.]])
    """
    if input.ndim > 2:
        raise RuntimeError(
            "cov(): expected input to have two or fewer dimensions but got an input "
            f"with {input.ndim} dimensions"
        )
    if input.dtype is dtypes.bool_:
        raise RuntimeError("cov(): bool dtype is not supported for input")
    rows = input.reshape((1, -1)) if input.ndim < 2 else input
    count = rows.shape[1]
    weights = weights_of(count, fweights, aweights)
    if weights is None:
        total: Any = count
        mean = rows.sum(1, True) / count
    else:
        total = weights.sum()
        mean = (rows * weights).sum(1, True) / total
    norm = total - correction
    if weights is not None and aweights is not None:
        norm = total - correction * (weights * aweights).sum() / total
    norm = norm.clamp(min=0) if isinstance(norm, Tensor) else max(norm, 0)
    deviation = rows - mean
    weighted = deviation if weights is None else deviation * weights
    products = weighted @ deviation.mT.conj()
    return (products / float_like(norm, deviation)).squeeze()


def float_like(number: Any, like: Tensor) -> Any:
    """Return a number as a tensor without dimensions: it may be zero to divide by."""
    if isinstance(number, Tensor):
        return number
    return plain(np.asarray(number, like.dtype.to_real().numpy))


def weights_of(
    count: int, fweights: Tensor | None, aweights: Tensor | None
) -> Tensor | None:
    """Return the products of both kinds of weights, checked."""
    checks = (("fweights", fweights, "iu"), ("aweights", aweights, "f"))
    for name, weights, kinds in checks:
        if weights is None:
            continue
        if weights.ndim > 1:
            raise RuntimeError(
                f"cov(): expected {name} to have one or fewer dimensions but got "
                f"{name} with {weights.ndim} dimensions"
            )
        if weights.dtype.numpy.kind not in kinds:
            wanted = "integral" if kinds == "iu" else "floating point"
            raise RuntimeError(
                f"cov(): expected {name} to have {wanted} dtype but got {name} with "
                f"{weights.dtype.scalar_type} dtype"
            )
        if weights.numel() != count:
            raise RuntimeError(
                f"cov(): expected {name} to have the same numel as there are "
                f"observations in the input but got {weights.numel()} != {count}"
            )
        if count and holds_anywhere(weights < 0):
            raise RuntimeError(f"cov(): {name} cannot be negative")
    if fweights is None or aweights is None:
        return aweights if fweights is None else fweights
    return fweights * aweights


@op()
def corrcoef(input: Tensor) -> Tensor:
    """Return the correlations of variables, the rows, over observations, the columns.

    >>> import wengert as torch
    >>> torch.tensor([[0.0, 1.0, 2.0], [2.0, 1.0, 0.0]]).corrcoef()
    tensor([[ 1., -1.],
            [-1.,  1.]])
    """
    if input.ndim > 2:
        raise RuntimeError(
            "corrcoef(): expected input to have two or fewer dimensions but got an "
            f"input with {input.ndim} dimensions"
        )
    found = cov(input)
    if not found.ndim:
        return found / found
    diagonal = found.diagonal()
    scale = (diagonal.real if found.is_complex() else diagonal).sqrt()
    found = found / scale.unsqueeze(1) / scale.unsqueeze(0)
    if not found.is_complex():
        return found.clamp(-1, 1)
    return complex(found.real.clamp(-1, 1), found.imag.clamp(-1, 1))


# --- quantiles ------------------------------------------------------------------------

BETWEEN = ("linear", "lower", "higher", "midpoint", "nearest")


def quantile_op(name: str, ignore_nan: bool) -> Function:
    """Make ``quantile`` or ``nanquantile``."""

    @numpy_names
    def call(
        input: Tensor,
        q: Any,
        dim: int | None = None,
        keepdim: bool = False,
        *,
        interpolation: str = "linear",
    ) -> Tensor:
        fractions = fractions_of(input, q, interpolation, name)
        shape = [1] * input.ndim
        if dim is None:
            values = sort(input.reshape((-1,))).values
        else:
            place = one_dim(dim, input.ndim, name)
            whole = input if input.ndim else input.reshape((1,))
            values = sort(whole, place).values.movedim(place, -1)
            shape = [1 if i == place else n for i, n in enumerate(input.shape)]
        result = at_quantiles(values, fractions, interpolation, ignore_nan)
        if keepdim:
            result = result.reshape((fractions.shape[0], *shape))
        return result if isinstance(q, Tensor) and q.ndim else result.squeeze(0)

    kind = " of what is not NaN" if ignore_nan else ""
    call.__name__ = call.__qualname__ = name
    call.__doc__ = f"""Return values below which fractions of the elements{kind} lie.

    Args:
        q: the fraction, or a vector of them, between 0 and 1.
        dim: a dimension; none means all elements.
        keepdim: keep the dimension, with size 1.
        interpolation: what to do between two elements: "linear", "lower", "higher",
            "midpoint" or "nearest".

    Returns:
        The quantiles; a vector of fractions makes their first dimension.

    >>> import wengert as torch
    >>> torch.tensor([0.0, 1.0, 2.0]).{name}(0.25)
    tensor(0.5000)
    """
    return op()(call)


def fractions_of(input: Tensor, q: Any, interpolation: str, name: str) -> Tensor:
    """Return the fractions as a vector, after checking all arguments."""
    if interpolation not in BETWEEN:
        raise RuntimeError(
            f"{name}() interpolation must be one of linear, lower, higher, midpoint or "
            f"nearest, but got {interpolation}"
        )
    if 0 in input.shape:
        raise RuntimeError(f"{name}() input tensor must be non-empty")
    if input.dtype not in (dtypes.float32, dtypes.float64):
        raise RuntimeError(
            f"{name}() input tensor must be either float or double dtype"
        )
    if not isinstance(q, Tensor):
        if not 0 <= q <= 1:
            raise RuntimeError(f"{name}() q must be in the range [0, 1] but got {q:g}")
        return plain(np.full(1, q, input.dtype.numpy))
    if q.ndim > 1:
        raise RuntimeError(f"{name}() q must be a scalar or 1D tensor")
    if q.dtype is not input.dtype:
        raise RuntimeError(f"{name}() q tensor must be same dtype as the input tensor")
    known = memory_of(q)
    if known is not None and not np.all((known >= 0) & (known <= 1)):
        raise RuntimeError(f"{name}() q values must be in the range [0, 1]")
    return q.reshape((-1,))


def at_quantiles(
    values: Tensor, fractions: Tensor, interpolation: str, ignore_nan: bool
) -> Tensor:
    """Return quantiles of values sorted along the last dimension, first of all dims."""
    last = values.shape[-1] - 1
    nan = values.isnan()
    if ignore_nan:
        numbers = nan.logical_not().sum(-1, keepdim=True)
        ranks = fractions * (numbers - 1).clamp(min=0).to(values.dtype)
    else:
        # NaN is sorted to the end: where there is one, it is the result.
        ranks = (fractions * last).where(nan.any(-1, keepdim=True).logical_not(), last)
    if interpolation in ROUNDED:
        result = at_ranks(values, ROUNDED[interpolation](ranks.detach()))
    else:
        below = ranks.detach().floor()
        low, high = at_ranks(values, below), at_ranks(values, ranks.detach().ceil())
        result = low.lerp(high, 0.5 if interpolation == "midpoint" else ranks - below)
    return result.movedim(-1, 0)


ROUNDED = {"lower": Tensor.floor, "higher": Tensor.ceil, "nearest": Tensor.round}


def at_ranks(values: Tensor, ranks: Tensor) -> Tensor:
    """Return the elements at places along the last dimension."""
    return values.gather(-1, ranks.to(dtypes.int64))


quantile = quantile_op("quantile", ignore_nan=False)
nanquantile = quantile_op("nanquantile", ignore_nan=True)

# --- histograms -----------------------------------------------------------------------

histogram_result = named_result("histogram", "hist", "bin_edges")


def check_bins(input: Tensor, bins: int) -> None:
    """Refuse a histogram of integers, or of no bins."""
    if input.dtype.numpy.kind != "f":
        raise NotImplementedError(
            f"\"histogram_cpu\" not implemented for '{input.dtype.scalar_type}'"
        )
    if bins <= 0:
        raise RuntimeError(
            f"torch.histogram(): bins must be > 0, but got {bins} for dimension 0"
        )


@op()
def histc(input: Tensor, bins: int = 100, min: float = 0, max: float = 0) -> Tensor:
    """Return how many elements lie in each of several bins of equal width.

    Args:
        bins: how many.
        min, max: the bounds; if both are zero, those of the elements.

    >>> import wengert as torch
    >>> torch.tensor([1.0, 2.0, 1.0]).histc(2)
    tensor([2., 1.])
    """
    check_bins(input, bins)
    return P.histc(input.detach(), bins=bins, low=min, high=max)


@op()
def histogram(
    input: Tensor,
    bins: Any,
    *,
    range: Sequence[float] | None = None,
    weight: Tensor | None = None,
    density: bool = False,
) -> Any:
    """Return how many elements lie in each of several bins, and the bins' edges.

    Args:
        bins: how many, or their edges.
        range: the bounds; by default those of the elements.
        weight: how much each element counts.
        density: divide such that the integral is 1.

    Returns:
        Named ``hist`` and ``bin_edges``.

    >>> import wengert as torch
    >>> torch.histogram(torch.tensor([1.0, 2.0, 1.0]), 2).hist
    tensor([2., 1.])
    """
    if isinstance(bins, Tensor):
        edges = bins.detach()
    else:
        check_bins(input, bins)
        low, high = range or (0, 0)
        edges = P.edges(input.detach(), bins=bins, low=low, high=high)
    found = P.histogram(input.detach(), edges, weight, density=density)
    return histogram_result(found, edges)


@op(method=False, out=False)
def histogramdd(
    input: Tensor,
    bins: Any,
    range: Sequence[float] | None = None,
    weight: Tensor | None = None,
    density: bool = False,
) -> Any:
    """Return how many points lie in each of several boxes, and the boxes' edges.

    Args:
        input: points, the last dimension being their coordinates.
        bins: how many for each coordinate, or for all; or their edges.
        range: the bounds of each coordinate; by default those of the points.
        weight: how much each point counts.
        density: divide such that the integral is 1.

    Returns:
        Named ``hist`` and ``bin_edges``.

    >>> import wengert as torch
    >>> points = torch.tensor([[0.0, 0.0], [1.0, 1.0], [0.9, 0.8]])
    >>> torch.histogramdd(points, [2, 2]).hist
    tensor([[1., 0.],
            [0., 2.]])
    """
    count = input.shape[-1] if input.ndim else 0
    given = [bins] * count if isinstance(bins, int) else list(bins)
    check_boxes(input, given, range, weight)
    points = input.detach()
    edges = []
    for index, item in enumerate(given):
        if isinstance(item, Tensor):
            edges.append(item.detach())
            continue
        low, high = range[2 * index : 2 * index + 2] if range else (0, 0)
        column = points[..., index]
        edges.append(P.edges(column, bins=item, low=low, high=high))
    found = P.histogramdd(points, weight, *edges, density=density)
    return histogramdd_result(found, tuple(edges))


histogramdd_result = named_result("histogramdd", "hist", "bin_edges")


def check_boxes(
    input: Tensor, bins: list[Any], range: Sequence[float] | None, weight: Any
) -> None:
    """Refuse boxes that do not fit the points."""
    if input.dtype.numpy.kind != "f":
        raise NotImplementedError(
            f"\"histogramdd\" not implemented for '{input.dtype.scalar_type}'"
        )
    count = input.shape[-1] if input.ndim else 0
    if len(bins) != count:
        raise RuntimeError(
            "histogramdd: The size of bins must be equal to the innermost dimension of "
            "the input."
        )
    if range is not None and len(range) != 2 * count:
        raise RuntimeError(
            f"torch.histogramdd: for a {count}-dimensional histogram range should have "
            f"{2 * count} elements, but got {len(range)}"
        )
    if weight is not None and tuple(weight.shape) != tuple(input.shape[:-1]):
        raise RuntimeError(
            "torch.histogramdd: if weight tensor is provided it should have the same "
            "shape as the input tensor excluding its innermost dimension, but got "
            f"input with shape {list(input.shape)} and weight with shape "
            f"{list(weight.shape)}"
        )
    for index, item in enumerate(bins):
        if isinstance(item, int) and item <= 0:
            raise RuntimeError(
                f"torch.histogram(): bins must be > 0, but got {item} for dimension "
                f"{index}"
            )
        if range is not None and range[2 * index] > range[2 * index + 1]:
            low, high = range[2 * index : 2 * index + 2]
            raise RuntimeError(
                f"torch.histogramdd: min should not exceed max, but got min {low:g} "
                f"max {high:g} for dimension {index}"
            )


@op()
def bincount(
    input: Tensor, weights: Tensor | None = None, minlength: int = 0
) -> Tensor:
    """Return how often each of the numbers 0, 1, 2 ... occurs.

    Args:
        weights: how much each element counts.
        minlength: the least length of the result.

    >>> import wengert as torch
    >>> torch.tensor([1, 2, 2]).bincount()
    tensor([0, 1, 2])
    """
    if input.dtype.numpy.kind not in "iu":
        raise NotImplementedError(
            f"\"bincount_cpu\" not implemented for '{input.dtype.scalar_type}'"
        )
    if minlength < 0:
        raise RuntimeError("minlength should be >= 0")
    if input.ndim != 1:
        raise P.only_counts()
    if weights is not None and tuple(weights.shape) != tuple(input.shape):
        raise RuntimeError("weights should be 1-d and have the same length as input")
    return P.bincount(input, weights, minlength=minlength)
