"""What users call: PyTorch's ops, with its signatures, promotion and messages."""

from __future__ import annotations

from importlib import import_module

from .public import namespace as namespace

FAMILIES = [
    "creation",
    "conversion",
    "elementwise",
]

for _family in FAMILIES:
    import_module(f"{__name__}.{_family}")
