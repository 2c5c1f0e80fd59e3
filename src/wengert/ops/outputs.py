"""Results that are written into tensors given as ``out``, and which these may be."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy import ndarray

from .. import dtypes, errors, inplace as in_place, modes
from ..tensor import Tensor, counter, level_of, rebind

REFUSALS = {
    "Expected out tensor to have dtype {c_result}, but got {c_out} instead": """
        addmm addmv alias_copy aminmax argmax argmin as_strided_copy baddbmm bmm
        cholesky_ex cross diag diagonal_copy expand_copy gather index_add index_copy
        isin linalg.cholesky linalg.cholesky_ex linalg.cross linalg.det linalg.eigh
        linalg.eigvalsh linalg.inv linalg.inv_ex linalg.ldl_factor linalg.ldl_factor_ex
        linalg.ldl_solve linalg.lu linalg.lu_factor linalg.lu_factor_ex linalg.lu_solve
        linalg.qr linalg.slogdet linalg.solve linalg.solve_ex linalg.svd linalg.svdvals
        linalg.vector_norm log_softmax lu_solve lu_unpack matmul mm msort norm
        permute_copy qr renorm scatter scatter_add slice_scatter softmax sort
        split_with_sizes_copy squeeze_copy svd t_copy take_along_dim topk transpose_copy
        triangular_solve tril triu unbind_copy unfold_copy unsqueeze_copy view_copy
    """,
    "Found dtype {out} but expected {result}": """
        abs absolute ceil conj_physical floor frac neg negative round sgn sign trunc
    """,
    "result dtype {out} does not match input dtype {result}": "dot vdot",
    "Expected the dtype for input and out to match, but got {result} for input's dtype "
    "and {out} for out's dtype.": "amax amin",
    "expected scalar_type {result} but found {out}": "cummax cummin logcumsumexp diff",
    "tensordot: Expected the output tensor to have dtype {result}, but got an output "
    "tensor with dtype {out}": "inner tensordot",
    "quantile() out tensor must be same dtype as the input tensor": """
        nanquantile quantile
    """,
    "index_select(): self and result must have the same scalar type": "index_select",
    "masked_select(): self and result must have the same scalar type": "masked_select",
    "take(): self and out expected to have the same dtype, but got self.dtype = "
    "{result} and out.dtype = {out}": "take",
    "Expected out type to be {result} but got {out}": "where",
    "output values must be of same type as input": "kthvalue",
    "expected scalar type '{result}' but got '{out}' for values output": "mode",
    "multinomial expects Long tensor out, got: {out}": "multinomial",
    "nan_to_num: dtype of out: {out} should be same as input: {result}": "nan_to_num",
    "linalg.{{name}} expected out tensor dtype {result} but got: {out}": """
        linalg.matrix_norm linalg.norm
    """,
    "{{name}} does not support non-boolean outputs.": "isneginf isposinf signbit",
    "{{name}} only supports bool tensor for result, got: {out}": "all any",
}
"""What ops say whose results are not cast to the dtype of ``out``."""

EXACT = {op: text for text, ops in REFUSALS.items() for op in ops.split()}
ANYTHING = {
    *("bernoulli", "cumprod", "cumsum", "eq", "ge", "gt", "le", "lt", "ne"),
    *("logical_and", "logical_not", "logical_or", "logical_xor"),
}
"""Ops whose results are cast to any dtype."""

APART = {
    *("aminmax", "cat", "column_stack", "cross", "dstack", "gather", "hstack", "kron"),
    *("index_select", "kthvalue", "linalg.cross", "masked_select", "mode", "outer"),
    *("stack", "take", "take_along_dim", "topk", "vstack"),
}
"""Ops that must not write where they read."""


def written(name: str, out: Any, args: tuple[Any, ...], result: Any) -> Any:
    """Write results into the tensors given as ``out`` and return these.

    Args:
        name: of the op.
        args: what it was called with.
    """
    if isinstance(result, tuple):
        pairs = zip(out, result, strict=True)
        found = [written(name, o, args, r) for o, r in pairs]
        make = getattr(type(result), "_make", tuple)
        return make(found)
    check_dtype(name, out, result)
    check_overlap(name, out, args)
    in_place.check_writable(out)
    if out.shape == result.shape:
        if name in ANYTHING:
            result = result.to(out.dtype)
        return in_place.assign(out, result)
    return resized(out, result)


def check_out(name: str, out: Any, args: tuple[Any, ...]) -> None:
    """Refuse to write where a derivative would be lost."""
    found = [*tensors(out), *tensors(args)]
    if modes.is_grad_enabled() and any([item.requires_grad for item in found]):
        raise RuntimeError(
            f"{name}(): functions with out=... arguments don't support automatic "
            "differentiation, but one of the arguments requires grad."
        )
    for item in found:
        if level_of(item):
            refuse_layers(name, item)


def tensors(values: Any) -> Iterator[Tensor]:
    """Yield the tensors among arguments, and in those that are lists of them."""
    for value in values if isinstance(values, tuple | list) else (values,):
        if isinstance(value, Tensor):
            yield value
        elif isinstance(value, tuple | list):
            yield from [item for item in value if isinstance(item, Tensor)]


def refuse_layers(name: str, tensor: Tensor) -> None:
    """Refuse ``out=`` where a tensor has a tangent, or is a batch."""
    from ..layers.batched import Batched
    from ..layers.dual import Dual
    from ..layers.level import active

    if level_of(tensor) not in active:
        return
    if isinstance(tensor._data, Dual):
        raise NotImplementedError(
            f"Trying to use forward AD with {name}_out that does not support it "
            "because it is an out= function"
        )
    if isinstance(tensor._data, Batched):
        raise RuntimeError(
            f"Batching rule not implemented for aten::{name}.out; the fallback path "
            "doesn't work on out= or view ops."
        )


def check_dtype(name: str, out: Tensor, result: Tensor) -> None:
    """Refuse an ``out`` of a dtype that the result is not written to."""
    wanted, have = out.dtype, result.dtype
    if wanted is have or name in ANYTHING:
        return
    text = EXACT.get(name)
    if text is not None:
        kinds = {"result": have.scalar_type, "out": wanted.scalar_type}
        kinds |= {"c_result": have.c_name, "c_out": wanted.c_name}
        short = name.rpartition(".")[2]
        raise RuntimeError(text.format(**kinds).format(name=short))
    if not dtypes.can_cast(have, wanted):
        raise RuntimeError(
            f"result type {have.scalar_type} can't be cast to the desired output type "
            f"{wanted.scalar_type}"
        )


def check_overlap(name: str, out: Tensor, args: tuple[Any, ...]) -> None:
    """Refuse an ``out`` that an op would write to while it reads there."""
    target = out._data
    if type(target) is not ndarray or (name in EXACT and name not in APART):
        return
    alone = target.base is None
    for item in tensors(args):
        source = item._data
        if type(source) is not ndarray:
            continue
        if alone and source.base is None and source is not target:
            continue  # each has memory of its own: a third of the time of looking
        if not np.may_share_memory(source, target):
            continue
        dense = source.flags.forc and target.flags.forc
        same = source.shape == target.shape and at_one_place(source, target)
        if name in APART or (dense and source.size == target.size and not same):
            raise errors.read_and_written()


def at_one_place(a: ndarray, b: ndarray) -> bool:
    """Whether two arrays have their elements at the same places of memory."""
    where = [array.__array_interface__["data"][0] for array in (a, b)]
    return where[0] == where[1] and a.strides == b.strides


def resized(out: Tensor, result: Tensor) -> Tensor:
    """Give a tensor another shape, with a warning unless it is empty."""
    if out.numel():
        warnings.warn(
            "An output with one or more elements was resized since it had shape "
            f"{list(out.shape)}, which does not match the required output shape "
            f"{list(result.shape)}. This behavior is deprecated, and in a future "
            "PyTorch release outputs will not be resized unless they have zero "
            "elements. You can explicitly reuse an out tensor t by resizing it, "
            "inplace, to zero elements with t.resize_(0).",
            UserWarning,
            stacklevel=4,
        )
    in_place.check_fits(out, out._data.shape, out._data.dtype)
    rebind(out, result._data.astype(out._data.dtype, copy=False), out._special)
    counter(out)[0] += 1
    return out
