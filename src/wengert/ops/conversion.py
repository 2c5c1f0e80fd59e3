"""From one kind of tensor to another, to NumPy, to Python numbers, to text."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

import numpy as np
from numpy import ndarray

from .. import dispatch, dtypes, errors, modes, placement, printing
from ..forms import form_of
from ..inplace import assign, check_writable, name_written
from ..primitives import copying as C
from ..tensor import (
    INFERENCE,
    AccumulateGrad,
    Layer,
    Parameter,
    Special,
    Tensor,
    below,
    counter,
    history,
    is_differentiable,
    new,
    plain,
    rebind,
)
from ..views import View, birth
from .constructors import TYPED
from .data import array_of
from .options import check_device, finish
from .public import namespace, op

# --- copies and casts -----------------------------------------------------------------


@op(out=False)
def clone(input: Tensor, *, memory_format: Any = None) -> Tensor:
    """Return a copy whose gradient flows back to the original.

    >>> import wengert as torch
    >>> torch.ones(2, requires_grad=True).clone()
    tensor([1., 1.], grad_fn=<CloneBackward0>)
    """
    if input._special is INFERENCE:
        return finish(np.empty_like(input._data)).copy_(input)
    return C.clone(input)


@op(out=False)
def detach(input: Tensor) -> Tensor:
    """Return a tensor without history that shares this one's memory and version."""
    if dispatch.tracing is not None:
        dispatch.tracing((input,))
    data = input._data
    if type(data) is not ndarray:
        # a constant to all transformations, and not just to the innermost
        return detach(data) if isinstance(data, Tensor) else data.detached()
    alias = plain(data)
    if input._special is INFERENCE:
        alias._special = INFERENCE
    alias._counter = counter(input)
    if modes.special:
        alias._birth = birth(input)
    return alias


def detach_(input: Tensor) -> Tensor:
    """Forget the history of this tensor, in place."""
    shown = below(input)
    if shown is not input:
        alias = detach(detach_(shown))
        input._counter = alias._counter
        rebind(input, alias._data, alias._special)
        return input
    if isinstance(input._special, View):
        raise RuntimeError(
            "Can't detach views in-place. Use detach() instead. If you are using "
            "DistributedDataParallel (DDP) for training, and gradient_as_bucket_view "
            "is set as True, gradients are views of DDP buckets, and hence detach_() "
            "cannot be called on these gradients. To fix this error, please refer to "
            "the Optimizer.zero_grad() function in torch/optim/optimizer.py as the "
            "solution."
        )
    if input.is_leaf:
        input.requires_grad = False
    input._node = None
    return input


@op(function=False)
def to(input: Tensor, *args: Any, copy: bool = False, **kwargs: Any) -> Tensor:
    """Return this tensor with another dtype, or on another device.

    Args:
        args: a dtype, a device, both, or a tensor that has them.
        copy: copy even if nothing changes.

    >>> import wengert as torch
    >>> torch.ones(2).to(torch.int64)
    tensor([1, 1])
    """
    dtype = kwargs.pop("dtype", None)
    device = kwargs.pop("device", None)
    kwargs.pop("non_blocking", None)
    kwargs.pop("memory_format", None)
    args += (kwargs.pop("other"),) if "other" in kwargs else ()
    if kwargs:
        raise TypeError(
            f"to() got an unexpected keyword argument '{next(iter(kwargs))}'"
        )
    for arg in args:
        if isinstance(arg, dtypes.dtype) or arg in (float, int, bool, complex):
            dtype = arg
        elif isinstance(arg, Tensor):
            dtype = arg.dtype
        elif isinstance(arg, (str, dtypes.device)) or type(arg) is int:
            device = arg
        elif not isinstance(arg, bool) and arg is not None:
            raise TypeError(
                "to() received an invalid combination of arguments - got "
                f"({type(arg).__name__}), but expected a dtype, a device, or a Tensor"
            )
    if device is not None:
        check_device(device)
    if dtype is None:
        return C.clone(input) if copy else input
    wanted = dtypes.to_numpy(dtype, "to")
    if dtypes.from_numpy(wanted) is input.dtype:
        return C.clone(input) if copy else input
    return C.to_copy(input, dtype=wanted)


def caster(name: str, dtype: dtypes.dtype) -> None:
    """Make a method such as ``Tensor.float``."""

    def convert(input: Tensor, memory_format: Any = None) -> Tensor:
        return input if input.dtype is dtype else C.to_copy(input, dtype=dtype.numpy)

    convert.__name__ = convert.__qualname__ = name
    convert.__doc__ = f"Return this tensor as {dtype}."
    setattr(Tensor, name, convert)


