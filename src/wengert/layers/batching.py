"""How ops go over a batch: what `Batched` does with each primitive.

An elementwise op follows from its class. Of the others most need nothing but parameters
that count the hidden dimension: the lists below say which. The rest have a rule each,
or are called once for each element (right, slow, and counted in `looped`).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any

from ..primitive import Primitive
from ..primitives import matmul as M
from ..primitives.copying import copy
from ..primitives.loss import nll_backward, nll_loss
from ..primitives.loss_of_each import nll_each, nll_each_backward
from ..primitives.pooling import col2im, im2col
from ..primitives.shape import reshape, unsqueeze
from ..recording import numpy_dtype
from . import messages

Rule = Callable[..., Any]

looped: Counter[str] = Counter()
"""How often each primitive was called for one element of a batch at a time."""

ALIGNED = {"mul", "masked_fill", "masked_fill_number", "fill", "prelu"}
"""Ops that broadcast their inputs though they are not elementwise."""

TOGETHER = {
    *("cat", "stack", "gather", "gather_backward", "scatter", "scatter_value"),
    *("scatter_add", "scatter_reduce", "take_along", "put_along", "recurrence"),
    *("softmax_backward", "log_softmax_backward", "cross", "shares", "bmm"),
    *("select_scatter", "slice_scatter", "diagonal_scatter"),
    *("max_pool_backward", "take_pooled"),
}
"""Ops of several inputs of one rank, all of which get the batch as first dimension."""

FIRST = {
    *("index_select", "index_select_backward", "embedding_rows", "index_fill"),
}
"""Ops whose first input may be batched if the others are not."""

DYNAMIC = {"nonzero", "unique", "unique_dim", "unique_consecutive", "masked_select"}
"""Ops whose results have shapes that depend on values."""

# --- parameters -----------------------------------------------------------------------

DIMS = {"dim", "dims", "dim0", "dim1", "dim2", "axis"}
"""Parameters that number dimensions: they count one more."""

WHOLE = {"shape"}
"""Parameters that are the sizes of all dimensions: the batch's comes first."""

LEADING = {"before": 0, "after": 0, "repeats": 1, "index": slice(None)}
"""Parameters with an entry for each dimension, and the entry for the batch's."""

FIXED = {
    *("dtype", "keepdim", "correction", "ord", "descending", "stable", "largest", "k"),
    *("value", "offset", "diagonal", "reverse", "by", "sizes", "size", "step", "nan"),
    *("shifts", "num_classes", "repeated", "reduce", "include_self"),
    *("kernel_size", "stride", "padding", "dilation", "ceil_mode", "output_size"),
    *("count_include_pad", "divisor_override", "spatial"),
}
"""Parameters that have nothing to do with the other dimensions."""

UNSHIFTABLE = {
    *("as_strided", "strided_forward", "strided_backward", "diagonal_copy", "trace"),
    *("on_diagonal", "max", "min", "median", "nanmedian", "nonzero", "unique", "take"),
    *("take_backward", "masked_select", "bincount", "histogram", "searchsorted", "t"),
    *("index", "index_backward", "index_put", "block_diag", "view_dtype", "embedding"),
    *("kthvalue", "mode", "unique_dim", "unique_consecutive", "rot90"),
}
"""Ops whose parameters do not tell everything."""


def shift(params: dict[str, Any], rank: int, size: int) -> dict[str, Any] | None:
    """Return an op's parameters with the batch in front; None if that is not known.

    Args:
        rank: how many dimensions the op's input shows.
        size: the size of the batch.
    """
    shifted = dict(params)
    for name, value in params.items():
        if name in DIMS:
            if rank == 0 and value != ():
                return None
            shifted[name] = shift_dims(value, rank)
        elif name in WHOLE:
            shifted[name] = (size, *value)
        elif name in LEADING:
            shifted[name] = (LEADING[name], *value)
        elif name not in FIXED:
            return None
    return shifted


def shift_dims(dims: Any, rank: int) -> Any:
    """Count dimensions from one later; None stands for all."""
    if dims is None:
        return tuple(range(1, rank + 1))
    if isinstance(dims, int):
        return dims + 1
    return tuple([dim + 1 for dim in dims])


def is_aligned(primitive: Primitive) -> bool:
    """Whether an op's inputs are broadcast against each other."""
    return primitive.kind == "elementwise" or primitive.name in ALIGNED


