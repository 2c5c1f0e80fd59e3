"""What a primitive becomes in the graph.

In this order: the rule of this file, if there is one; what its forward does to
`Symbol`s; its decomposition. What none of them can express runs as the eager primitive
at its place in every replay: an opaque ``call``.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from .graph import Graph
from .symbol import Symbol, Untraceable, node_of

Rule = Callable[..., Any]
RULES: dict[str, Rule] = {}


def rule(*names: str) -> Callable[[Rule], Rule]:
    """Enter a function of symbols as the rule of primitives."""

    def enter(function: Rule) -> Rule:
        RULES.update(dict.fromkeys(names, function))
        return function

    return enter


def lowered(primitive: Any, args: list[Any], params: dict[str, Any]) -> Any:
    """Return the results as symbols, or raise `Untraceable`.

    Args:
        args: symbols, Python numbers, None.
    """
    function = RULES.get(primitive.name, primitive.forward)
    try:
        results = function(*args, **params)
    except Untraceable:
        raise
    except (TypeError, ValueError, AttributeError, KeyError, IndexError) as error:
        # A forward that does what symbols cannot: the eager one runs in its place, and
        # if the fault is the user's, says so with the right words.
        raise Untraceable(f"{type(error).__name__}: {error}") from error
    for result in results if isinstance(results, tuple | list) else (results,):
        if not isinstance(result, Symbol):
            raise Untraceable("a result that is no array")
    return results


def graph_of(*values: Any) -> Graph:
    return next(value.graph for value in values if isinstance(value, Symbol))


def op(name: str, *symbols: Any) -> Symbol:
    """Add an elementwise op on symbols of one dtype, and numbers."""
    graph = graph_of(*symbols)
    operands = [x.node if isinstance(x, Symbol) else x for x in symbols]
    return Symbol(graph, graph.add(name, operands))


def of_floats(x: Symbol) -> Symbol:
    if x.dtype.kind != "f":
        raise Untraceable(f"of {x.dtype}")
    return x


# --- elementwise ----------------------------------------------------------------------

for _name in ("erf", "sigmoid", "rsqrt"):
    RULES[_name] = lambda x, name=_name: op(name, of_floats(x))


@rule("relu")
def _relu(x: Symbol) -> Symbol:
    return op("maximum", x, 0)


@rule("silu")
def _silu(x: Symbol) -> Symbol:
    return x * op("sigmoid", of_floats(x))


@rule("gelu")
def _gelu(x: Symbol) -> Symbol:
    return (op("erf", of_floats(x) * math.sqrt(0.5)) + 1) * 0.5 * x


@rule("gelu_backward")
def _gelu_backward(grad: Symbol, x: Symbol) -> Symbol:
    share = (op("erf", of_floats(x) * math.sqrt(0.5)) + 1) * 0.5
    return grad * (share + x * np.exp(x * x * -0.5) * math.sqrt(0.5 / math.pi))


def tanh_of_cubic(x: Symbol) -> Symbol:
    return np.tanh((of_floats(x) * x * 0.044715 + 1) * x * math.sqrt(2 / math.pi))


@rule("gelu_tanh")
def _gelu_tanh(x: Symbol) -> Symbol:
    return (tanh_of_cubic(x) + 1) * 0.5 * x


@rule("gelu_tanh_backward")
def _gelu_tanh_backward(grad: Symbol, x: Symbol) -> Symbol:
    t = tanh_of_cubic(x)
    slope = (x * x * (3 * 0.044715) + 1) * math.sqrt(2 / math.pi)
    return grad * ((t + 1) + x * (1 - t * t) * slope) * 0.5


@rule("softplus")
def _softplus(x: Symbol, *, beta: float, threshold: float) -> Symbol:
    scaled = of_floats(x) * beta
    soft = np.maximum(scaled, 0) + np.log1p(np.exp(-np.abs(scaled)))
    return op("where", scaled > threshold, x, soft / beta)


@rule("softplus_backward")
def _softplus_backward(
    grad: Symbol, x: Symbol, *, beta: float, threshold: float
) -> Symbol:
    scaled = of_floats(x) * beta
    return op("where", scaled > threshold, grad, grad * op("sigmoid", scaled))


@rule("mish")
def _mish(x: Symbol) -> Symbol:
    return x * np.tanh(_softplus(x, beta=1.0, threshold=20.0))


@rule("masked")
def _masked(x: Symbol, mask: Symbol) -> Symbol:
    return np.where(mask, x, 0)  # type: ignore[call-overload,no-any-return]


@rule("threshold_backward")
def _threshold_backward(grad: Symbol, result: Symbol) -> Symbol:
    return _masked(grad, result > 0)


@rule("where")
def _where(condition: Any, yes: Any, no: Any) -> Symbol:
    from .. import dtypes

    common = dtypes.result_dtype(yes, no)
    sides = [x.astype(common) if isinstance(x, Symbol) else x for x in (yes, no)]
    graph = graph_of(condition, yes, no)
    nodes = [
        node_of(graph, x, None if isinstance(x, Symbol) else common) for x in sides
    ]
    return Symbol(graph, graph.add("where", [node_of(graph, condition), *nodes]))


@rule("masked_fill_number")
def _masked_fill_number(x: Symbol, mask: Symbol, *, value: Any) -> Symbol:
    return op("where", mask, np.asarray(value, x.dtype).item(), x)


# --- copies ---------------------------------------------------------------------------


@rule("to_copy")
def _to_copy(x: Symbol, *, dtype: Any) -> Symbol:
    return x.astype(np.dtype(dtype))


@rule("clone")
def _clone(x: Symbol) -> Symbol:
    return x.copy()


@rule("copy")
def _copy(x: Symbol, src: Any) -> Symbol:
    graph = x.graph
    node = graph.cast(node_of(graph, src), x.dtype)
    return Symbol(graph, graph.expand(node, x.shape))


@rule("fill")
def _fill(x: Symbol, value: Any) -> Symbol:
    return _copy(x, value)


@rule("fill_number")
def _fill_number(x: Symbol, *, value: Any) -> Symbol:
    return np.full_like(x, value)  # type: ignore[call-overload,no-any-return]


@rule("zero")
def _zero(x: Symbol) -> Symbol:
    return _fill_number(x, value=0)


@rule("new_zeros")
def _new_zeros(x: Symbol, *, shape: tuple[int, ...]) -> Symbol:
    return Symbol(x.graph, x.graph.expand(x.graph.constant(0, x.dtype), shape))


# --- shapes ---------------------------------------------------------------------------


@rule("expand")
def _expand(x: Symbol, *, shape: tuple[int, ...]) -> Symbol:
    return x._seen_as(x.graph.expand(x.node, tuple(shape)))


@rule("expand_to")
def _expand_to(x: Symbol, *, shape: tuple[int, ...]) -> Symbol:
    return Symbol(x.graph, x.graph.expand(x.node, tuple(shape)))


@rule("spread")
def _spread(x: Symbol, *, shape: tuple[int, ...], by: int) -> Symbol:
    return _expand_to(x / by, shape=shape)


@rule("cat")
def _cat(*parts: Symbol, dim: int) -> Symbol:
    return np.concatenate(parts, axis=dim)  # type: ignore[arg-type,return-value]


@rule("stack")
def _stack(*parts: Symbol, dim: int) -> Symbol:
    shape = (*parts[0].shape[:dim], 1, *parts[0].shape[dim:])
    return _cat(*[part.reshape(shape) for part in parts], dim=dim)


# --- products of matrices -------------------------------------------------------------


def product(a: Symbol, b: Symbol) -> Symbol:
    """Return the matrix product of matrices, vectors and stacks of matrices."""
    if a.dtype != b.dtype or a.dtype.kind != "f":
        raise Untraceable(f"a product of {a.dtype} and {b.dtype}")
    left = a.reshape((1, a.size)) if a.ndim == 1 else a
    right = b.reshape((b.size, 1)) if b.ndim == 1 else b
    result = Symbol(a.graph, a.graph.matmul(left.node, right.node))
    shape = list(result.shape)
    if b.ndim == 1:
        del shape[-1]
    if a.ndim == 1:
        del shape[-1 if b.ndim == 1 else -2]
    return result.reshape(shape)


for _name in ("mm", "mv", "vm", "dot", "vdot", "bmm"):
    RULES[_name] = product


@rule("matmul")
def _matmul(a: Symbol, b: Symbol) -> Symbol:
    if b.ndim == 2 and a.ndim > 2:
        rows = a.reshape((-1, a.shape[-1])) if a.size else a
        return product(rows, b).reshape((*a.shape[:-1], b.shape[1]))
    return product(a, b)


@rule("linear", "linear_with_bias", "linear_of_stack", "linear_of_stack_with_bias")
def _linear(x: Symbol, weight: Symbol, bias: Symbol | None = None) -> Symbol:
    result = _matmul(x, weight.T)
    return result if bias is None else result + bias


@rule("linear_input_grad")
def _linear_input_grad(grad: Symbol, weight: Symbol) -> Symbol:
    return _matmul(grad, weight)


@rule("linear_weight_grad")
def _linear_weight_grad(grad: Symbol, x: Symbol) -> Symbol:
    columns = grad.reshape((-1, grad.shape[-1])).T if grad.size else grad.T
    return product(columns, x.reshape((-1, x.shape[-1])) if x.size else x)


@rule("addmm", "addmv", "baddbmm")
def _added(x: Symbol, a: Symbol, b: Symbol, *, beta: Any, alpha: Any) -> Symbol:
    result = product(a, b)
    if alpha != 1:
        result = result * alpha
    if beta == 0:
        return result
    return result + (x if beta == 1 else x * beta)


# --- elements picked by their indices -------------------------------------------------


def along(x: Symbol, dim: int, index: Symbol) -> Symbol:
    """Return the elements along a dimension that indices name."""
    if x.ndim == 0 or index.ndim != x.ndim:
        raise Untraceable("an index of other dimensions")
    ranges = [
        slice(None) if i == dim else slice(size) for i, size in enumerate(index.shape)
    ]
    return Symbol(x.graph, x.graph.gather(x[tuple(ranges)].node, dim, index.node))


@rule("gather")
def _gather(x: Symbol, index: Symbol, *, dim: int) -> Symbol:
    return along(x, dim, index)


@rule("gather_backward")
def _gather_backward(
    grad: Symbol, index: Symbol, *, dim: int, shape: tuple[int, ...]
) -> Symbol:
    rest = [n for i, n in enumerate(shape) if i != dim]
    if grad.ndim != len(shape) or rest != [
        n for i, n in enumerate(index.shape) if i != dim
    ]:
        raise Untraceable("an index smaller than the array")
    zeros = _new_zeros(grad, shape=shape)
    return Symbol(
        grad.graph, grad.graph.scatter_add(zeros.node, dim, index.node, grad.node)
    )


@rule("index_select")
def _index_select(x: Symbol, index: Symbol, *, dim: int) -> Symbol:
    if x.ndim == 0 or index.ndim != 1:
        raise Untraceable("an index that is no vector")
    return Symbol(x.graph, x.graph.index_select(x.node, dim, index.node))


@rule("embedding")
def _embedding(
    weight: Symbol, indices: Symbol, *, padding_idx: Any, scale_grad_by_freq: bool
) -> Symbol:
    picked = _index_select(weight, indices.reshape((indices.size,)), dim=0)
    return picked.reshape((*indices.shape, *weight.shape[1:]))


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


@rule("embedding_backward")
def _embedding_backward(
    grad: Symbol,
    indices: Symbol,
    *,
    shape: tuple[int, ...],
    padding_idx: int,
    scale_grad_by_freq: bool,
) -> Symbol:
    if padding_idx >= 0 or scale_grad_by_freq or len(shape) != 2:
        raise Untraceable("an embedding with padding, or scaled")
    rows = (indices.size, shape[1])
    graph = grad.graph
    index = graph.expand(indices.reshape((-1, 1)).node, rows)
    zeros = _new_zeros(grad, shape=shape)
    return Symbol(
        graph, graph.scatter_add(zeros.node, 0, index, grad.reshape(rows).node)
    )


# --- losses ---------------------------------------------------------------------------


def counted(x: Symbol, target: Symbol, weight: Any, ignore: int) -> tuple[Symbol, Any]:
    """Return which targets count, and how many, for class indices of rows."""
    if weight is not None or target.ndim != 1 or len(x.shape) > 2:
        raise Untraceable("a loss with weights, or of more than rows")
    counts = op("ne", target, ignore)
    return counts, counts.astype(x.dtype)


def total(x: Symbol) -> Symbol:
    return Symbol(x.graph, x.graph.sum(x.node))


@rule("nll_loss")
def _nll_loss(
    x: Symbol, target: Symbol, weight: Any, *, reduction: str, ignore_index: int
) -> Symbol:
    options = {"reduction": reduction, "ignore_index": ignore_index}
    if x.ndim == 1:
        row = _nll_loss(x.reshape((1, -1)), target.reshape((1,)), weight, **options)
        return row.reshape(())
    counts, ones = counted(x, target, weight, ignore_index)
    safe = op("where", counts, target, 0)
    picked = along(x, 1, safe.reshape((-1, 1))).reshape((-1,))
    losses = op("where", counts, op("neg", picked), 0)
    if reduction == "none":
        return losses
    return total(losses) / total(ones) if reduction == "mean" else total(losses)


@rule("nll_backward")
def _nll_backward(
    grad: Symbol,
    target: Symbol,
    weight: Any,
    *,
    shape: tuple[int, ...],
    reduction: str,
    ignore_index: int,
) -> Symbol:
    if len(shape) == 1:
        row = _nll_backward(
            grad.reshape((1,)) if reduction == "none" else grad,
            target.reshape((1,)),
            weight,
            shape=(1, *shape),
            reduction=reduction,
            ignore_index=ignore_index,
        )
        return row.reshape(shape)
    if len(shape) != 2:
        raise Untraceable("a loss of more than rows")
    counts, ones = counted(grad, target, weight, ignore_index)
    share = op("neg", grad)
    if reduction == "mean":
        share = share / total(ones)
    graph = grad.graph
    share = np.where(counts, share, 0)  # type: ignore[call-overload]
    column = Symbol(graph, graph.expand(share.node, (shape[0],))).reshape((-1, 1))
    classes = Symbol(graph, graph.iota(shape, 1, np.int32))
    chosen = op("eq", classes, target.astype(np.int32).reshape((-1, 1)))
    return op("where", chosen, column, 0)
