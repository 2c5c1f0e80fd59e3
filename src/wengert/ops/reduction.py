"""Ops that take dimensions away: sums, means, products, extremes, truth."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

from .. import dtypes
from ..primitives import copying as C, reduction as R, selection as S
from ..tensor import Tensor, is_differentiable
from .arguments import normalize_dim, normalize_dims, shape_from
from .public import op
from .results import named_result

Function = Callable[..., Any]
Shape = tuple[int, ...]
Dim = Any
Dtype = Any

# --- reading the arguments ------------------------------------------------------------


def dims_of(dim: Dim, ndim: int, name: str, empty_is_all: bool = True) -> Shape:
    """Return the dimensions to reduce, none for a tensor without dimensions.

    Args:
        dim: an integer, several, or None for all.
        name: the op's, for the message.
        empty_is_all: whether no dimensions mean all of them.
    """
    if type(dim) is int:
        found: Shape = (normalize_dim(dim, ndim),)
    elif dim is None or (empty_is_all and isinstance(dim, (tuple, list)) and not dim):
        return tuple(range(ndim))
    else:
        check_dims(dim, name)
        found = normalize_dims(dim, ndim)
    return found if ndim else ()


def check_dims(dim: Any, name: str) -> None:
    """Refuse what is not an integer or several."""
    several = dim if isinstance(dim, (tuple, list)) else (dim,)
    for item in several:
        if isinstance(item, (bool, float, str)) or not hasattr(item, "__index__"):
            raise TypeError(
                f"{name}(): argument 'dim' must be tuple of ints, not "
                f"{type(item).__name__}"
            )


def one_dim(dim: Dim, ndim: int, name: str) -> int:
    """Return the one dimension that an op takes."""
    if isinstance(dim, (bool, float)) or not hasattr(dim, "__index__"):
        raise TypeError(
            f"{name}(): argument 'dim' must be int, not {type(dim).__name__}"
        )
    return normalize_dim(dim, ndim)


def check_bool(value: Any, name: str, argument: str = "keepdim") -> None:
    """Refuse a flag that is not a bool."""
    if not isinstance(value, bool):
        raise TypeError(
            f"{name}(): argument '{argument}' must be bool, not {type(value).__name__}"
        )


def numpy_names(call: Function) -> Function:
    """Let an op take NumPy's ``axis`` and ``keepdims`` for ``dim`` and ``keepdim``."""

    @functools.wraps(call)
    def renaming(*args: Any, **kwargs: Any) -> Any:
        if kwargs:
            for old, new in (("axis", "dim"), ("keepdims", "keepdim")):
                if old in kwargs:
                    kwargs[new] = kwargs.pop(old)
        return call(*args, **kwargs)

    return renaming


def with_dtype(input: Tensor, dtype: Dtype) -> Tensor:
    """Return the tensor cast to a ``dtype=`` argument."""
    wanted = dtypes.to_numpy(dtype)
    return input if input.dtype.numpy == wanted else C.to_copy(input, dtype=wanted)


def check_not_empty(input: Tensor, dims: Shape, dim: Dim, name: str) -> None:
    """Refuse to reduce no elements, where the op has no value for that."""
    shape = input._data.shape
    if 0 not in shape:
        return
    if dim is None or dim == ():
        raise RuntimeError(
            f"{name}(): Expected reduction dim to be specified for input.numel() == 0. "
            "Specify the reduction dim with the 'dim' argument."
        )
    for i in dims:
        if shape[i] == 0:
            raise IndexError(
                f"{name}(): Expected reduction dim {i} to have non-zero size."
            )


def check_real(input: Tensor, name: str) -> None:
    """Refuse complex numbers, which have no order."""
    dtype = input.dtype
    if dtype.is_complex:
        raise NotImplementedError(
            f"\"{name}\" not implemented for '{dtype.scalar_type}': complex "
            "numbers have no order"
        )


# --- sums and means -------------------------------------------------------------------