def rule_of(primitive: Primitive) -> Rule | None:
    """Return the rule of an op that has one of its own."""
    return primitive.batch or rules.get(primitive.name)


def shiftable(primitive: Primitive) -> bool:
    """Whether an op of one array follows from its parameters."""
    return len(primitive.inputs) == 1 and primitive.name not in UNSHIFTABLE


# --- rules ----------------------------------------------------------------------------
#
# A rule is called with the size of the batch, for each input whether it is batched, the
# values (a batched one has the batch as its first dimension), and the parameters. It
# returns the value of the result, or NotImplemented, and then the op is looped.

rules: dict[str, Rule] = {}


def rule(*names: str) -> Callable[[Rule], Rule]:
    """Enter a rule for primitives."""

    def enter(function: Rule) -> Rule:
        for name in names:
            rules[name] = function
        return function

    return enter


@rule("mm", "bmm", "matmul")
def _matmul(size: int, batched: Sequence[bool], a: Any, b: Any) -> Any:
    if a.ndim - batched[0] < 2 or b.ndim - batched[1] < 2:
        return NotImplemented
    rank = max(a.ndim - batched[0], b.ndim - batched[1])
    a, b = aligned(a, batched[0], rank), aligned(b, batched[1], rank)
    # outer products: BLAS would be called for each element of the batch
    return a * b if a.shape[-1] == 1 else a @ b


@rule("mv")
def _mv(size: int, batched: Sequence[bool], matrix: Any, vector: Any) -> Any:
    if not batched[0]:
        return M.linear(vector, matrix)
    return (matrix @ vector.unsqueeze(-1)).squeeze(-1)


@rule("vm")
def _vm(size: int, batched: Sequence[bool], vector: Any, matrix: Any) -> Any:
    if not batched[1]:
        return M.mm(vector, matrix)
    return (vector.unsqueeze(-2) @ matrix).squeeze(-2)


@rule("dot")
def _dot(size: int, batched: Sequence[bool], a: Any, b: Any) -> Any:
    return (a * b).sum(-1)


@rule("vdot")
def _vdot(size: int, batched: Sequence[bool], a: Any, b: Any) -> Any:
    return (a.conj() * b).sum(-1)


@rule("t")
def _t(size: int, batched: Sequence[bool], matrix: Any) -> Any:
    return matrix.mT if matrix.ndim == 3 else matrix


@rule("permute")
def _permute(
    size: int, batched: Sequence[bool], value: Any, *, dims: Sequence[int]
) -> Any:
    return value.permute((0, *shift_dims(dims, 0)))


@rule("expand", "expand_to", "spread")
def _expand(
    size: int, batched: Sequence[bool], value: Any, *, shape: Sequence[int], by: int = 1
) -> Any:
    wide = aligned(value, True, len(shape)).expand((size, *shape))
    return wide if by == 1 else wide / by


def whole(name: str) -> Rule:
    """Return the rule of an op that reduces each element of the batch to a number."""

    def reduce(size: int, batched: Sequence[bool], value: Any) -> Any:
        if value.ndim == 1:
            return value.clone()
        return getattr(value, name)(tuple(range(1, value.ndim)))

    return reduce


def flat(name: str) -> Rule:
    """Return the rule of an op that takes an element of the batch for a vector."""

    def reduce(size: int, batched: Sequence[bool], value: Any, **params: Any) -> Any:
        if params.get("dim") is not None or params.get("keepdim"):
            return NotImplemented
        found = getattr(value.reshape((size, -1)), name)(1)
        return found[0] if isinstance(found, tuple) else found

    return reduce


def position(name: str) -> Rule:
    """Return the rule of an op that finds where an extreme is."""

    def find(
        size: int, batched: Sequence[bool], value: Any, *, dim: Any, keepdim: bool
    ) -> Any:
        if value.ndim == 1:
            return NotImplemented
        if dim is not None:
            return getattr(value, name)(dim + 1, keepdim)
        found = getattr(value.reshape((size, -1)), name)(1)
        return found.reshape((size, *(1,) * (value.ndim - 1))) if keepdim else found

    return find


rules |= {name: position(name) for name in ("argmax", "argmin")}
rules |= {name: whole(name) for name in ("sum", "mean")}
rules["max"], rules["min"] = whole("amax"), whole("amin")
rules |= {name: flat(name) for name in ("prod", "median", "nanmedian")}


