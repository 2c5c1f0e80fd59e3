"""Named results: tuples such as ``torch.return_types.max(values=..., indices=...)``."""

from __future__ import annotations

from collections import namedtuple
from types import SimpleNamespace
from typing import Any

from .public import namespace

return_types = SimpleNamespace()
namespace["return_types"] = return_types


def named_result(name: str, *fields: str) -> Any:
    """Make a type of named results and enter it in ``torch.return_types``.

    >>> pair = named_result("pair", "first", "second")
    >>> pair(1, 2)
    torch.return_types.pair(
    first=1,
    second=2)
    """
    kind: Any = namedtuple(name, fields)  # type: ignore[misc]  # a name not known here
    kind.__module__ = "torch.return_types"
    kind.__repr__ = represent  # type: ignore[method-assign]
    setattr(return_types, name, kind)
    return kind


def represent(result: Any) -> str:
    """Show a named result as PyTorch does."""
    parts = zip(result._fields, result, strict=True)
    lines = ",\n".join([f"{name}={value!r}" for name, value in parts])
    return f"torch.return_types.{type(result).__name__}(\n{lines})"