@op()
@numpy_names
def sum_(
    input: Tensor, dim: Dim = None, keepdim: bool = False, *, dtype: Dtype = None
) -> Tensor:
    """Return the sum of all elements, or along dimensions.

    Args:
        dim: a dimension or several; none, or an empty tuple, means all.
        keepdim: keep the reduced dimensions, with size 1.
        dtype: cast to this first.

    >>> import wengert as torch
    >>> torch.tensor([[1, 2], [3, 4]]).sum(0)
    tensor([4, 6])
    """
    if dtype is not None:
        input = with_dtype(input, dtype)
    if dim is None and keepdim is False:
        result = R.sum(input)
    else:
        check_bool(keepdim, "sum")
        dims = dims_of(dim, input.ndim, "sum")
        result = R.sum_dim(input, dim=dims, keepdim=keepdim)
    return result if dtype is None else with_dtype(result, dtype)


@op()
@numpy_names
def mean(
    input: Tensor, dim: Dim = None, keepdim: bool = False, *, dtype: Dtype = None
) -> Tensor:
    """Return the mean of all elements, or along dimensions.

    Args:
        dim: a dimension or several; none, or an empty tuple, means all.
        keepdim: keep the reduced dimensions, with size 1.
        dtype: cast to this first.

    >>> import wengert as torch
    >>> torch.tensor([[1.0, 2.0], [3.0, 4.0]]).mean(1, keepdim=True)
    tensor([[1.5000],
            [3.5000]])
    """
    if dtype is not None:
        input = with_dtype(input, dtype)
    if not is_differentiable(input._data.dtype):
        raise no_mean(input, "Input" if dtype is None else "Optional")
    if dim is None and keepdim is False:
        return R.mean(input)
    check_bool(keepdim, "mean")
    dims = dims_of(dim, input.ndim, "mean")
    return R.mean_dim(input, dim=dims, keepdim=keepdim)


def no_mean(input: Tensor, source: str = "Input") -> RuntimeError:
    """Return the error about integers, whose mean is not one."""
    return RuntimeError(
        f"mean(): could not infer output dtype. {source} dtype must be either a "
        f"floating point or complex dtype. Got: {input.dtype.scalar_type}"
    )


@op()
@numpy_names
def nansum(
    input: Tensor, dim: Dim = None, keepdim: bool = False, *, dtype: Dtype = None
) -> Tensor:
    """Return the sum, with NaN counted as zero.

    Args:
        dim: a dimension or several; none, or an empty tuple, means all.
        keepdim: keep the reduced dimensions, with size 1.
        dtype: cast to this first.

    >>> import wengert as torch
    >>> torch.tensor([1.0, float("nan"), 2.0]).nansum()
    tensor(3.)
    """
    if dtype is not None:
        input = with_dtype(input, dtype)
    if input.is_complex():
        raise RuntimeError("nansum on CPU does not support complex inputs")
    dims = dims_of(dim, input.ndim, "nansum")
    result = R.nansum(input, dim=dims, keepdim=keepdim)
    return result if dtype is None else with_dtype(result, dtype)


@op()
@numpy_names
def nanmean(
    input: Tensor, dim: Dim = None, keepdim: bool = False, *, dtype: Dtype = None
) -> Tensor:
    """Return the mean of the elements that are not NaN.

    Args:
        dim: a dimension or several; none, or an empty tuple, means all.
        keepdim: keep the reduced dimensions, with size 1.
        dtype: cast to this first.

    >>> import wengert as torch
    >>> torch.tensor([1.0, float("nan"), 2.0]).nanmean()
    tensor(1.5000)
    """
    if not is_differentiable(input._data.dtype):
        raise RuntimeError(
            "nanmean(): expected input to have floating point or complex dtype but got "
            f"{input.dtype.scalar_type}"
        )
    total = nansum(input, dim, keepdim, dtype=dtype)
    return total / sum_(input.detach() == input.detach(), dim, keepdim)


@op()
@numpy_names
def prod(
    input: Tensor, dim: Dim = None, keepdim: bool = False, *, dtype: Dtype = None
) -> Tensor:
    """Return the product of all elements, or along one dimension.

    Args:
        dim: a dimension; none means all.
        keepdim: keep the reduced dimension, with size 1.
        dtype: cast to this first.

    >>> import wengert as torch
    >>> torch.tensor([[1, 2], [3, 4]]).prod()
    tensor(24)
    """
    if dtype is not None:
        input = with_dtype(input, dtype)
    if dim is None:
        result = R.prod(input)
    else:
        found = (one_dim(dim, input.ndim, "prod"),) if input.ndim else ()
        result = R.prod_dim(input, dim=found, keepdim=keepdim)
    return result if dtype is None else with_dtype(result, dtype)