for _name, _dtype in {
    "half": dtypes.float16,
    "float": dtypes.float32,
    "double": dtypes.float64,
    "char": dtypes.int8,
    "short": dtypes.int16,
    "int": dtypes.int32,
    "long": dtypes.int64,
    "byte": dtypes.uint8,
    "bool": dtypes.bool_,
    "cfloat": dtypes.complex64,
    "cdouble": dtypes.complex128,
}.items():
    caster(_name, _dtype)


@op(function=False)
def type_(input: Tensor, dtype: Any = None, non_blocking: bool = False) -> Any:
    """Return the name of this tensor's type, or the tensor with another dtype."""
    if dtype is None:
        return f"torch.{input.dtype.scalar_type}Tensor"
    if isinstance(dtype, str):
        kind = dtype.removeprefix("torch.").removesuffix("Tensor")
        if kind not in TYPED:
            raise ValueError(f"invalid type: '{dtype}'")
        dtype = TYPED[kind].dtype
    of_class = getattr(dtype, "dtype", None)
    if isinstance(dtype, type) and isinstance(of_class, dtypes.dtype):
        dtype = of_class
    return to(input, dtype)


@op(function=False)
def type_as(input: Tensor, other: Tensor) -> Tensor:
    """Return this tensor with the dtype of another."""
    return to(input, other.dtype)


@op(function=False)
def cpu(input: Tensor, memory_format: Any = None) -> Tensor:
    """Return this tensor: it is on the CPU."""
    return input


@op(function=False)
def cuda(input: Tensor, device: Any = None, non_blocking: bool = False) -> Tensor:
    """Refuse: there is no GPU."""
    check_device("cuda")
    return input


def copy_(input: Tensor, src: Any, non_blocking: bool = False) -> Tensor:
    """Write the values of another tensor, broadcast and cast, into this one."""
    check_writable(input)
    if not isinstance(src, Tensor):
        raise TypeError(
            f"copy_(): argument 'other' (position 1) must be Tensor, not "
            f"{type(src).__name__}"
        )
    check_broadcast(input, src)
    if history(src) is not None:
        check_writable(input, recorded=True)
    return assign(input, C.copy(input, src))


def check_broadcast(target: Tensor, source: Tensor) -> None:
    """Refuse a source that cannot be broadcast to the target."""
    wide, narrow = tuple(target.shape), tuple(source.shape)
    lead = len(wide) - len(narrow)
    if lead < 0 or any(
        n not in (1, w) for w, n in zip(wide[lead:], narrow, strict=True)
    ):
        if lead >= 0:
            for i, (w, n) in enumerate(zip(wide[lead:], narrow, strict=True)):
                if n not in (1, w):
                    raise RuntimeError(
                        f"The size of tensor a ({w}) must match the size of tensor b "
                        f"({n}) at non-singleton dimension {lead + i}"
                    )
        raise RuntimeError(
            f"output with shape {list(wide)} doesn't match the broadcast shape "
            f"{list(narrow)}"
        )


def fill_(input: Tensor, value: Any) -> Tensor:
    """Fill this tensor with one value, in place."""
    check_writable(input)
    if isinstance(value, Tensor):
        if value.ndim:
            raise RuntimeError(
                "fill_ only supports 0-dimension value tensor but got tensor with "
                f"{value.ndim} dimensions."
            )
        filled = C.fill(input, value)
        name_written(history(filled))
        return assign(input, filled, uniform=True)
    if not isinstance(value, int | float | complex | np.generic):
        raise TypeError(
            "fill_() received an invalid combination of arguments - got "
            f"({type(value).__name__}), but expected a number or a tensor"
        )
    return assign(input, C.fill_number(input, value=value), uniform=True)


def zero_(input: Tensor) -> Tensor:
    """Fill this tensor with zeros, in place."""
    check_writable(input)
    return assign(input, C.zero(input), uniform=True)


for _function in (copy_, fill_, zero_, detach_):
    setattr(Tensor, _function.__name__, _function)
for _function in (fill_, zero_, detach_):
    namespace[_function.__name__] = _function


@op(method=False)
def fill(input: Tensor, value: Any) -> Tensor:
    """Return a tensor like this one filled with one value."""
    if isinstance(value, Tensor):
        return C.fill(input, value)
    return C.fill_number(input, value=value)


# --- to NumPy and Python --------------------------------------------------------------


def array(tensor: Tensor, what: str = "numpy") -> ndarray:
    """Return the NumPy array of a tensor, or say why there is none.

    Args:
        what: how the values are asked for, as the message names it.
    """
    data = tensor._data
    while type(data) is not ndarray:
        # values are those of the primal; a batch has none
        data = data._data if isinstance(data, Tensor) else data.values_of(what)
    return data


