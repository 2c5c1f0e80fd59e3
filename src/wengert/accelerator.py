"""`torch.accelerator`, for programs that look for one: there is none here.

>>> import wengert as torch
>>> torch.accelerator.is_available()
False
"""

from __future__ import annotations

from .cuda import device_count as device_count, is_available as is_available


def current_accelerator(check_available: bool = False) -> None:
    """Return the accelerator's device: None, as there is none."""
    return
