"""Making tensors: of shapes, of ranges, like other tensors."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import numpy as np
from numpy import ndarray

from .. import dtypes, errors
from ..kernels.memory_order import in_order_of_memory
from ..tensor import Tensor
from .data import array_of_numbers, tensor
from .options import Dtype, finish, memory_like, not_a_size, numpy_dtype, sizes
from .public import check_operand, op

# --- of a shape -----------------------------------------------------------------------


def shaped(function: str, make: Callable[..., ndarray]) -> Callable[..., Tensor]:
    """Return a creation function of a size, from one that makes the array."""

    def create(
        *size: Any,
        dtype: Dtype = None,
        requires_grad: bool = False,
        device: Any = None,
        layout: Any = None,
        pin_memory: bool = False,
        memory_format: Any = None,
        **named: Any,
    ) -> Tensor:
        if "size" in named:
            size = (named.pop("size"),)
        named.pop("names", None)
        if not size:
            missing = 'missing 1 required positional arguments: "size"'
            raise TypeError(f"{function}() {missing}")
        if named:
            raise TypeError(
                f"{function}() got an unexpected keyword argument '{next(iter(named))}'"
            )
        array = make(sizes(function, size), numpy_dtype(dtype, function))
        return finish(array, requires_grad, device, layout, pin_memory)

    create.__name__ = create.__qualname__ = function
    create.__doc__ = (
        f"Return a tensor of a size, see `numpy.{function}`.\n\n"
        "    Args:\n"
        "        size: the sizes of the dimensions, as integers or as one tuple.\n"
        "        dtype: the default dtype if None.\n"
        "        requires_grad: record what is done with the tensor.\n\n"
        "    >>> import wengert as torch\n"
        f"    >>> torch.{function}(2, 3).shape\n"
        "    torch.Size([2, 3])\n    "
    )
    return create


zeros = op(method=False)(shaped("zeros", np.zeros))
ones = op(method=False)(shaped("ones", np.ones))
empty = op(method=False)(shaped("empty", np.empty))


@op(method=False)
def full(size: Any, fill_value: Any, *, dtype: Dtype = None, **options: Any) -> Tensor:
    """Return a tensor of a size filled with one value, whose kind gives the dtype.

    Args:
        size: a tuple.
        fill_value: a number, or a tensor of one.
        dtype: bool, int64, the default dtype or its complex relative if None.

    >>> import wengert as torch
    >>> torch.full((2,), 3.5)
    tensor([3.5000, 3.5000])
    """
    if isinstance(fill_value, Tensor):
        fill_value = fill_value.item()
    if not isinstance(size, list | tuple):
        raise not_a_size("full", 0, size, alone=True)
    wanted = inferred_fill(fill_value) if dtype is None else numpy_dtype(dtype, "full")
    return finish(np.full(sizes("full", (size,)), fill_value, wanted), **options)


def inferred_fill(value: Any) -> np.dtype[Any]:
    return array_of_numbers(value, None).dtype


@op(method=False, out=False)
def empty_strided(
    size: Sequence[int], stride: Sequence[int], *, dtype: Dtype = None, **options: Any
) -> Tensor:
    """Return an uninitialised tensor with the given strides, in elements."""
    kind = numpy_dtype(dtype)
    extent = 1 + sum((n - 1) * s for n, s in zip(size, stride, strict=True))
    memory = np.empty(0 if 0 in size else extent, kind)
    steps = tuple([s * kind.itemsize for s in stride])
    return finish(ndarray(tuple(size), kind, memory, 0, steps), **options)


@op(method=False, out=False)
def empty_permuted(
    size: Sequence[int],
    physical_layout: Sequence[int],
    *,
    dtype: Dtype = None,
    **options: Any,
) -> Tensor:
    """Return an uninitialised tensor whose dimensions lie in memory in another order.

    Args:
        physical_layout: the dimensions from that of the longest steps to that of the
            shortest.

    >>> import wengert as torch
    >>> torch.empty_permuted((2, 3), (1, 0)).stride()
    (1, 2)
    """
    size, order = tuple(size), tuple(physical_layout)
    if len(size) != len(order):
        raise RuntimeError(
            "Number of dimensions in size does not match the length of the "
            f"physical_layout; i.e. len(size) = {len(size)} is not equal to "
            f"len(physical_layout) = {len(order)}"
        )
    for index, dim in enumerate(order):
        if not 0 <= dim < len(size):
            raise RuntimeError(
                f"Dimension out of range (expected to be between 0 and {len(size) - 1},"
                f" but got {dim} at index {index}).  NB: negative dims not currently "
                "supported; file an issue if you want it."
            )
        if dim in order[:index]:
            raise RuntimeError("Duplicate dim not allowed")
    memory = np.empty([size[dim] for dim in order], numpy_dtype(dtype))
    return finish(
        memory.transpose([order.index(d) for d in range(len(size))]), **options
    )


@op(method=False)
def arange(
    *bounds: Any,
    start: Any = None,
    end: Any = None,
    step: Any = 1,
    dtype: Dtype = None,
    **options: Any,
) -> Tensor:
    """Return the numbers from start (default 0) to end, exclusive, with a step.

    Integers give int64, otherwise it is the default dtype.

    >>> import wengert as torch
    >>> torch.arange(0, 1, 0.25)
    tensor([0.0000, 0.2500, 0.5000, 0.7500])
    """
    if len(bounds) > 3 or (not bounds and end is None):
        raise TypeError(
            "arange() received an invalid combination of arguments - got "
            f"{len(bounds)}, but expected an end, or a start, an end and a step"
        )
    if len(bounds) == 1 and end is None:
        end = bounds[0]
    elif len(bounds) == 1:
        start = bounds[0]
    elif bounds:
        start, end = bounds[:2]
        step = bounds[2] if len(bounds) == 3 else step
    values = [0 if start is None else start, end, step]
    start, end, step = [v.item() if isinstance(v, Tensor) else v for v in values]
    if step == 0:
        raise RuntimeError("step must be nonzero")
    if not (math.isfinite(start) and math.isfinite(end)):
        raise RuntimeError(f"unsupported range: {start} -> {end}")
    if (end - start) * step < 0:
        raise RuntimeError("upper bound and lower bound inconsistent with step sign")
    if dtype is None:
        integers = all(
            isinstance(value, (int, np.integer)) for value in (start, end, step)
        )
        wanted = np.dtype(np.int64) if integers else numpy_dtype(None)
    else:
        wanted = numpy_dtype(dtype, "arange")
        if wanted.kind == "b":
            raise errors.not_for_dtype("arange", "Bool")
    if wanted.kind in "iu":
        count = max(0, math.ceil((end - start) / step))
        array = np.arange(count, dtype=np.int64) * int(step) + int(start)
    else:
        count = max(0, math.ceil((end - start) / step))
        array = np.arange(count) * step + start
    return finish(array.astype(wanted, copy=False), **options)


@op(method=False)
def range_(start: Any = 0, end: Any = None, step: Any = 1, **options: Any) -> Tensor:
    """Return the numbers from start to end, inclusive (deprecated; use arange)."""
    count = math.floor((end - start) / step) + 1
    dtype = options.pop("dtype", None) or dtypes.get_default_dtype()
    return finish((np.arange(count) * step + start).astype(dtype.numpy), **options)


def spaced(start: Any, end: Any, steps: int, function: str = "linspace") -> ndarray:
    """Return numbers in equal steps, each half counted from its own end."""
    ranks = {
        name: len(end.shape)
        for name, end in (("start", start), ("end", end))
        if isinstance(end, Tensor)
    }
    if any(ranks.values()):
        got = " and ".join([f"{k} with {v} dimension(s)" for k, v in ranks.items()])
        raise RuntimeError(
            f"{function} only supports 0-dimensional start and end tensors, but got "
            f"{got}."
        )
    if not isinstance(steps, int | np.integer):
        raise errors.invalid_combination(function, (start, end, steps))
    start, end = [v.item() if isinstance(v, Tensor) else v for v in (start, end)]
    if steps < 0:
        raise RuntimeError("number of steps must be non-negative")
    return np.linspace(start, end, steps)


def differ_in_batch(*ends: Any) -> bool:
    """Whether any of the ends has a value for each element of a batch."""
    if all([not isinstance(end, Tensor) or end._special is None for end in ends]):
        return False
    from ..layers.memory import memory_below

    found = [memory_below(end) for end in ends if isinstance(end, Tensor)]
    return any([below is not None and below[1] > 0 for below in found])


def spaced_in_batch(start: Any, end: Any, steps: int) -> Tensor:
    """Return numbers in equal steps as `spaced` does, by ops that go over batches."""
    place = tensor(spaced(0, steps - 1, steps))
    start, end = [v.double() if isinstance(v, Tensor) else v for v in (start, end)]
    step = (end - start) / max(steps - 1, 1)
    first: Tensor = place < (steps + 1) // 2
    halves: Tensor = (start + step * place).where(
        first, end - step * (steps - 1 - place)
    )
    return halves


def spaced_dtype(dtype: Dtype, *ends: Any) -> np.dtype[Any]:
    if dtype is None and any(isinstance(value, complex) for value in ends):
        return dtypes.get_default_complex_dtype().numpy
    return numpy_dtype(dtype)


@op(method=False)
def linspace(
    start: Any, end: Any, steps: int, *, dtype: Dtype = None, **options: Any
) -> Tensor:
    """Return `steps` numbers from start to end, inclusive.

    >>> import wengert as torch
    >>> torch.linspace(0, 1, 5)
    tensor([0.0000, 0.2500, 0.5000, 0.7500, 1.0000])
    """
    wanted = spaced_dtype(dtype, start, end)
    if differ_in_batch(start, end):
        return spaced_in_batch(start, end, steps).to(dtypes.from_numpy(wanted))
    return finish(spaced(start, end, steps).astype(wanted), **options)


@op(method=False)
def logspace(
    start: Any,
    end: Any,
    steps: int,
    base: float = 10.0,
    *,
    dtype: Dtype = None,
    **options: Any,
) -> Tensor:
    """Return `steps` numbers from base**start to base**end, inclusive."""
    wanted = spaced_dtype(dtype, start, end)
    if differ_in_batch(start, end):
        found: Tensor = base ** spaced_in_batch(start, end, steps)
        return found.to(dtypes.from_numpy(wanted))
    powers = base ** spaced(start, end, steps, "logspace")
    return finish(powers.astype(wanted), **options)


@op(method=False)
def eye(n: int, m: int | None = None, *, dtype: Dtype = None, **options: Any) -> Tensor:
    """Return a matrix with ones on its diagonal.

    >>> import wengert as torch
    >>> torch.eye(2)
    tensor([[1., 0.],
            [0., 1.]])
    """
    if n < 0:
        raise RuntimeError(f"n must be greater or equal to 0, got {n}")
    if m is not None and m < 0:
        raise RuntimeError(f"m must be greater or equal to 0, got {m}")
    return finish(np.eye(n, m, dtype=numpy_dtype(dtype)), **options)


# --- like another tensor --------------------------------------------------------------


def like(
    make: Callable[..., ndarray], name: str
) -> tuple[Callable[..., Tensor], Callable[..., Tensor]]:
    """Return ``<name>_like`` and ``Tensor.new_<name>``."""

    def make_like(input: Tensor, *, dtype: Dtype = None, **options: Any) -> Tensor:
        check_operand(f"{name}_like", "input", 0, input)
        kind = input.dtype if dtype is None else dtype
        of_kind = partial(make, dtype=numpy_dtype(kind))
        in_order = in_order_of_memory(of_kind, memory_like(input, options))
        return finish(in_order(tuple(input.shape)), **options)

    def make_new(
        input: Tensor, *size: Any, dtype: Dtype = None, **options: Any
    ) -> Tensor:
        size = (options.pop("size"),) if "size" in options else size
        kind = input.dtype if dtype is None else dtype
        return finish(make(sizes(f"new_{name}", size), numpy_dtype(kind)), **options)

    make_like.__name__ = f"{name}_like"
    make_like.__doc__ = (
        f"Return a tensor of {name} with the shape and dtype of another.\n\n"
        "    >>> import wengert as torch\n"
        f"    >>> torch.{name}_like(torch.tensor([[1, 2]])).shape\n"
        "    torch.Size([1, 2])\n    "
    )
    make_new.__name__ = f"new_{name}"
    make_new.__doc__ = f"Return a tensor of {name} of a size with this one's dtype."
    op(method=False, out=False)(make_like)
    op(function=False)(make_new)
    return make_like, make_new


zeros_like, new_zeros = like(np.zeros, "zeros")
ones_like, new_ones = like(np.ones, "ones")
empty_like, new_empty = like(np.empty, "empty")


@op(method=False, out=False)
def full_like(
    input: Tensor, fill_value: Any, *, dtype: Dtype = None, **options: Any
) -> Tensor:
    """Return a tensor filled with one value, with the shape and dtype of another.

    >>> import wengert as torch
    >>> torch.full_like(torch.zeros(2), 7)
    tensor([7., 7.])
    """
    check_operand("full_like", "input", 0, input)
    kind = numpy_dtype(input.dtype if dtype is None else dtype)
    if isinstance(fill_value, Tensor):
        fill_value = fill_value.item()
    filled = partial(np.full, fill_value=fill_value, dtype=kind)
    in_order = in_order_of_memory(filled, memory_like(input, options))
    return finish(in_order(tuple(input.shape)), **options)


@op(function=False)
def new_full(
    input: Tensor, size: Any, fill_value: Any, *, dtype: Dtype = None, **options: Any
) -> Tensor:
    """Return a tensor of a size filled with one value, with this one's dtype."""
    if isinstance(fill_value, Tensor):
        fill_value = fill_value.item()
    kind = numpy_dtype(input.dtype if dtype is None else dtype)
    return finish(np.full(sizes("new_full", (size,)), fill_value, kind), **options)


@op(function=False)
def new_tensor(
    input: Tensor, data: Any, *, dtype: Dtype = None, **options: Any
) -> Tensor:
    """Return a tensor with a copy of data, with this one's dtype."""
    return tensor(data, dtype=input.dtype if dtype is None else dtype, **options)
