"""Reductions, softmax, and where extremes are."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..symbol import Symbol, Untraceable
from .rules import RULES, of_floats, op, rule

# --- reductions -----------------------------------------------------------------------


def reduced(ufunc: np.ufunc, x: Symbol, dim: Any, keepdim: bool) -> Symbol:
    return ufunc.reduce(x, axis=dim, keepdims=keepdim)  # type: ignore[no-any-return]


for _name, _ufunc in {
    "sum": np.add,
    "sum_dim": np.add,
    "prod": np.multiply,
    "prod_dim": np.multiply,
    "amax": np.maximum,
    "amin": np.minimum,
    "max": np.maximum,
    "min": np.minimum,
}.items():
    RULES[_name] = lambda x, *, dim=None, keepdim=False, ufunc=_ufunc: reduced(
        ufunc, x, dim, keepdim
    )


@rule("mean", "mean_dim")
def _mean(x: Symbol, *, dim: Any = None, keepdim: bool = False) -> Symbol:
    summed = reduced(np.add, of_floats(x), dim, keepdim)
    if summed.size == 0 or x.size == 0:
        raise Untraceable("the mean of nothing")
    return summed / (x.size // summed.size)


@rule("logsumexp")
def _logsumexp(x: Symbol, *, dim: Any, keepdim: bool) -> Symbol:
    peak = reduced(np.maximum, of_floats(x), dim, True)
    peak = np.where(np.isfinite(peak), peak, 0)  # type: ignore[assignment,call-overload]
    result = np.log(reduced(np.add, np.exp(x - peak), dim, True)) + peak
    if keepdim:
        return result
    return result.reshape(reduced(np.add, x, dim, False).shape)


def moments(x: Symbol, dim: Any, correction: float, keepdim: bool) -> tuple[Any, Any]:
    """Return variance and mean over dimensions, in two passes."""
    mean = _mean(x, dim=dim, keepdim=True)
    freedom = x.size // mean.size - correction
    if freedom <= 0:
        raise Untraceable("the variance of too few")
    difference = x - mean
    var = reduced(np.add, difference * difference, dim, keepdim) / freedom
    return var, mean.reshape(var.shape)


@rule("var")
def _var(x: Symbol, *, dim: Any, correction: float, keepdim: bool) -> Symbol:
    return moments(x, dim, correction, keepdim)[0]  # type: ignore[no-any-return]


@rule("std")
def _std(x: Symbol, *, dim: Any, correction: float, keepdim: bool) -> Symbol:
    return op("sqrt", moments(x, dim, correction, keepdim)[0])


@rule("var_mean")
def _var_mean(x: Symbol, *, dim: Any, correction: float, keepdim: bool) -> Any:
    return moments(x, dim, correction, keepdim)


# --- softmax --------------------------------------------------------------------------


def folded(name: str, x: Symbol, dim: int) -> Symbol:
    """Reduce along a dimension, which stays with size 1."""
    if x.size == 0 or x.ndim == 0:
        raise Untraceable("of nothing, or a single number")
    return Symbol(x.graph, x.graph.reduce(name, x.node, (dim,), keepdim=True))


@rule("softmax")
def _softmax(x: Symbol, *, dim: int) -> Symbol:
    powers = op("exp", of_floats(x) - folded("amax", x, dim))
    return powers / folded("sum", powers, dim)


@rule("log_softmax")
def _log_softmax(x: Symbol, *, dim: int) -> Symbol:
    shifted = of_floats(x) - folded("amax", x, dim)
    return shifted - op("log", folded("sum", op("exp", shifted), dim))


@rule("softmax_backward")
def _softmax_backward(grad: Symbol, result: Symbol, *, dim: int) -> Symbol:
    product = grad * result
    return product - result * folded("sum", product, dim)


@rule("log_softmax_backward")
def _log_softmax_backward(grad: Symbol, result: Symbol, *, dim: int) -> Symbol:
    return grad - op("exp", result) * folded("sum", grad, dim)


# --- extremes and where they are ------------------------------------------------------


def position(x: Symbol, dim: int, keepdim: bool, name: str) -> Symbol:
    """Return the index of the first extreme along a dimension."""
    if x.ndim == 0 or x.dtype.kind != "f" or x.size == 0:
        raise Untraceable("the place of an extreme")
    return Symbol(x.graph, x.graph.argmax(x.node, dim, keepdim, op=name))


@rule("argmax")
def _argmax(x: Symbol, *, dim: int | None, keepdim: bool, name: str = "amax") -> Symbol:
    if dim is None:
        found = position(x.ravel(), 0, False, name)
        return found.reshape((1,) * x.ndim) if keepdim else found
    return position(x, dim, keepdim, name)


@rule("argmin")
def _argmin(x: Symbol, *, dim: int | None, keepdim: bool) -> Symbol:
    return _argmax(x, dim=dim, keepdim=keepdim, name="amin")


for _name, _extreme in {"max_dim": "amax", "min_dim": "amin"}.items():
    RULES[_name] = lambda x, *, dim, keepdim, extreme=_extreme: (
        Symbol(x.graph, x.graph.reduce(extreme, of_floats(x).node, (dim,), keepdim)),
        position(x, dim, keepdim, extreme),
    )
