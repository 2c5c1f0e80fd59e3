"""Making tensors: of data, of shapes, like other tensors."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy import ndarray

from .. import dtypes, errors
from ..forms import form_of
from ..tensor import AccumulateGrad, Tensor, counter, is_differentiable, plain, rebind
from .public import check_operand, op

Dtype = dtypes.dtype | None
DEVICES = ("cpu",)


# --- what creation functions have in common -------------------------------------------


def finish(
    array: ndarray,
    requires_grad: bool = False,
    device: Any = None,
    layout: Any = None,
    pin_memory: bool = False,
    memory_format: Any = None,
) -> Tensor:
    """Return a tensor of a new array with what the keyword arguments ask for."""
    if device is not None:
        check_device(device)
    if pin_memory:
        raise RuntimeError(
            "pin_memory=True requires a CUDA or other accelerator backend; no pinned "
            "memory allocator is available on this system."
        )
    tensor = plain(array)
    tensor._form = form_of(array)
    if requires_grad:
        if not is_differentiable(array.dtype):
            raise RuntimeError(
                "Only Tensors of floating point and complex dtype can require gradients"
            )
        tensor._node = AccumulateGrad(tensor)
    return tensor


def check_device(device: Any) -> dtypes.device:
    """Return the device asked for, or say that it is not to be had."""
    if isinstance(device, int):
        device = dtypes.device("cuda", device)
    found = device if isinstance(device, dtypes.device) else dtypes.device(device)
    if found.type == "cpu":
        return found
    if found.type == "cuda":
        raise AssertionError(
            "Torch not compiled with CUDA enabled: wengert computes on the CPU; use "
            "device='cpu'"
        )
    raise errors.Unsupported(
        f"wengert has no device '{found}'; use device='cpu' instead"
    )


def numpy_dtype(dtype: Any, function: str = "tensor") -> np.dtype[Any]:
    """Return the NumPy dtype of an argument ``dtype``, the default one for None."""
    if dtype is None:
        return dtypes.get_default_dtype().numpy
    return dtypes.to_numpy(dtype, function)


def sizes(function: str, size: tuple[Any, ...]) -> tuple[int, ...]:
    """Return the shape given as ``f(2, 3)`` or ``f((2, 3))``."""
    if len(size) == 1 and isinstance(size[0], list | tuple):
        size = tuple(size[0])
    for position, item in enumerate(size):
        if not hasattr(item, "__index__"):
            raise not_a_size(function, position, item, alone=len(size) == 1)
    shape = tuple([item.__index__() for item in size])
    if any(item < 0 for item in shape):
        raise RuntimeError(f"{function}: Dimension size must be non-negative.")
    return shape


def not_a_size(function: str, position: int, item: Any, alone: bool) -> TypeError:
    """Return the error about what is no size of a dimension."""
    kind = type(item).__name__
    if alone:
        return TypeError(
            f"{function}(): argument 'size' (position 1) must be tuple of ints, not "
            f"{kind}"
        )
    return TypeError(
        f"{function}(): argument 'size' failed to unpack the object at pos "
        f'{position + 1} with error "type must be tuple of ints,but got {kind}"'
    )


# --- of data --------------------------------------------------------------------------


@op(method=False, out=False)
def tensor(
    data: Any,
    *,
    dtype: Dtype = None,
    device: Any = None,
    requires_grad: bool = False,
    pin_memory: bool = False,
) -> Tensor:
    """Return a tensor with a copy of the data.

    Args:
        data: a number, nested sequences of numbers, an array, a tensor.
        dtype: by default that of an array, and for Python numbers the default dtype
            (floats), int64 (integers) or bool.
        requires_grad: record what is done with the tensor.

    Raises:
        ValueError: if sequences at one depth have different lengths.
        TypeError: if there is something else than numbers.

    >>> import wengert as torch
    >>> torch.tensor([[1, 2], [3, 4.5]])
    tensor([[1.0000, 2.0000],
            [3.0000, 4.5000]])
    """
    array = array_of(data, dtype)
    return finish(np.array(array), requires_grad, device, pin_memory=pin_memory)


def array_of(data: Any, dtype: Dtype = None) -> ndarray:
    """Return an array of data, which may share the memory of an array or tensor."""
    wanted = None if dtype is None else numpy_dtype(dtype)
    if isinstance(data, Tensor):
        array = data.detach()._data
    elif isinstance(data, (ndarray, np.generic)):
        array = np.asarray(data)
        dtypes.from_numpy(array.dtype)
    else:
        return array_of_numbers(data, wanted)
    if wanted is not None and array.dtype != wanted:
        from ..primitives.copying import to_copy

        array = np.asarray(to_copy(array, dtype=wanted))
    return array


def array_of_numbers(data: Any, wanted: np.dtype[Any] | None) -> ndarray:
    """Return an array of Python numbers in nested sequences."""
    if isinstance(data, str):
        raise TypeError("new(): invalid data type 'str'")
    if data is None:
        raise RuntimeError("Could not infer dtype of NoneType")
    numbers = plain_numbers(data)
    try:
        array = np.array(numbers)
    except ValueError:
        raise ragged(numbers) from None
    except OverflowError as error:
        raise ValueError("Overflow when unpacking long long") from error
    kind = array.dtype.kind
    if kind in "US":
        raise TypeError("new(): invalid data type 'str'")
    if kind not in "biufc":
        if kind == "O" and isinstance(numbers, int):
            raise ValueError("Overflow when unpacking long long")
        raise RuntimeError(f"Could not infer dtype of {type(first(numbers)).__name__}")
    if wanted is None:
        wanted = inferred(array, numbers)
    elif not fits(array, wanted):
        raise RuntimeError(
            f"value cannot be converted to type {wanted.name} without overflow"
        )
    return array.astype(wanted)


def fits(array: ndarray, wanted: np.dtype[Any]) -> bool:
    """Whether a dtype has room for the numbers.

    Integers that it has room for but for their sign are wrapped round.
    """
    kind = array.dtype.kind
    if kind == "c":
        return wanted.kind in "cb"
    if wanted.kind not in "iu" or kind not in "fiu" or not array.size:
        return True
    limits = np.iinfo(wanted)
    low = limits.min if kind == "f" or limits.min else -limits.max
    return bool(low <= array.min() and array.max() <= limits.max)


def inferred(array: ndarray, numbers: Any) -> np.dtype[Any]:
    """Return the dtype for Python numbers that NumPy has made an array of."""
    kind = array.dtype.kind
    if array.size == 0 and not isinstance(numbers, ndarray):
        return dtypes.get_default_dtype().numpy
    sample = first(numbers)
    if isinstance(sample, (ndarray, np.generic)):
        return array.dtype
    if kind == "f":
        return dtypes.get_default_dtype().numpy
    if kind == "c":
        return dtypes.get_default_complex_dtype().numpy
    if kind == "u":
        raise ValueError("Overflow when unpacking long long")
    return array.dtype


def plain_numbers(data: Any) -> Any:
    """Replace tensors in nested sequences by numbers."""
    if isinstance(data, Tensor):
        if data.numel() != 1:
            raise ValueError(
                "only one element tensors can be converted to Python scalars"
            )
        return data.item()
    if isinstance(data, (list, tuple)):
        if data and isinstance(data[0], (float, int, str)):
            return (
                list(data)
                if not any(isinstance(x, Tensor) for x in data)
                else [plain_numbers(item) for item in data]
            )
        return [plain_numbers(item) for item in data]
    if isinstance(data, range):
        return list(data)
    if hasattr(data, "__array__"):
        return np.asarray(data)
    if isinstance(data, Sequence):
        return [plain_numbers(item) for item in data]
    return data


def first(numbers: Any) -> Any:
    """Return the first number in nested sequences."""
    while isinstance(numbers, list) and numbers:
        numbers = numbers[0]
    return numbers


def ragged(numbers: Any, dim: int = 0) -> Exception:
    """Return the error about sequences of different lengths, or of other things."""
    lengths = [len(item) if isinstance(item, list) else -1 for item in numbers]
    for length in lengths:
        if length != lengths[0]:
            if -1 in (length, lengths[0]):
                return TypeError("must be real number, not list")
            return ValueError(
                f"expected sequence of length {lengths[0]} at dim {dim + 1} "
                f"(got {length})"
            )
    for item in numbers:
        if isinstance(item, list):
            return ragged(item, dim + 1)
    return TypeError(f"new(): invalid data type '{type(first(numbers)).__name__}'")


@op("asarray", method=False, out=False)
def as_tensor(data: Any, dtype: Dtype = None, device: Any = None) -> Tensor:
    """Return a tensor of the data that shares memory with an array where it can.

    A tensor that has the dtype already is returned as it is, with its history.

    >>> import numpy as np
    >>> import wengert as torch
    >>> array = np.zeros(2)
    >>> tensor = torch.as_tensor(array)
    >>> array[0] = 5
    >>> tensor
    tensor([5., 0.], dtype=torch.float64)
    """
    if isinstance(data, Tensor):
        return data if dtype is None else data.to(dtype)
    return finish(np.asarray(array_of(data, dtype)), device=device)


@op(method=False, out=False)
def from_numpy(ndarray_: ndarray) -> Tensor:
    """Return a tensor that shares the memory of a NumPy array.

    Raises:
        TypeError: it is no array, or of a dtype that tensors do not have.

    >>> import numpy as np
    >>> import wengert as torch
    >>> torch.from_numpy(np.arange(3))
    tensor([0, 1, 2])
    """
    if not isinstance(ndarray_, ndarray):
        raise TypeError(f"expected np.ndarray (got {type(ndarray_).__name__})")
    dtypes.from_numpy(ndarray_.dtype)
    if any(stride < 0 for stride in ndarray_.strides):
        raise ValueError(
            "At least one stride in the given numpy array is negative, and tensors "
            "with negative strides are not currently supported. (You can probably work "
            "around this by making a copy of your array  with array.copy().) "
        )
    return plain(ndarray_)


@op(method=False, out=False)
def scalar_tensor(s: Any, *, dtype: Dtype = None, **options: Any) -> Tensor:
    """Return a tensor without dimensions of the default dtype."""
    return finish(np.array(s, numpy_dtype(dtype)), **options)


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


def spaced(start: Any, end: Any, steps: int) -> ndarray:
    """Return numbers in equal steps, each half counted from its own end."""
    start, end = [v.item() if isinstance(v, Tensor) else v for v in (start, end)]
    if not isinstance(steps, int | np.integer):
        raise TypeError(
            f"linspace(): argument 'steps' must be int, not {type(steps).__name__}"
        )
    if steps < 0:
        raise RuntimeError("number of steps must be non-negative")
    return np.linspace(start, end, steps)


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
    return finish((base ** spaced(start, end, steps)).astype(wanted), **options)


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
        return finish(make(tuple(input.shape), numpy_dtype(kind)), **options)

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
    return finish(np.full(tuple(input.shape), fill_value, kind), **options)


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


# --- as old programs do it ------------------------------------------------------------


def construct(cls: type[Tensor], *args: Any, **kwargs: Any) -> Tensor:
    """Return ``torch.Tensor(...)``: of sizes without values, or of data, in float32."""
    made = construct_typed(dtypes.get_default_dtype(), *args)
    if cls is Tensor:
        return made
    return as_subclass(made, cls)


def construct_typed(dtype: dtypes.dtype, *args: Any) -> Tensor:
    """Return a tensor of a dtype of sizes, or of data."""
    if not args:
        return empty(0, dtype=dtype)
    if len(args) == 1 and isinstance(args[0], Tensor):
        if args[0].dtype is not dtype:
            raise TypeError(f"expected {dtype} (got {args[0].dtype})")
        return args[0].detach()
    if len(args) == 1 and isinstance(args[0], (float, complex, bool)):
        kind = type(args[0]).__name__
        raise TypeError(f"new(): data must be a sequence (got {kind})")
    if len(args) == 1 and not isinstance(args[0], (int, dtypes.Size)):
        return tensor(args[0], dtype=dtype)
    return empty(*args, dtype=dtype)


def as_subclass(tensor: Tensor, cls: type[Tensor]) -> Tensor:
    """Return the same tensor, memory and history, as one of a subclass."""
    made = object.__new__(cls)
    made._node = tensor._node
    made._counter = counter(tensor)
    rebind(made, tensor._data, tensor._special)
    return made


Tensor.__new__ = construct  # type: ignore[method-assign,assignment]
Tensor.as_subclass = as_subclass


class _TypedMeta(type):
    """Lets ``isinstance(x, torch.FloatTensor)`` look at the dtype."""

    dtype: dtypes.dtype

    def __instancecheck__(cls, instance: object) -> bool:
        return isinstance(instance, Tensor) and instance.dtype is cls.dtype

    def __call__(cls, *args: Any) -> Tensor:
        return construct_typed(cls.dtype, *args)


def typed(name: str, dtype: dtypes.dtype) -> type:
    """Return a class such as ``torch.FloatTensor``."""
    from .public import namespace

    made = _TypedMeta(name, (), {"dtype": dtype, "__module__": "torch"})
    namespace[name] = made
    return made


TYPED: dict[str, Any] = {
    dtype.scalar_type: typed(dtype.scalar_type + "Tensor", dtype)
    for dtype in (
        dtypes.float16,
        dtypes.float32,
        dtypes.float64,
        dtypes.int8,
        dtypes.int16,
        dtypes.int32,
        dtypes.int64,
        dtypes.uint8,
        dtypes.bool_,
    )
}
