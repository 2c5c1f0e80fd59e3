"""The limits of dtypes: `finfo` for floating-point ones, `iinfo` for integers."""

from __future__ import annotations

from typing import Any, NoReturn, final

import numpy as np

from .dtypes import BOOL, FLOAT, INT, check_is_dtype, dtype, get_default_dtype


class _Limits:
    """What `finfo` and `iinfo` share: constant attributes, equality by dtype."""

    __slots__ = ("bits", "dtype", "max", "min")
    bits: int
    dtype: str

    def _set(self, **attributes: Any) -> None:
        for name, value in attributes.items():
            object.__setattr__(self, name, value)

    def __setattr__(self, name: str, value: Any) -> NoReturn:
        kind = type(self).__name__
        raise AttributeError(
            f"attribute '{name}' of 'torch.{kind}' objects is not writable"
        )

    def __eq__(self, other: object) -> bool:
        if type(other) is not type(self):
            return NotImplemented
        return self.dtype == other.dtype

    __hash__ = None  # type: ignore[assignment]  # as in PyTorch


@final
class finfo(_Limits):
    """The limits of a floating-point dtype; of a complex one, those of its real part.

    Args:
        type: the dtype; the default dtype, when not given.

    Raises:
        TypeError: it is not a floating-point or complex dtype.

    >>> from wengert.dtypes import float16
    >>> finfo(float16)
    finfo(resolution=0.001, min=-65504, max=65504, eps=0.000976562, \
smallest_normal=6.10352e-05, tiny=6.10352e-05, dtype=float16)
    """

    __slots__ = ("eps", "resolution", "smallest_normal", "tiny")
    eps: float
    max: float
    min: float
    resolution: float
    smallest_normal: float
    tiny: float

    def __init__(self, type: dtype | None = None) -> None:
        if type is None:
            type = get_default_dtype()
        check_is_dtype(type, "finfo", "type", 1)
        if type.category < FLOAT:
            raise TypeError(
                "torch.finfo() requires a floating point input type. "
                "Use torch.iinfo to handle 'torch.finfo'"
            )
        limits = np.finfo(type.to_real().numpy)
        self._set(
            bits=int(limits.bits),
            dtype=type.to_real().name,
            eps=float(limits.eps),
            max=float(limits.max),
            min=float(limits.min),
            # NumPy rounds this to the dtype itself.
            resolution=float(f"1e-{limits.precision}"),
            smallest_normal=float(limits.smallest_normal),
            tiny=float(limits.tiny),
        )

    def __repr__(self) -> str:
        names = ("resolution", "min", "max", "eps", "smallest_normal", "tiny")
        limits = ", ".join(f"{name}={getattr(self, name):g}" for name in names)
        return f"finfo({limits}, dtype={self.dtype})"


@final
class iinfo(_Limits):
    """The limits of an integer dtype.

    Args:
        type: the dtype.

    Raises:
        TypeError: it is not an integer dtype.

    >>> from wengert.dtypes import int8, int64
    >>> iinfo(int8), iinfo(int64).max
    (iinfo(min=-128, max=127, dtype=int8), 9223372036854775807)
    """

    __slots__ = ()
    max: int
    min: int

    def __init__(self, type: dtype) -> None:
        check_is_dtype(type, "iinfo", "type", 1)
        if type.category == BOOL:
            raise TypeError("torch.bool is not supported by torch.iinfo")
        if type.category > INT:
            raise TypeError(
                "torch.iinfo() requires an integer input type. "
                "Use torch.finfo to handle 'torch.iinfo'"
            )
        limits = np.iinfo(type.numpy)
        self._set(bits=limits.bits, dtype=type.name, max=limits.max, min=limits.min)

    def __repr__(self) -> str:
        # PyTorch prints the limits as doubles of six digits.
        return f"iinfo(min={self.min:g}, max={self.max:g}, dtype={self.dtype})"