@op(out=False)
def sum_to_size(input: Tensor, *size: Any) -> Tensor:
    """Return the sum over the dimensions along which a shape would be broadcast.

    Args:
        size: a shape that can be broadcast to that of the tensor.

    Raises:
        RuntimeError: it cannot.

    >>> import wengert as torch
    >>> torch.ones(2, 3).sum_to_size(1, 3)
    tensor([[2., 2., 2.]])
    """
    wanted, shape = shape_from(size, "sum_to_size"), tuple(input.shape)
    lead = len(shape) - len(wanted)
    fits = [a in (1, b) for a, b in zip(wanted, shape[max(lead, 0) :], strict=False)]
    if lead < 0 or not all(fits):
        raise RuntimeError(
            f"size {{{list(wanted)}}} is not expandable to size {{{list(shape)}}}."
        )
    if wanted == shape:
        return input
    dims = [i for i in range(len(shape)) if i < lead or wanted[i - lead] != shape[i]]
    total = R.sum_dim(input, dim=tuple(dims), keepdim=True)
    return total.reshape(wanted) if lead else total


# --- extremes -------------------------------------------------------------------------


def extreme(name: str, fold: Function, superlative: str) -> Function:
    """Make ``amax`` or ``amin``."""

    @numpy_names
    def call(input: Tensor, dim: Dim = (), keepdim: bool = False) -> Tensor:
        dims = dims_of(dim, input.ndim, name)
        check_not_empty(input, dims, dim, name)
        check_real(input, "max_values_cpu")
        return fold(input, dim=dims, keepdim=keepdim)

    call.__doc__ = f"""Return the {superlative} element, of all or along dimensions.

    Elements that are equally {superlative} share the gradient evenly.

    Args:
        dim: a dimension or several; an empty tuple means all.
        keepdim: keep the reduced dimensions, with size 1.

    >>> import wengert as torch
    >>> torch.tensor([[1, 2], [3, 4]]).{name}()
    tensor({4 if name == "amax" else 1})
    """
    return named(call, name)


def extreme_or_pair(
    name: str, whole: Function, along: Function, pairwise: Function, superlative: str
) -> Function:
    """Make ``max`` or ``min``, which are three ops each."""
    result = named_result(name, "values", "indices")

    @numpy_names
    def call(
        input: Tensor, dim: Any = None, keepdim: bool = False, *, other: Any = None
    ) -> Any:
        if isinstance(dim, Tensor) or other is not None:
            return pairwise(input, dim if other is None else other)
        if dim is None:
            check_not_empty(input, (), None, name)
            check_real(input, f"{name}_all")
            return whole(input)
        place = one_dim(dim, input.ndim, name)
        check_not_empty(input, (place,), place, name)
        check_real(input, f"{name}_cpu")
        return result(*along(input, dim=place, keepdim=keepdim))

    call.__doc__ = f"""Return the {superlative} element, or that of each pair.

    ``{name}(input)`` returns the {superlative} of all elements; several share its
    gradient evenly. ``{name}(input, dim)`` returns named ``values`` and ``indices``
    along a dimension, of equal elements the first. ``{name}(input, other)`` is
    `{"maximum" if name == "max" else "minimum"}`.

    Args:
        dim: a dimension, or another tensor.
        keepdim: keep the reduced dimension, with size 1.

    >>> import wengert as torch
    >>> torch.tensor([[1, 2], [3, 4]]).{name}()
    tensor({4 if name == "max" else 1})
    """
    return named(call, name)


def named(call: Function, name: str) -> Function:
    """Give a function made here its name, and publish it."""
    call.__name__ = call.__qualname__ = name
    return op()(call)


amax = extreme("amax", R.amax, "largest")
amin = extreme("amin", R.amin, "smallest")
max_ = extreme_or_pair("max", R.max, R.max_dim, S.maximum, "largest")
min_ = extreme_or_pair("min", R.min, R.min_dim, S.minimum, "smallest")
aminmax_result = named_result("aminmax", "min", "max")


