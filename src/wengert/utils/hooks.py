"""The handle of a hook."""

from __future__ import annotations

from ..hooks import RemovableHandle as RemovableHandle

__all__ = ["RemovableHandle"]
