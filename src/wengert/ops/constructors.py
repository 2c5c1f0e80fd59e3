"""Making tensors as old programs do it: by ``torch.Tensor(2, 3)`` and its relatives."""

from __future__ import annotations

from typing import Any

from .. import dtypes
from ..tensor import Tensor, counter, new, rebind
from ..views import birth
from .creation import empty
from .data import tensor
from .public import namespace


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
    made = new(cls)
    made._birth = birth(tensor)
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