@op()
@numpy_names
def aminmax(input: Tensor, *, dim: Dim = None, keepdim: bool = False) -> Any:
    """Return the smallest and the largest element, as named ``min`` and ``max``.

    Args:
        dim: a dimension; none means all.
        keepdim: keep the reduced dimension, with size 1.

    >>> import wengert as torch
    >>> torch.aminmax(torch.tensor([3, 1, 2])).max
    tensor(3)
    """
    dims = dims_of(dim, input.ndim, "aminmax")
    if 0 in [input.shape[i] for i in dims]:
        if dim is not None:
            raise IndexError(
                f"aminmax: Expected reduction dim {dim} to have non-zero size."
            )
        raise RuntimeError(
            "aminmax(): cannot compute aminmax over an empty dimension as the "
            "operation has no identity."
        )
    check_real(input, "aminmax_cpu")
    return aminmax_result(*R.aminmax(input, dim=dims, keepdim=keepdim))


def index_of(name: str, find: Function, superlative: str) -> Function:
    """Make ``argmax`` or ``argmin``."""

    @numpy_names
    def call(input: Tensor, dim: Dim = None, keepdim: bool = False) -> Tensor:
        dtype = input.dtype
        if dtype.is_complex or dtype is dtypes.bool_:
            kind = "complex" if dtype.is_complex else "bool"
            raise RuntimeError(f"{name}(): does not support {kind} input")
        if dim is None and 0 in input.shape:
            raise IndexError(
                f"{name}(): Expected reduction dim to be specified for "
                "input.numel() == 0."
            )
        place = None if dim is None else one_dim(dim, input.ndim, name)
        check_not_empty(input, () if place is None else (place,), place, name)
        if not input.ndim:
            keepdim = False
        return find(input, dim=place, keepdim=keepdim)

    call.__doc__ = f"""Return where the {superlative} element is, of several the first.

    Args:
        dim: a dimension; none means the position in the flattened tensor.
        keepdim: keep the reduced dimension, with size 1.

    >>> import wengert as torch
    >>> torch.tensor([[1, 5], [3, 4]]).{name}(1)
    tensor([{"1, 1" if name == "argmax" else "0, 0"}])
    """
    return named(call, name)


argmax = index_of("argmax", R.argmax, "largest")
argmin = index_of("argmin", R.argmin, "smallest")

# --- truth ----------------------------------------------------------------------------


def truth(name: str, fold: Function) -> Function:
    """Make ``any`` or ``all``."""

    @numpy_names
    def call(input: Tensor, dim: Dim = None, keepdim: bool = False) -> Tensor:
        dims = dims_of(dim, input.ndim, name, empty_is_all=False)
        return fold(input, dim=dims, keepdim=keepdim)

    call.__doc__ = f"""Return whether {name} elements are true (not zero).

    Args:
        dim: a dimension or several; none means all of them.
        keepdim: keep the reduced dimensions, with size 1.

    >>> import wengert as torch
    >>> torch.tensor([0, 2]).{name}()
    tensor({name == "any"})
    """
    return named(call, name)


any_ = truth("any", R.any)
all_ = truth("all", R.all)


@op()
def count_nonzero(input: Tensor, dim: Dim = None) -> Tensor:
    """Return how many elements are not zero.

    Args:
        dim: a dimension or several; none means all.

    >>> import wengert as torch
    >>> torch.count_nonzero(torch.tensor([0, 2, 3]))
    tensor(2)
    """
    return R.count_nonzero(input, dim=dims_of(dim, input.ndim, "count_nonzero"))


# --- log of a sum of exponentials -----------------------------------------------------


@op()
@numpy_names
def logsumexp(input: Tensor, dim: Dim, keepdim: bool = False) -> Tensor:
    """Return log(sum(exp(input))) along dimensions, without overflow.

    Args:
        dim: a dimension or several.
        keepdim: keep the reduced dimensions, with size 1.

    >>> import wengert as torch
    >>> torch.tensor([100.0, 100.0]).logsumexp(0)
    tensor(100.6931)
    """
    dims = dims_of(dim, input.ndim, "logsumexp")
    if not is_differentiable(input._data.dtype):
        input = with_dtype(input, dtypes.get_default_dtype())
    return R.logsumexp(input, dim=dims, keepdim=keepdim)
