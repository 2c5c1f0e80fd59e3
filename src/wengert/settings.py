"""Settings of the whole process that PyTorch has: determinism, precision, threads.

All that is computed here is deterministic and in full precision, so most of these are
only remembered.
"""

from __future__ import annotations

import os
import warnings
from typing import Any

from .dtypes import set_default_dtype

PRECISIONS = ("highest", "high", "medium")
MODES = ("default", "warn", "error")

_state: dict[str, Any] = {"deterministic": 0, "precision": "highest", "warn": False}


def use_deterministic_algorithms(mode: bool, *, warn_only: bool = False) -> None:
    """Ask for ops that give the same result each time: all do.

    >>> import wengert as torch
    >>> torch.use_deterministic_algorithms(True)
    >>> torch.are_deterministic_algorithms_enabled()
    True
    >>> torch.use_deterministic_algorithms(False)
    """
    if not isinstance(mode, bool):
        raise TypeError(
            "_set_deterministic_algorithms(): argument 'mode' (position 1) must be "
            f"bool, not {type(mode).__name__}"
        )
    _state["deterministic"] = (1 if warn_only else 2) if mode else 0


def are_deterministic_algorithms_enabled() -> bool:
    """Return whether `use_deterministic_algorithms` has asked for them."""
    return bool(_state["deterministic"])


def is_deterministic_algorithms_warn_only_enabled() -> bool:
    """Return whether ops that are not deterministic would only warn."""
    return bool(_state["deterministic"] == 1)


def set_deterministic_debug_mode(debug_mode: int | str) -> None:
    """Ask for deterministic ops by a name or number: "default", "warn" or "error"."""
    if isinstance(debug_mode, str):
        if debug_mode not in MODES:
            raise RuntimeError(
                "invalid value of debug_mode, expected one of `default`, `warn`, "
                f"`error`, but got {debug_mode}"
            )
        debug_mode = MODES.index(debug_mode)
    if debug_mode not in (0, 1, 2):
        raise RuntimeError(
            f"invalid value of debug_mode, expected 0, 1, or 2, but got {debug_mode}"
        )
    _state["deterministic"] = debug_mode


def get_deterministic_debug_mode() -> int:
    """Return 0, 1 or 2; see `set_deterministic_debug_mode`."""
    return int(_state["deterministic"])


def set_float32_matmul_precision(precision: str) -> None:
    """Say how exact products of float32 are to be; they always are in full precision.

    Args:
        precision: "highest", "high" or "medium".
    """
    if precision not in PRECISIONS:
        warnings.warn(
            f"{precision} is not one of 'highest', 'high', or 'medium'; the "
            "currentsetFloat32MatmulPrecision call has no effect.",
            UserWarning,
            stacklevel=2,
        )
        return
    _state["precision"] = precision


def get_float32_matmul_precision() -> str:
    """Return what `set_float32_matmul_precision` has set."""
    return str(_state["precision"])


def set_num_threads(count: int) -> None:
    """Set how many threads compute, for what has not yet started its threads.

    These are the compiled programs; the environment variable OMP_NUM_THREADS, set
    before the program starts, holds for NumPy's products as well.
    """
    if not isinstance(count, int):
        raise RuntimeError(
            f"set_num_threads expects an int, but got {type(count).__name__}"
        )
    if count <= 0:
        raise RuntimeError("set_num_threads expects a positive integer")
    os.environ["WENGERT_NUM_THREADS"] = str(count)


def get_num_threads() -> int:
    """Return how many threads are to compute."""
    for name in ("WENGERT_NUM_THREADS", "OMP_NUM_THREADS"):
        value = os.environ.get(name, "")
        if value.isdigit() and int(value) > 0:
            return int(value)
    return os.cpu_count() or 1


def set_warn_always(enabled: bool) -> None:
    """Ask for warnings each time; Python's `warnings` decides about that here."""
    _state["warn"] = bool(enabled)


def is_warn_always_enabled() -> bool:
    """Return what `set_warn_always` has set."""
    return bool(_state["warn"])


def set_flush_denormal(mode: bool) -> bool:
    """Ask for numbers near zero to be zero; return False: that is not to be had."""
    return False


def set_default_tensor_type(kind: Any) -> None:
    """Set the default dtype by the name of a type of tensors (deprecated).

    Args:
        kind: ``torch.FloatTensor`` or ``torch.DoubleTensor``, or its name.
    """
    from . import float16, float32, float64

    kinds = {"HalfTensor": float16, "FloatTensor": float32, "DoubleTensor": float64}
    name = kind if isinstance(kind, str) else getattr(kind, "__name__", "")
    short = name.rpartition(".")[2]
    if short not in kinds or ".cuda." in name:
        raise TypeError(f"invalid type object: {kind}")
    set_default_dtype(kinds[short])
