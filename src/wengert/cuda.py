"""`torch.cuda`, for programs that ask for a GPU: there is none here.

>>> import wengert as torch
>>> torch.device("cuda" if torch.cuda.is_available() else "cpu")
device(type='cpu')
"""

from __future__ import annotations

from typing import Any, NoReturn


def is_available() -> bool:
    """Whether there is a GPU to compute on: no."""
    return False


def device_count() -> int:
    """How many GPUs there are: none."""
    return 0


def is_initialized() -> bool:
    """Whether a GPU is in use: no."""
    return False


def manual_seed(seed: int) -> None:
    """Seed the generators of the GPUs, of which there are none."""


def manual_seed_all(seed: int) -> None:
    """Seed the generators of the GPUs, of which there are none."""


def empty_cache() -> None:
    """Free cached memory of the GPUs, of which there are none."""


def refuse(*args: Any, **kwargs: Any) -> NoReturn:
    """Say that there is no GPU."""
    raise AssertionError(
        "Torch not compiled with CUDA enabled: wengert computes on the CPU; use "
        "device='cpu'"
    )


synchronize = current_device = get_device_name = set_device = refuse
