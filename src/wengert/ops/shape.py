"""Ops that give a tensor another shape: views of the same memory where possible."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

from numpy import ndarray

from .. import dtypes, errors, modes
from ..inplace import check_writable, name_written
from ..primitives import shape as S
from ..tensor import Tensor, counter, history, level_of, rebind
from ..views import View, turned
from .arguments import (
    Shape,
    as_tuple,
    inferred_shape,
    memory_of,
    normalize_dim,
    normalize_dims,
    numel,
    shape_from,
)
from .public import Function, namespace, op

# --- changing the shape in place ------------------------------------------------------


def view_op(*aliases: str) -> Callable[[Function], Function]:
    """Publish an op whose in-place twin makes of the tensor itself the view."""

    def decorate(function: Function) -> Function:
        changed = becoming(function)
        for name in (function.__name__, *aliases):
            setattr(Tensor, name + "_", changed)
            namespace[name + "_"] = changed
        return op(*aliases, out=False)(function)

    return decorate


def becoming(function: Function) -> Function:
    """Return the in-place twin of an op that returns a view."""

    def call(self: Tensor, *args: Any, **kwargs: Any) -> Tensor:
        check_writable(self)
        shown = function(self, *args, **kwargs)
        if modes.is_grad_enabled_at(level_of(self)):
            self._node = history(shown)
            name_written(self._node)
        was_view = isinstance(self._special, View)
        rebind(self, shown._data, shown._special if was_view else self._special)
        version = counter(self)
        version[0] += 1
        if isinstance(self._special, View):
            self._special.version = version[0]
        elif type(self._data) is ndarray:
            turned[id(self)] = self
        return self

    call.__name__ = call.__qualname__ = function.__name__ + "_"
    call.__doc__ = f"Make of this tensor itself what `{function.__name__}` returns."
    return call


# --- reshaping ------------------------------------------------------------------------


@op(function=False)
def view(input: Tensor, *shape: Any, **named: Any) -> Tensor:
    """Return a tensor that shows the same elements with another shape.

    Args:
        shape: the sizes; one may be -1 and is inferred. A dtype instead shows the same
            memory as another type.

    Raises:
        RuntimeError: the sizes do not fit, or the memory layout allows no such view.

    >>> import wengert as torch
    >>> torch.arange(6).view(2, -1)
    tensor([[0, 1, 2],
            [3, 4, 5]])
    """
    result = plainly_viewed(input, shape)
    if result is not None:
        return result
    if named:
        shape = (named.popitem()[1],)
    if not shape:
        raise TypeError("view() received an invalid combination of arguments - got ()")
    if isinstance(shape[0], dtypes.dtype):
        return view_dtype(input, shape[0])
    result = S.reshape(input, shape=new_shape(input, shape, "view", "size"))
    if isinstance(result, Tensor) and result._special is None:
        raise RuntimeError(
            "view size is not compatible with input tensor's size and stride (at least "
            "one dimension spans across two contiguous subspaces). Use .reshape(...) "
            "instead."
        )
    return result


@op(out=False)
def reshape(input: Tensor, *shape: Any, **named: Any) -> Tensor:
    """Return the elements with another shape: a view if that is possible, else a copy.

    Args:
        shape: the sizes; one may be -1 and is inferred.

    >>> import wengert as torch
    >>> torch.arange(6).reshape(2, 3).T.reshape(-1)
    tensor([0, 3, 1, 4, 2, 5])
    """
    result = plainly_viewed(input, shape)
    if result is not None:
        return result
    if named:
        shape = (named.popitem()[1],)
    return reshaped(input, new_shape(input, shape, "reshape", "shape"))


def plainly_viewed(input: Tensor, shape: tuple[Any, ...]) -> Tensor | None:
    """Return the view if the sizes and the memory are plain ones, else None.

    NumPy then does what `inferred_shape` does for the others.
    """
    if len(shape) == 1 and isinstance(shape[0], tuple):
        (shape,) = shape
    memory = input._data
    try:
        if type(memory) is ndarray and memory.flags.c_contiguous and min(shape) >= -1:
            result: Tensor = S.reshape(input, shape=shape)
            return result
    except (TypeError, ValueError):
        pass
    return None


def new_shape(input: Tensor, given: tuple[Any, ...], op: str, name: str) -> Shape:
    """Return the sizes to reshape to, which must go with the number of elements."""
    memory = memory_of(input)
    count = numel(input.shape) if memory is None else memory.size
    return inferred_shape(shape_from(given, op, name), count)


def reshaped(input: Tensor, shape: Shape) -> Tensor:
    """Return a view of this shape, or a copy where there can be none."""
    memory = memory_of(input)
    if memory is None or memory.flags.c_contiguous or has_view(memory, shape):
        result: Tensor = S.reshape(input, shape=shape)
        return result
    copy: Tensor = S.reshape_copy(input, shape=shape)
    return copy


def has_view(memory: Any, shape: Shape) -> bool:
    """Whether the elements can be shown with another shape without copying.

    Neighbouring dimensions that step through memory as one can be divided anew; no new
    dimension may reach across two such groups.
    """
    groups: list[list[int]] = []
    for size, stride in zip(memory.shape, memory.strides, strict=True):
        if size == 1:
            continue
        if groups and groups[-1][1] == size * stride:
            groups[-1][0] *= size
            groups[-1][1] = stride
        else:
            groups.append([size, stride])
    left = [size for size in shape if size != 1]
    for count, _ in groups:
        while count > 1 and left and count % left[0] == 0:
            count //= left.pop(0)
        if count > 1:
            return False
    return True


@op(out=False)
def view_as(input: Tensor, other: Tensor) -> Tensor:
    """Return a view with the shape of another tensor."""
    return view(input, tuple(other.shape))


@op(out=False)
def reshape_as(input: Tensor, other: Tensor) -> Tensor:
    """Return the elements with the shape of another tensor."""
    return reshape(input, tuple(other.shape))


@op(out=False)
def flatten(input: Tensor, start_dim: int = 0, end_dim: int = -1) -> Tensor:
    """Return the elements with a range of dimensions made one.

    Args:
        start_dim: the first of these dimensions.
        end_dim: the last, which belongs to them.

    >>> import wengert as torch
    >>> torch.zeros(2, 3, 4).flatten(1).shape
    torch.Size([2, 12])
    """
    shape = input.shape
    ndim = len(shape)
    if end_dim == -1 and 0 <= start_dim < ndim - 1:
        result = plainly_viewed(input, (*shape[:start_dim], -1))
        if result is not None:
            return result
    start, end = normalize_dim(start_dim, ndim), normalize_dim(end_dim, ndim)
    if start > end:
        raise RuntimeError(
            "flatten() has invalid args: start_dim cannot come after end_dim"
        )
    if not shape:
        return reshaped(input, (1,))
    if start == end:
        return input
    middle = numel(shape[start : end + 1])
    return reshaped(input, (*shape[:start], middle, *shape[end + 1 :]))


@op(out=False)
def ravel(input: Tensor) -> Tensor:
    """Return the elements in one dimension."""
    shape = input.shape
    return input if len(shape) == 1 else reshaped(input, (numel(shape),))


@op(out=False)
def unflatten(input: Tensor, dim: int, sizes: Any) -> Tensor:
    """Return the elements with one dimension divided into several.

    >>> import wengert as torch
    >>> torch.arange(4).unflatten(0, (2, 2))
    tensor([[0, 1],
            [2, 3]])
    """
    shape = tuple(input.shape)
    dim = normalize_dim(dim, len(shape))
    wanted = shape_from((sizes,), "unflatten", "sizes")
    if not wanted:
        raise RuntimeError("unflatten: sizes must be non-empty")
    try:
        found = inferred_shape(wanted, shape[dim])
    except RuntimeError as error:
        if wanted.count(-1) > 1:
            raise
        raise RuntimeError(
            f"unflatten: Provided sizes {list(wanted)} don't multiply up to the size "
            f"of dim {dim} ({shape[dim]}) in the input tensor"
        ) from error
    return view(input, (*shape[:dim], *found, *shape[dim + 1 :]))


def view_dtype(input: Tensor, dtype: dtypes.dtype) -> Tensor:
    """Return a view of the same memory as elements of another dtype."""
    old, new = input.dtype, dtype
    if old.itemsize != new.itemsize:
        check_resized_view(input, old, new)
    result: Tensor = S.view_dtype(input, dtype=new.numpy)
    result._counter = counter(input)
    return result


def check_resized_view(input: Tensor, old: dtypes.dtype, new: dtypes.dtype) -> None:
    """Refuse a dtype whose size does not go with the last dimension."""
    change = f"to view {old.scalar_type} as {new.scalar_type} (different element sizes)"
    shape = input.shape
    if not shape:
        raise RuntimeError(f"self.dim() cannot be 0 {change}")
    ratio = max(new.itemsize // old.itemsize, 1)
    if shape[-1] % ratio:
        raise RuntimeError(
            f"self.size(-1) must be divisible by {ratio} {change}, but got {shape[-1]}"
        )
    if input.stride(-1) != 1:
        raise RuntimeError(
            f"self.stride(-1) must be 1 {change}, but got {input.stride(-1)}"
        )


# --- dimensions of size 1 -------------------------------------------------------------


@view_op()
def unsqueeze(input: Tensor, dim: int) -> Tensor:
    """Return a view with a new dimension of size 1 at `dim`.

    >>> import wengert as torch
    >>> torch.zeros(3).unsqueeze(1).shape
    torch.Size([3, 1])
    """
    try:
        if dim < 0:
            dim = normalize_dim(dim, len(input.shape) + 1)
        result: Tensor = S.unsqueeze(input, dim=dim)
    except IndexError:
        raise errors.dim_out_of_range(dim, len(input.shape) + 1) from None
    return result


@view_op()
def squeeze(input: Tensor, dim: Any = None) -> Tensor:
    """Return a view without dimensions of size 1: all of them, or those named.

    >>> import wengert as torch
    >>> torch.zeros(1, 3, 1).squeeze().shape, torch.zeros(1, 3, 1).squeeze(0).shape
    (torch.Size([3]), torch.Size([3, 1]))
    """
    shape = input.shape
    if dim is None:
        declared, dims = S.squeeze_all, tuple(range(len(shape)))
    elif isinstance(dim, (tuple, list)):
        declared, dims = S.squeeze_dims, normalize_dims(dim, len(shape))
    else:
        declared, dims = S.squeeze_dim, (normalize_dim(dim, len(shape)),)
    dims = tuple([d for d in dims if d < len(shape) and shape[d] == 1])
    result: Tensor = declared(input, dims=dims)
    return result


# --- order of dimensions --------------------------------------------------------------


@op(out=False)
def permute(input: Tensor, *dims: Any, **named: Any) -> Tensor:
    """Return a view with the dimensions in another order.

    Args:
        dims: for each dimension of the result, which one of the input it is.

    >>> import wengert as torch
    >>> torch.zeros(2, 3, 4).permute(2, 0, 1).shape
    torch.Size([4, 2, 3])
    """
    if len(dims) == 1 and isinstance(dims[0], tuple):
        (dims,) = dims
    try:
        if min(dims) >= 0:
            result: Tensor = S.permute(input, dims=dims)
            return result
    except (TypeError, ValueError):
        pass
    return permuted(input, (named.popitem()[1],) if named else dims)


def permuted(input: Tensor, dims: tuple[Any, ...]) -> Tensor:
    """Do what `permute` does for dimensions that are negative, or wrong."""
    order = shape_from(dims, "permute", "dims")
    ndim = len(input.shape)
    if len(order) != ndim:
        raise RuntimeError(
            "permute(sparse_coo): number of dimensions in the tensor input does not "
            "match the length of the desired ordering of dimensions i.e. input.dim() = "
            f"{ndim} is not equal to len(dims) = {len(order)}"
        )
    order = tuple([normalize_dim(dim, ndim) for dim in order])
    if len(set(order)) != ndim:
        raise RuntimeError("permute(): duplicate dims are not allowed.")
    result: Tensor = S.permute(input, dims=order)
    return result


@view_op("swapaxes", "swapdims")
def transpose(input: Tensor, dim0: int, dim1: int) -> Tensor:
    """Return a view with two dimensions exchanged.

    >>> import wengert as torch
    >>> torch.zeros(2, 3, 4).transpose(0, -1).shape
    torch.Size([4, 3, 2])
    """
    ndim = len(input.shape)
    dim0, dim1 = normalize_dim(dim0, ndim), normalize_dim(dim1, ndim)
    if not ndim:
        result: Tensor = S.alias(input)
    else:
        result = S.transpose(input, dim0=dim0, dim1=dim1)
    return result


@view_op()
def t(input: Tensor) -> Tensor:
    """Return the transpose of a matrix; a vector as it is."""
    ndim = len(input.shape)
    if ndim > 2:
        raise RuntimeError(
            f"t() expects a tensor with <= 2 dimensions, but self is {ndim}D"
        )
    result: Tensor = S.t(input)
    return result


@op("moveaxis", out=False)
def movedim(input: Tensor, source: Any, destination: Any) -> Tensor:
    """Return a view with some dimensions at other places, the others in their order.

    >>> import wengert as torch
    >>> torch.zeros(2, 3, 4).movedim(0, -1).shape
    torch.Size([3, 4, 2])
    """
    ndim = len(input.shape)
    source, destination = as_tuple(source), as_tuple(destination)
    if len(source) != len(destination):
        raise RuntimeError(
            "movedim: Invalid source or destination dims: source "
            f"({list(source)} dims) should contain the same number of dims as "
            f"destination ({list(destination)} dims)"
        )
    places = {}
    for name, dims in (("source", source), ("destination", destination)):
        places[name] = [normalize_dim(dim, ndim) for dim in dims]
        if len(set(places[name])) != len(dims):
            raise RuntimeError(f"movedim: repeated dim in `{name}` ({list(dims)})")
    taken = dict(zip(places["destination"], places["source"], strict=True))
    rest = iter([dim for dim in range(ndim) if dim not in places["source"]])
    order = tuple([taken[dim] if dim in taken else next(rest) for dim in range(ndim)])
    result: Tensor = S.permute(input, dims=order)
    return result


@op(out=False)
def adjoint(input: Tensor) -> Tensor:
    """Return the conjugated transpose of the last two dimensions."""
    if len(input.shape) < 2:
        raise RuntimeError(
            "tensor.adjoint() is only supported on matrices or batches of matrices. "
            f"Got {len(input.shape)}-D tensor."
        )
    flipped = transpose(input, -2, -1)
    return flipped.conj() if input.dtype.is_complex else flipped


def _mT(self: Tensor) -> Tensor:
    """The last two dimensions exchanged."""
    if len(self.shape) < 2:
        raise RuntimeError(
            "tensor.mT is only supported on matrices or batches of matrices. Got "
            f"{len(self.shape)}-D tensor."
        )
    return transpose(self, -2, -1)


def _mH(self: Tensor) -> Tensor:
    """The last two dimensions exchanged, and the elements conjugated."""
    if len(self.shape) < 2:
        raise RuntimeError(
            "tensor.mH is only supported on matrices or batches of matrices. Got "
            f"{len(self.shape)}-D tensor."
        )
    return adjoint(self)


def _T(self: Tensor) -> Tensor:
    """The dimensions in the opposite order."""
    result: Tensor = S.permute(self, dims=backwards(len(self.shape)))
    return result


@cache
def backwards(ndim: int) -> Shape:
    """Return the dimensions in the opposite order."""
    return tuple(range(ndim - 1, -1, -1))


def _H(self: Tensor) -> Tensor:
    """The conjugated transpose of a matrix."""
    if len(self.shape) not in (0, 2):
        raise RuntimeError(
            "tensor.H is only supported on matrices (2-D tensors). Got "
            f"{len(self.shape)}-D tensor."
        )
    return adjoint(self) if self.shape else self


Tensor.T = property(_T)
Tensor.H = property(_H)
Tensor.mT = property(_mT)
Tensor.mH = property(_mH)
