"""What surrounds training: data sets and loaders, hooks."""

from __future__ import annotations

import importlib
from typing import Any

__all__ = ["checkpoint", "data", "hooks", "swap_tensors"]


def __getattr__(name: str) -> Any:
    if name == "swap_tensors":
        from .swapping import swap_tensors

        return swap_tensors
    try:
        return importlib.import_module(f"{__name__}.{name}")
    except ModuleNotFoundError as error:
        if error.name != f"{__name__}.{name}":
            raise
    raise AttributeError(f"module '{__name__}' has no attribute '{name}'")
