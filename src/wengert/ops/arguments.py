"""Reading the arguments of ops: dimensions and sizes, in all forms they come in."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from math import prod
from operator import index
from typing import Any

from numpy import ndarray

from .. import dispatch, errors
from ..tensor import Tensor

Shape = tuple[int, ...]


def normalize_dim(dim: Any, ndim: int) -> int:
    """Return the number of a dimension counted from zero up.

    A tensor without dimensions passes for one with a single one.

    Raises:
        IndexError: there is no such dimension.
    """
    if type(dim) is not int:
        dim = index(dim)
    if 0 <= dim < ndim:
        return dim
    if -ndim <= dim < 0:
        return dim + ndim
    if ndim == 0 and dim in (0, -1):
        return 0
    raise errors.dim_out_of_range(dim, ndim)


def normalize_dims(dims: Any, ndim: int) -> Shape:
    """Return the numbers of one or several dimensions, none of them twice.

    Args:
        dims: an integer, a sequence of them, or None for all.

    Raises:
        IndexError: there is no such dimension.
        RuntimeError: one is named twice.
    """
    if dims is None:
        return tuple(range(ndim))
    if not isinstance(dims, Iterable) or isinstance(dims, Tensor):
        return (normalize_dim(dims, ndim),)
    found = tuple([normalize_dim(dim, ndim) for dim in dims])
    if len(set(found)) != len(found):
        twice = next(dim for dim in found if found.count(dim) > 1)
        raise RuntimeError(f"dim {twice} appears multiple times in the list of dims")
    return found


def shape_from(args: tuple[Any, ...], op: str = "view", name: str = "size") -> Shape:
    """Return the integers of ``op(2, 3)``, ``op((2, 3))`` or ``op([2, 3])``.

    Raises:
        TypeError: they are not integers.
    """
    if len(args) == 1 and type(args[0]) is not int:
        (first,) = args
        if isinstance(first, (tuple, list)):
            args = tuple(first)
    for arg in args:
        if type(arg) is not int:
            return as_integers(args, op, name)
    return args


def as_tuple(value: Any) -> Shape:
    """Return an integer, or a sequence of them, as a tuple."""
    return tuple(value) if isinstance(value, (tuple, list)) else (value,)


def check_floats(kernel: str, input: Tensor) -> None:
    """Refuse an input that is not of real floating point, naming PyTorch's kernel."""
    if not input.dtype.is_floating_point:
        raise errors.not_implemented_for(kernel, input.dtype.scalar_type)


def per_dimension(value: Any, dims: int) -> Shape | None:
    """Return as many integers as there are dimensions, from one or a sequence.

    None if the sequence has another length.
    """
    if isinstance(value, int):
        return (value,) * dims
    sizes = tuple([int(item) for item in value])
    if len(sizes) == 1:
        return sizes * dims
    return sizes if len(sizes) == dims else None


def as_integers(args: tuple[Any, ...], op: str, name: str) -> Shape:
    """Return NumPy's integers, and tensors of one, as Python's."""
    found = []
    for position, arg in enumerate(args):
        if isinstance(arg, bool) or not hasattr(arg, "__index__"):
            raise TypeError(
                f"{op}(): argument '{name}' must be tuple of ints, but found element "
                f"of type {type(arg).__name__} at pos {position}"
            )
        found.append(index(arg))
    return tuple(found)


def inferred_shape(shape: Shape, count: int) -> Shape:
    """Return a shape with the size that is -1, if any, replaced by what fits.

    Args:
        count: the number of elements there are.

    Raises:
        RuntimeError: no sizes fit.
    """
    if min(shape, default=0) >= 0 and prod(shape) == count:
        return shape
    known = 1
    unknown = -1
    for position, size in enumerate(shape):
        if size >= 0:
            known *= size
        elif size < -1:
            raise RuntimeError(
                f"invalid shape dimension {size} at index {position} of shape "
                f"{list(shape)}"
            )
        elif unknown >= 0:
            raise RuntimeError("only one dimension can be inferred")
        else:
            unknown = position
    if unknown >= 0 and known == 0 == count:
        raise RuntimeError(
            f"cannot reshape tensor of 0 elements into shape {list(shape)} because the "
            "unspecified dimension size -1 can be any value and is ambiguous"
        )
    if unknown < 0 or known == 0 or count % known:
        raise RuntimeError(
            f"shape '{list(shape)}' is invalid for input of size {count}"
        )
    return (*shape[:unknown], count // known, *shape[unknown + 1 :])


def broadcast_shape(*shapes: Sequence[int]) -> Shape:
    """Return the shape to which all of the shapes are broadcast together.

    Raises:
        RuntimeError: they do not fit together.
    """
    ndim = max(map(len, shapes), default=0)
    result = [1] * ndim
    for position, shape in enumerate(shapes):
        for k in range(1, len(shape) + 1):
            size = shape[-k]
            if size == 1 or size == result[-k]:
                continue
            if result[-k] != 1:
                raise RuntimeError(
                    f"Attempting to broadcast a dimension of length {size} at {-k}! "
                    f"Mismatching argument at index {position} had {tuple(shape)}; but "
                    f"expected shape should be broadcastable to {result}"
                )
            result[-k] = size
    return tuple(result)


def numel(shape: Sequence[int]) -> int:
    """Return the number of elements of a shape."""
    return prod(shape)


def memory_of(input: Any) -> ndarray | None:
    """Return the NumPy array of a tensor; None for one of a transformation's layer."""
    if dispatch.tracing is not None:
        dispatch.tracing((input,))
    data = input._data if isinstance(input, Tensor) else input
    return data if type(data) is ndarray else None


def holds_anywhere(condition: Tensor) -> bool:
    """Whether something holds for any element, or for any of any element of a batch."""
    if type(condition._data) is ndarray:
        return bool(condition.any())
    from ..layers.memory import memory_below  # above this module

    below = memory_below(condition)
    return bool(condition.any()) if below is None else bool(below[0].any())


def tensors_from(tensors: Any, op: str) -> Sequence[Tensor]:
    """Return the tensors of a list or tuple.

    Raises:
        TypeError: it is no such thing.
    """
    if not isinstance(tensors, (list, tuple)):
        raise TypeError(
            f"{op}(): argument 'tensors' (position 1) must be tuple of Tensors, not "
            f"{type(tensors).__name__}"
        )
    for position, tensor in enumerate(tensors):
        if not isinstance(tensor, Tensor) and not hasattr(tensor, "level"):
            raise TypeError(
                f"expected Tensor as element {position} in argument 0, but got "
                f"{type(tensor).__name__}"
            )
    return tensors
