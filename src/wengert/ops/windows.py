"""Windows: what a signal is multiplied with before its spectrum is taken."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy import ndarray

from .options import Dtype, finish, numpy_dtype
from .public import op


def window(name: str, summary: str, compute: Callable[..., ndarray]) -> Any:
    """Publish a window, from a function of the phase, which goes from 0 to 1."""

    def make(
        window_length: int,
        periodic: bool = True,
        *shape: float,
        dtype: Dtype = None,
        **options: Any,
    ) -> Any:
        if window_length < 0:
            raise RuntimeError(
                f"{name} requires non-negative window_length, got "
                f"window_length={window_length}"
            )
        steps = window_length if periodic else window_length - 1
        phase = np.arange(window_length) / max(steps, 1)
        values = compute(phase, *shape) if window_length > 1 else phase + 1
        return finish(values.astype(numpy_dtype(dtype)), **options)

    make.__name__ = make.__qualname__ = name
    make.__doc__ = (
        f"Return a window: {summary}, where t goes from 0 to 1.\n\n"
        "    Args:\n"
        "        window_length: how many numbers.\n"
        "        periodic: leave the last of one more out, as for a spectrum.\n\n"
        "    >>> import wengert as torch\n"
        f"    >>> torch.{name}(4).shape\n"
        "    torch.Size([4])\n    "
    )
    return op(method=False, out=False)(make)


def hamming(t: ndarray, alpha: float = 0.54, beta: float = 0.46) -> ndarray:
    result: ndarray = alpha - beta * np.cos(2 * np.pi * t)
    return result


hann_window = window("hann_window", "sin² πt", lambda t: hamming(t, 0.5, 0.5))
hamming_window = window("hamming_window", "α - β cos 2πt", hamming)
blackman_window = window(
    "blackman_window",
    "0.42 - 0.5 cos 2πt + 0.08 cos 4πt",
    lambda t: 0.42 - 0.5 * np.cos(2 * np.pi * t) + 0.08 * np.cos(4 * np.pi * t),
)


def kaiser(t: ndarray, beta: float = 12.0) -> ndarray:
    result: ndarray = np.i0(beta * np.sqrt(1 - (2 * t - 1) ** 2)) / np.i0(beta)
    return result


kaiser_window = window("kaiser_window", "I₀(β √(1 - (2t - 1)²)) / I₀(β)", kaiser)
bartlett_window = window(
    "bartlett_window", "1 - |2t - 1|", lambda t: 1 - np.abs(2 * t - 1)
)
