"""What creation functions have in common: sizes, dtypes, devices, ``requires_grad``."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy import ndarray

from .. import dtypes, errors, modes
from ..forms import form_of
from ..placement import preserve_format
from ..tensor import INFERENCE, AccumulateGrad, Tensor, is_differentiable, plain

Dtype = dtypes.dtype | None


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
    if modes.special and modes.local.inference:
        tensor._special = INFERENCE
    else:
        tensor._form = form_of(array)
    if requires_grad:
        if not is_differentiable(array.dtype):
            raise errors.integers_require_no_grad()
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


def memory_like(input: Tensor, options: dict[str, Any]) -> Any:
    """Return whose order of memory a tensor like another has; None for contiguous.

    Args:
        options: its memory format is taken from them.
    """
    kept = options.pop("memory_format", preserve_format) is preserve_format
    return input._data if kept else None