@op(function=False)
def numpy(input: Tensor, *, force: bool = False) -> ndarray:
    """Return the NumPy array of this tensor, which shares its memory."""
    if input.requires_grad and modes.is_grad_enabled() and not force:
        raise errors.numpy_of_recorded()
    return array(input)


@op(function=False)
def item(input: Tensor) -> Any:
    """Return the value of a tensor of one element as a Python number."""
    data = input._data
    if type(data) is not ndarray:
        data = array(input, "item")
    if data.size != 1:
        raise errors.not_one_element(data.size)
    return data.item()


@op(function=False)
def tolist(input: Tensor) -> Any:
    """Return the values as nested lists of Python numbers."""
    return array(input, "tolist").tolist()


def as_number(kind: type) -> Any:
    """Return ``Tensor.__float__`` and its like."""

    def convert(self: Tensor) -> Any:
        data = array(self, "item")
        if data.size != 1:
            raise ValueError(
                "only one element tensors can be converted to Python scalars"
            )
        return kind(data.item())

    return convert


for _kind in (float, int, complex):
    setattr(Tensor, f"__{_kind.__name__}__", as_number(_kind))


def __bool__(self: Tensor) -> bool:
    data = self._data
    if type(data) is not ndarray:
        data = array(self, "bool")
    if data.size != 1:
        raise errors.ambiguous_truth(data.size)
    return bool(data.item())


def __index__(self: Tensor) -> int:
    data = array(self)
    if data.dtype.kind not in "iub" or data.size != 1:
        raise TypeError(
            "only integer tensors of a single element can be converted to an index"
        )
    return int(data.item())


def __array__(self: Tensor, dtype: Any = None, copy: bool | None = None) -> ndarray:
    return np.array(numpy(self), dtype=dtype, copy=copy)


_method: Any
for _method in (__bool__, __index__, __array__):
    setattr(Tensor, _method.__name__, _method)


@op(method=False, out=False)
def is_tensor(obj: Any) -> bool:
    """Return whether something is a tensor."""
    return isinstance(obj, Tensor)


Tensor.is_cuda = Tensor.is_sparse = Tensor.is_quantized = Tensor.is_mkldnn = False
Tensor.is_meta = Tensor.is_nested = False
Tensor.is_cpu = True
Tensor.layout = placement.strided


@op(out=False)
def is_floating_point(input: Tensor) -> bool:
    """Return whether the dtype is one of floating point."""
    return input.dtype.is_floating_point


@op(out=False)
def is_complex(input: Tensor) -> bool:
    """Return whether the dtype is complex."""
    return input.dtype.is_complex


@op(out=False)
def is_signed(input: Tensor) -> bool:
    """Return whether the dtype has negative numbers."""
    return input.dtype.is_signed


@op(out=False)
def is_nonzero(input: Tensor) -> bool:
    """Return whether the one element is not zero."""
    return bool(input)


# --- the data alone -------------------------------------------------------------------


def _get_data(self: Tensor) -> Tensor:
    """The same memory without history, and with versions of its own."""
    check_no_batch(self, "accessing `data` under vmap transform is not allowed")
    alias = detach(self)
    alias._counter = None
    return alias


def _set_data(self: Tensor, value: Tensor) -> None:
    if not isinstance(value, Tensor):
        raise TypeError(
            f"Variable data has to be a tensor, but got {type(value).__name__}"
        )
    check_no_batch(
        self, "mutating directly with `.data` under vmap transform is not allowed."
    )
    if dispatch.tracing is not None:
        dispatch.tracing((self, value))
    if self.requires_grad and not is_differentiable(value._data.dtype):
        raise RuntimeError(
            "data set to a tensor that requires gradients must be floating point or "
            "complex dtype"
        )
    owner = below(self)
    rebind(owner, value._data, owner._special)


def check_no_batch(tensor: Tensor, message: str) -> None:
    """Refuse what can be done to no tensor inside of a vmap."""
    if type(tensor._data) is ndarray:
        return
    from ..layers.batched import Batched

    if isinstance(tensor._data, Batched):
        raise RuntimeError(message)


Tensor.data = property(_get_data, _set_data)


# --- text -----------------------------------------------------------------------------