@rule("linear", "linear_of_stack", "linear_with_bias", "linear_of_stack_with_bias")
def _linear(
    size: int, batched: Sequence[bool], input: Any, weight: Any, bias: Any = None
) -> Any:
    if any(batched[1:]):
        result = by_matrices(batched, input, weight.mT if batched[1] else weight.t())
        if bias is None:
            return result
        return result + aligned(bias, batched[2], result.ndim - 1)
    if bias is None:
        return M.linear(input, weight)
    return M.linear_with_bias(input, weight, bias)


@rule("linear_input_grad")
def _linear_input_grad(
    size: int, batched: Sequence[bool], grad: Any, weight: Any
) -> Any:
    if batched[1]:
        return by_matrices(batched, grad, weight)
    return M.input_grad(grad, weight)


def by_matrices(batched: Sequence[bool], input: Any, matrix: Any) -> Any:
    """Return the product of an input of any rank with a matrix, either batched."""
    rank = input.ndim - batched[0]
    if rank == 1:
        wide = unsqueeze(input, dim=rank - 1 + batched[0])
        return by_matrices(batched, wide, matrix).squeeze(-2)
    return aligned(input, batched[0], rank) @ aligned(matrix, batched[1], rank)


@rule("linear_weight_grad")
def _linear_weight_grad(
    size: int, batched: Sequence[bool], grad: Any, input: Any
) -> Any:
    ranks = [grad.ndim - batched[0], input.ndim - batched[1]]
    if ranks == [1, 1] and all(batched):
        return M.bmm(unsqueeze(grad, dim=2), unsqueeze(input, dim=1))
    columns, rows = [
        reshape(value, shape=((size,) if has else ()) + (-1, value.shape[-1]))
        for value, has in zip((grad, input), batched, strict=True)
    ]
    return columns.mT @ rows


@rule("addmm")
def _addmm(
    size: int,
    batched: Sequence[bool],
    self: Any,
    mat1: Any,
    mat2: Any,
    *,
    beta: Any,
    alpha: Any,
) -> Any:
    product = mat1 @ mat2
    return aligned(self, batched[0], 2) * beta + product * alpha


@rule("embedding")
def _embedding(
    size: int,
    batched: Sequence[bool],
    weight: Any,
    indices: Any,
    **params: Any,
) -> Any:
    from ..primitives.gathering import embedding

    if batched[0]:
        return NotImplemented
    return embedding(weight, indices, **params)


def contiguous(dims: Sequence[int]) -> bool:
    """Whether dimensions follow each other."""
    return list(dims) == list(range(dims[0], dims[0] + len(dims)))


@rule("copy")
def _copy(size: int, batched: Sequence[bool], self: Any, src: Any) -> Any:
    rank = self.ndim - batched[0]
    (self,) = together((self,), batched[:1], size)
    return copy(self, aligned(src, batched[1], rank))


@rule("im2col", "col2im")
def _folding(size: int, batched: Sequence[bool], self: Any, **params: Any) -> Any:
    fold = im2col if "output_size" not in params else col2im
    found = fold(joined(self), **params)
    return reshape(found, shape=(size, -1, *found.shape[1:]))


@rule("index")
def _index(
    size: int, batched: Sequence[bool], self: Any, *indices: Any, dims: Sequence[int]
) -> Any:
    from ..primitives.indexing import index

    for has, value in zip(batched[1:], indices, strict=True):
        if has and numpy_dtype(value).kind == "b":
            raise messages.dynamic_shape("an index that is a mask")
    if not contiguous(dims):
        return NotImplemented
    if not any(batched[1:]):
        return index(self, *indices, dims=shift_dims(dims, 0))
    if not batched[0]:
        if dims[0]:
            return NotImplemented
        rank = max(i.ndim - b for i, b in zip(indices, batched[1:], strict=True))
        wide = [aligned(i, b, rank) for i, b in zip(indices, batched[1:], strict=True)]
        return index(self, *wide, dims=dims)
    return (
        NotImplemented if dims[0] else _index_rows(size, batched, self, indices, dims)
    )


