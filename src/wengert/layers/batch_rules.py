"""The rules of ops that go over a batch in a way of their own, see `batching`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ..primitives import matmul as M
from ..primitives.copying import copy
from ..primitives.indexing import index, index_backward, index_clear, index_put
from ..primitives.loss import nll_backward, nll_loss
from ..primitives.loss_of_each import nll_each, nll_each_backward
from ..primitives.pooling import col2im, im2col
from ..primitives.searching import searchsorted
from ..primitives.shape import reshape, unsqueeze
from ..primitives.strided import as_strided
from ..recording import numpy_dtype
from . import messages
from .batching import Rule, aligned, rule, rules, shift_dims, together


@rule("mm", "bmm", "matmul")
def _matmul(size: int, batched: Sequence[bool], a: Any, b: Any) -> Any:
    if a.ndim - batched[0] < 2 or b.ndim - batched[1] < 2:
        return NotImplemented
    rank = max(a.ndim - batched[0], b.ndim - batched[1])
    return aligned(a, batched[0], rank) @ aligned(b, batched[1], rank)


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
        rank = max([i.ndim - b for i, b in zip(indices, batched[1:], strict=True)])
        wide = [aligned(i, b, rank) for i, b in zip(indices, batched[1:], strict=True)]
        return index(self, *wide, dims=dims)
    key = key_of_batch(size, batched[1:], indices, dims)
    return NotImplemented if key is None else index(self, *key[0], dims=key[1])


@rule("index_backward")
def _index_backward(
    size: int,
    batched: Sequence[bool],
    self: Any,
    *indices: Any,
    dims: Sequence[int],
    shape: Sequence[int],
) -> Any:
    key = key_of_batch(size, batched[1:], indices, dims)
    if key is None:
        return NotImplemented
    (self,) = together((self,), batched[:1], size)
    return index_backward(self, *key[0], dims=key[1], shape=(size, *shape))


@rule("index_put")
def _index_put(
    size: int,
    batched: Sequence[bool],
    self: Any,
    values: Any,
    *indices: Any,
    dims: Sequence[int],
    accumulate: bool,
) -> Any:
    key = key_of_batch(size, batched[2:], indices, dims)
    if key is None:
        return NotImplemented
    (self,) = together((self,), batched[:1], size)
    rank = max([i.ndim - has for i, has in zip(indices, batched[2:], strict=True)])
    values = aligned(values, batched[1], self.ndim - 1 - len(dims) + rank)
    return index_put(self, values, *key[0], dims=key[1], accumulate=accumulate)


@rule("index_clear")
def _index_clear(
    size: int, batched: Sequence[bool], self: Any, *indices: Any, dims: Sequence[int]
) -> Any:
    key = key_of_batch(size, batched[1:], indices, dims)
    if key is None:
        return NotImplemented
    (self,) = together((self,), batched[:1], size)
    return index_clear(self, *key[0], dims=key[1])


def key_of_batch(
    size: int, batched: Sequence[bool], indices: Sequence[Any], dims: Sequence[int]
) -> tuple[list[Any], tuple[int, ...]] | None:
    """Return indices of the whole batch and their dimensions; None if there are none.

    If each element has its own indices, the element's number is one more of them.
    """
    from ..ops.public import namespace

    pairs = list(zip(indices, batched, strict=True))
    if not contiguous(dims) or any([numpy_dtype(i).kind == "b" for i in indices]):
        return None
    places = shift_dims(dims, 0)
    if not any(batched):
        return list(indices), places
    if dims[0]:
        return None
    rank = max([i.ndim - has for i, has in pairs])
    rows = namespace["arange"](size).reshape((size, *(1,) * rank))
    return [rows, *[aligned(i, has, rank) for i, has in pairs]], (0, *places)


@rule("as_strided")
def _as_strided(
    count: int,
    batched: Sequence[bool],
    value: Any,
    /,
    *,
    size: Sequence[int],
    stride: Sequence[int],
    offset: int,
    own: Sequence[int],
) -> Any:
    from .memory import memory_below

    found = memory_below(value)
    if found is None:
        return NotImplemented
    memory, hidden = found
    step = memory.strides[hidden] // memory.itemsize
    return as_strided(
        value,
        size=(count, *size),
        stride=(step, *stride),
        offset=offset,
        own=(step, *own),
    )


@rule("searchsorted")
def _searchsorted(
    size: int, batched: Sequence[bool], sequence: Any, values: Any, **params: Any
) -> Any:
    if not batched[0] and sequence.ndim == 1:
        return searchsorted(sequence, values, **params)
    sequence, values = together((sequence, values), batched, size)
    rows = values.reshape((size, -1)) if sequence.ndim == 2 else values
    return searchsorted(sequence, rows, **params).reshape(values.shape)


@rule("trace")
def _trace(size: int, batched: Sequence[bool], matrix: Any) -> Any:
    return matrix.diagonal(0, 1, 2).sum(-1)


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
