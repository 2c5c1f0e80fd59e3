"""Windows, what a signal is multiplied with before its spectrum is taken.

All are 1 at their highest, which lies in the middle. With ``sym=False`` they lack the
last of one more element, so that they are periodic, as is fit for a spectrum.

>>> import wengert as torch
>>> torch.signal.windows.hann(5)
tensor([0.0000, 0.5000, 1.0000, 0.5000, 0.0000])
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

from .. import dtypes, placement
from ..ops.creation import arange, linspace, ones
from ..ops.data import tensor
from ..tensor import Tensor

__all__ = [
    "bartlett",
    "blackman",
    "cosine",
    "exponential",
    "gaussian",
    "general_cosine",
    "general_hamming",
    "hamming",
    "hann",
    "kaiser",
    "nuttall",
]


def check(name: str, M: int, options: dict[str, Any]) -> None:
    """Refuse lengths, layouts and dtypes that a window cannot have."""
    dtype = options.get("dtype") or dtypes.get_default_dtype()
    layout = options.get("layout", placement.strided)
    if M < 0:
        raise ValueError(f"{name} requires non-negative window length, got M={M}")
    if layout is not placement.strided:
        raise ValueError(
            f"{name} is implemented for strided tensors only, got: {layout}"
        )
    if dtype not in (dtypes.float32, dtypes.float64):
        raise ValueError(f"{name} expects float32 or float64 dtypes, got: {dtype}")


def points(M: int, start: float, step: float, options: dict[str, Any]) -> Tensor:
    """Return M points, the first at ``start`` steps from zero."""
    ends = start * step, (start + M - 1) * step
    result: Tensor = linspace(*ends, M, **options)
    return result


def intervals(M: int, sym: bool) -> int:
    """Return how many intervals a window of M points has, the period's end included."""
    return M if not sym and M > 1 else M - 1


def exponential(
    M: int,
    *,
    center: float | None = None,
    tau: float = 1.0,
    sym: bool = True,
    **options: Any,
) -> Tensor:
    """exp(-|t - center| / tau) at t = 0, 1, ..., M - 1.

    >>> exponential(3)
    tensor([0.3679, 1.0000, 0.3679])
    """
    check("exponential", M, options)
    if tau <= 0:
        raise ValueError(f"Tau must be positive, got: {tau} instead.")
    if sym and center is not None:
        raise ValueError("Center must be None for symmetric windows")
    start = intervals(M, sym) / 2 if center is None else center
    result: Tensor = (-points(M, -start, 1 / tau, options).abs()).exp()
    return result


def cosine(M: int, *, sym: bool = True, **options: Any) -> Tensor:
    """Half of a sine's period.

    >>> cosine(3)
    tensor([0.5000, 1.0000, 0.5000])
    """
    check("cosine", M, options)
    step = math.pi / max(intervals(M, sym) + 1, 1)
    result: Tensor = points(M, 0.5, step, options).sin()
    return result


def gaussian(M: int, *, std: float = 1.0, sym: bool = True, **options: Any) -> Tensor:
    """exp(-(t / std)² / 2), where t is the distance from the middle.

    >>> gaussian(3)
    tensor([0.6065, 1.0000, 0.6065])
    """
    check("gaussian", M, options)
    if std <= 0:
        raise ValueError(f"Standard deviation must be positive, got: {std} instead.")
    start, step = -intervals(M, sym) / 2, 1 / (std * math.sqrt(2))
    result: Tensor = (-(points(M, start, step, options) ** 2)).exp()
    return result


def kaiser(M: int, *, beta: float = 12.0, sym: bool = True, **options: Any) -> Tensor:
    """I₀(β √(1 - t²)) / I₀(β), where t goes from -1 to 1.

    >>> kaiser(3, beta=1)
    tensor([0.7898, 1.0000, 0.7898])
    """
    check("kaiser", M, options)
    if beta < 0:
        raise ValueError(f"beta must be non-negative, got: {beta} instead.")
    if M <= 1:
        return ones(M, **options)
    dtype = options.get("dtype") or dtypes.get_default_dtype()
    bound = tensor(beta, dtype=dtype)
    step = 2 * bound / intervals(M, sym)
    end = bound.minimum(-bound + (M - 1) * step)
    k = linspace(-bound, end, M, **options)
    result: Tensor = (bound * bound - k**2).sqrt().i0() / bound.i0()
    return result


def bartlett(M: int, *, sym: bool = True, **options: Any) -> Tensor:
    """1 - |t|, where t goes from -1 to 1: a triangle.

    >>> bartlett(5)
    tensor([0.0000, 0.5000, 1.0000, 0.5000, 0.0000])
    """
    check("bartlett", M, options)
    if M <= 1:
        return ones(M, **options)
    end = -1 + (M - 1) * 2 / intervals(M, sym)
    result: Tensor = 1 - linspace(-1, end, M, **options).abs()
    return result


def general_cosine(
    M: int, *, a: Iterable[float], sym: bool = True, **options: Any
) -> Tensor:
    """a₀ - a₁ cos t + a₂ cos 2t - ..., where t goes from 0 to 2π.

    >>> general_cosine(3, a=[0.5, 0.5])
    tensor([0., 1., 0.])
    """
    check("general_cosine", M, options)
    if M <= 1:
        return ones(M, **options)
    if not isinstance(a, Iterable):
        raise TypeError("Coefficients must be a list/tuple")
    if not a:
        raise ValueError("Coefficients cannot be empty")
    phase = points(M, 0, 2 * math.pi / intervals(M, sym), options)
    signed = [-w if i % 2 else w for i, w in enumerate(a)]
    weights = tensor(signed, dtype=phase.dtype).unsqueeze(-1)
    multiples = arange(len(signed), dtype=phase.dtype).unsqueeze(-1)
    result: Tensor = (weights * (multiples * phase).cos()).sum(0)
    return result


def general_hamming(
    M: int, *, alpha: float = 0.54, sym: bool = True, **options: Any
) -> Tensor:
    """α - (1 - α) cos t, where t goes from 0 to 2π.

    >>> general_hamming(3, alpha=0.6)
    tensor([0.2000, 1.0000, 0.2000])
    """
    return general_cosine(M, a=[alpha, 1.0 - alpha], sym=sym, **options)


def hamming(M: int, *, sym: bool = True, **options: Any) -> Tensor:
    """0.54 - 0.46 cos t, where t goes from 0 to 2π.

    >>> hamming(3)
    tensor([0.0800, 1.0000, 0.0800])
    """
    return general_hamming(M, sym=sym, **options)


def hann(M: int, *, sym: bool = True, **options: Any) -> Tensor:
    """(1 - cos t) / 2, where t goes from 0 to 2π.

    >>> hann(3)
    tensor([0., 1., 0.])
    """
    return general_hamming(M, alpha=0.5, sym=sym, **options)


def blackman(M: int, *, sym: bool = True, **options: Any) -> Tensor:
    """0.42 - 0.5 cos t + 0.08 cos 2t, where t goes from 0 to 2π.

    >>> blackman(5)[2]
    tensor(1.0000)
    """
    check("blackman", M, options)
    return general_cosine(M, a=[0.42, 0.5, 0.08], sym=sym, **options)


def nuttall(M: int, *, sym: bool = True, **options: Any) -> Tensor:
    """The sum of four cosines with the lowest side lobes.

    >>> nuttall(5)[2]
    tensor(1.)
    """
    weights = [0.3635819, 0.4891775, 0.1365995, 0.0106411]
    return general_cosine(M, a=weights, sym=sym, **options)