def text(self: Tensor) -> str:
    """Return what is printed for a tensor."""
    data = self._data
    if type(data) is not ndarray:
        from ..layers.showing import text_of

        return text_of(self)
    node = history(self)
    suffixes = []
    if isinstance(node, AccumulateGrad) or (node is None and self.requires_grad):
        suffixes.append("requires_grad=True")
    elif node is not None and self.grad_fn is not None:
        suffixes.append(f"grad_fn=<{type(self.grad_fn).__name__}>")
    kind = type(self)
    prefix = "tensor(" if kind in (Tensor, Parameter) else f"{kind.__name__}("
    shown = printing.tensor_repr(data, prefix=prefix, suffixes=suffixes)
    return f"Parameter containing:\n{shown}" if isinstance(self, Parameter) else shown


def __repr__(self: Tensor, *, tensor_contents: Any = None) -> str:
    return text(self)


def __format__(self: Tensor, spec: str) -> str:
    if self.ndim == 0:
        return format(self.item(), spec)
    return object.__format__(self, spec)


def __deepcopy__(self: Tensor, memo: dict[int, Any]) -> Tensor:
    if not self.is_leaf:
        raise RuntimeError(
            "Only Tensors created explicitly by the user (graph leaves) support the "
            "deepcopy protocol at the moment.  If you were attempting to deepcopy a "
            "module, this may be because of a torch.nn.utils.weight_norm usage, see "
            "https://github.com/pytorch/pytorch/pull/103001"
        )
    if id(self) in memo:
        return memo[id(self)]
    made = rebuild(type(self), memory(self).copy(), self.requires_grad)
    memo[id(self)] = made
    if self.grad is not None:
        made._grad = deepcopy(self.grad, memo)
    made.__dict__.update(deepcopy(self.__dict__, memo))
    return made


def rebuild(kind: type[Tensor], data: ndarray, requires_grad: bool) -> Tensor:
    """Return a leaf of an array: what copying and unpickling make."""
    data = dtypes.with_common_dtype(data)
    made = new(kind)
    made._node = made._counter = None
    rebind(made, data, None if kind in (Tensor, Parameter) else Special())
    if made._special is None:
        made._form = form_of(data)
    if requires_grad:
        made._node = AccumulateGrad(made)
    return made


def rebuild_view(
    kind: type[Tensor],
    memory: ndarray,
    requires_grad: bool,
    dtype: Any,
    shape: tuple[int, ...],
    offset: int,
    strides: tuple[int, ...],
) -> Tensor:
    """Return a leaf that shares memory with others that were saved with it."""
    view = ndarray(shape, dtype, memory, offset, strides)
    return rebuild(kind, view, requires_grad)


def __reduce_ex__(self: Tensor, protocol: Any) -> Any:
    """Say how to make the tensor again: as a leaf, and views as views of one memory."""
    data, attributes = memory(self), dict(self.__dict__) or None
    base = self._special.base._data if isinstance(self._special, View) else None
    if type(base) is ndarray and base.flags.c_contiguous:
        layout = data.dtype, data.shape, address(data) - address(base), data.strides
        arguments = (type(self), base, self.requires_grad, *layout)
        return rebuild_view, arguments, attributes
    whole = (type(self), np.asarray(data, order="C"), self.requires_grad)
    return rebuild, whole, attributes


def memory(tensor: Tensor) -> ndarray:
    """Return the array of a tensor, or refuse one that has no memory of its own."""
    data = tensor._data
    if type(data) is not ndarray:
        raise RuntimeError(
            "Cannot access data pointer of Tensor that doesn't have storage: it is "
            "inside of a transformation"
        )
    return data


def address(array: ndarray) -> int:
    """Return where in memory an array begins."""
    place: int = array.__array_interface__["data"][0]
    return place


def new_parameter(
    cls: type[Parameter], data: Tensor | None = None, requires_grad: bool = True
) -> Tensor:
    """Return a parameter that shares the memory of a tensor."""
    source = finish(array_of([])) if data is None else data
    if not isinstance(source, Tensor):
        raise TypeError(f"Parameter data must be a Tensor, not {type(source).__name__}")
    if requires_grad and not is_differentiable(source._data.dtype):
        raise errors.integers_require_no_grad()
    if dispatch.tracing is not None:
        dispatch.tracing((source,))
    if source._special is not None:
        source = below(source)
    made = rebuild(cls, source._data, requires_grad)
    made._counter = counter(source)
    if source._special is INFERENCE:
        if requires_grad and not modes.is_inference_mode_enabled():
            raise errors.inference_requires_grad()
        rebind(made, source._data, INFERENCE)
    elif isinstance(source._data, Layer):
        made._special = Special(source._data.level)
    return made


for _method in (__repr__, __format__, __deepcopy__, __reduce_ex__):
    setattr(Tensor, _method.__name__, _method)
# PyTorch's constructor of parameters makes tensors of other classes, too.
Parameter.__new__ = new_parameter  # type: ignore[method-assign,assignment]
