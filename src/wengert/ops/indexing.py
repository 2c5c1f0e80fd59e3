"""``x[index]``, `select` and `narrow`; see Note [Basic and advanced indexing]."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from .. import dtypes
from ..primitives import indexing as I
from ..primitives.joining import position, section
from ..tensor import Tensor
from .arguments import normalize_dim
from .index_parsing import (
    PLAIN,
    Parsed,
    array_index_error,
    index_error,
    parse,
    simple_step,
)
from .public import op

STEPS = {
    "select": I.basic_select,
    "slice": I.basic_slice,
    "unsqueeze": I.basic_unsqueeze,
    "alias": I.basic_alias,
}

# --- one place, one section -----------------------------------------------------------


@op(out=False)
def select(input: Tensor, dim: int, index: Any) -> Tensor:
    """Return a view of one place along a dimension, which the view no longer has.

    >>> import wengert as torch
    >>> torch.arange(6).view(2, 3).select(1, -1)
    tensor([2, 5])
    """
    shape = input.shape
    if not shape:
        raise IndexError("select() cannot be applied to a 0-dim tensor.")
    dim, index = normalize_dim(dim, len(shape)), int(index)
    if not -shape[dim] <= index < shape[dim]:
        raise IndexError(
            f"select(): index {index} out of range for tensor of size {list(shape)} at "
            f"dimension {dim}"
        )
    result: Tensor = I.basic_select(input, index=position(dim, index))
    return result


@op(out=False)
def narrow(input: Tensor, dim: int, start: Any, length: int) -> Tensor:
    """Return a view of a section of a dimension.

    Args:
        start: where it begins; a negative number counts from the end.
        length: its size.

    >>> import wengert as torch
    >>> torch.arange(5).narrow(0, 1, 3)
    tensor([1, 2, 3])
    """
    shape = input.shape
    if not shape:
        raise RuntimeError("narrow() cannot be applied to a 0-dim tensor.")
    if length < 0:
        raise RuntimeError("narrow(): length must be non-negative.")
    if isinstance(start, Tensor) and (
        start.shape or start.dtype.category != dtypes.INT
    ):
        raise RuntimeError("start must be an 0-dim integral Tensor.")
    dim, start = normalize_dim(dim, len(shape)), int(start)
    size = shape[dim]
    if not -size <= start <= size:
        raise IndexError(
            f"start out of range (expected to be in range of [{-size}, {size}], but "
            f"got {start})"
        )
    start += size if start < 0 else 0
    if start + length > size:
        raise RuntimeError(
            f"start ({start}) + length ({length}) exceeds dimension size ({size})."
        )
    result: Tensor = I.basic_slice(input, index=section(dim, start, start + length))
    return result


# --- reading --------------------------------------------------------------------------


def __getitem__(self: Tensor, index: Any) -> Any:
    kind = type(index)
    try:
        if kind is int:
            return I.basic_select(self, index=(index, ...))
        if kind is tuple:
            step = simple_step(self, index)
            if step is not None:
                return STEPS[step](self, index=(*index, ...))
        elif kind is slice:
            if index.step is None and are_plain(index.start, index.stop) and self.shape:
                return I.basic_slice(self, index=(index, ...))
        elif kind is Tensor and index.shape and index.dtype in SINGLE:
            return I.index(self, index, dims=(0,))
        elif index is None:
            return I.basic_unsqueeze(self, index=(None, ...))
    except IndexError as error:
        if kind is not Tensor:
            raise index_error(self, index, error) from None
    return parsed_getitem(self, index)


def are_plain(start: Any, stop: Any) -> bool:
    """Whether the ends of a slice are Python's integers or left out."""
    return type(start) in PLAIN and type(stop) in PLAIN


SINGLE = {dtypes.int64, dtypes.bool_}
"""The dtypes of tensors that NumPy takes for an index as PyTorch does."""


def parsed_getitem(self: Tensor, index: Any) -> Any:
    """Return the elements at any index."""
    if type(index) is slice and not self.shape:
        raise IndexError("slice() cannot be applied to a 0-dim tensor.")
    parsed = parse(self, index)
    result = self
    if parsed.step is not None:
        result = shown(self, parsed, index)
    elif not parsed.indices:
        step = "slice" if type(index) is slice else "alias"
        result = STEPS[step](self, index=(*parsed.basic, ...))
    if parsed.indices:
        try:
            result = I.index(result, *parsed.indices, dims=tuple(parsed.dims))
        except IndexError as error:
            raise array_index_error(parsed.indices, error) from None
    return result


def shown(self: Tensor, parsed: Parsed, index: Any) -> Tensor:
    """Return the view at the basic part of an index."""
    assert parsed.step is not None
    try:
        view: Tensor = STEPS[parsed.step](self, index=(*parsed.basic, ...))
    except IndexError as error:
        raise index_error(self, index, error) from None
    return view


def __iter__(self: Tensor) -> Iterator[Tensor]:
    if not self.shape:
        raise TypeError("iteration over a 0-d tensor")
    return iter(self.unbind())


def __reversed__(self: Tensor) -> Tensor:
    return self.flip(0) if self.shape else self


Tensor.__reversed__ = __reversed__
Tensor.__iter__ = __iter__  # type: ignore[method-assign]
Tensor.__getitem__ = __getitem__  # type: ignore[method-assign]