def _index_rows(
    size: int, batched: Sequence[bool], self: Any, indices: Any, dims: Sequence[int]
) -> Any:
    """Index each element of the batch by its own indices."""
    from ..ops.public import namespace
    from ..primitives.indexing import index

    rank = max(i.ndim - b for i, b in zip(indices, batched[1:], strict=True))
    rows = namespace["arange"](size).reshape((size, *(1,) * rank))
    wide = [aligned(i, b, rank) for i, b in zip(indices, batched[1:], strict=True)]
    return index(self, rows, *wide, dims=(0, *shift_dims(dims, 0)))


@rule("index_backward")
def _index_backward(
    size: int,
    batched: Sequence[bool],
    self: Any,
    *indices: Any,
    dims: Sequence[int],
    shape: Sequence[int],
) -> Any:
    from ..primitives.indexing import index_backward

    if any(batched[1:]) or not contiguous(dims):
        return NotImplemented
    return index_backward(
        self, *indices, dims=shift_dims(dims, 0), shape=(size, *shape)
    )


@rule("nll_loss", "nll_loss2d")
def _nll_loss(
    size: int,
    batched: Sequence[bool],
    logs: Any,
    target: Any,
    weight: Any,
    *,
    reduction: str,
    ignore_index: int,
) -> Any:
    if batched[2]:
        return NotImplemented
    logs, target = together((logs, target), batched[:2], size)
    options = {"reduction": reduction, "ignore_index": ignore_index}
    if reduction == "none" and target.ndim == 1:
        options["reduction"] = "sum"
    if options["reduction"] != "none":
        return nll_each(logs, target, weight, **options)
    losses = nll_loss(joined(logs), joined(target), weight, **options)
    return reshape(losses, shape=tuple(target.shape))


@rule("nll_backward")
def _nll_backward(
    size: int,
    batched: Sequence[bool],
    grad: Any,
    target: Any,
    weight: Any,
    *,
    shape: Sequence[int],
    reduction: str,
    ignore_index: int,
) -> Any:
    if batched[2]:
        return NotImplemented
    wide = (size, *shape)
    options = {"reduction": reduction, "ignore_index": ignore_index}
    if reduction == "none":
        grad, target = together((grad, target), batched[:2], size)
        if target.ndim == 1:
            options["reduction"] = "sum"
    elif not batched[1]:
        (target,) = together((target,), batched[1:2], size)
    if options["reduction"] != "none":
        return nll_each_backward(grad, target, weight, shape=wide, **options)
    flat = (size * shape[0], *shape[1:])
    found = nll_backward(joined(grad), joined(target), weight, shape=flat, **options)
    return reshape(found, shape=wide)


@rule("nll_each")
def _nll_each(
    size: int,
    batched: Sequence[bool],
    logs: Any,
    target: Any,
    weight: Any,
    **options: Any,
) -> Any:
    if batched[2]:
        return NotImplemented
    logs, target = together((logs, target), batched[:2], size)
    losses = nll_each(joined(logs), joined(target), weight, **options)
    return reshape(losses, shape=tuple(target.shape[:2]))


@rule("nll_each_backward")
def _nll_each_backward(
    size: int,
    batched: Sequence[bool],
    grad: Any,
    target: Any,
    weight: Any,
    *,
    shape: Sequence[int],
    **options: Any,
) -> Any:
    if batched[2]:
        return NotImplemented
    grad, target = together((grad, target), batched[:2], size)
    if grad.ndim == 1:  # the same for all elements of the inner batch
        grad = grad.unsqueeze(1).expand(target.shape[:2])
    flat = (size * shape[0], *shape[1:])
    found = nll_each_backward(
        joined(grad), joined(target), weight, shape=flat, **options
    )
    return reshape(found, shape=(size, *shape))


def joined(value: Any) -> Any:
    """Make one of the batch's dimension and the next."""
    return reshape(value, shape=(-1, *value.shape[2:]))


# --- helpers of rules -----------------------------------------------------------------


def aligned(value: Any, batched: bool, rank: int) -> Any:
    """Insert dimensions of size 1 after the batch's until `rank` others follow it."""
    if not batched:
        return value
    batch, *shape = value.shape
    missing = rank - len(shape)
    if missing <= 0:
        return value
    return reshape(value, shape=(batch, *(1,) * missing, *shape))


def together(values: Sequence[Any], batched: Sequence[bool], size: int) -> list[Any]:
    """Give every value the batch as its first dimension."""
    return [
        value
        if has or not hasattr(value, "shape")
        else value.unsqueeze(0).expand((size, *value.shape))
        for value, has in zip(values, batched, strict=True)
    ]
