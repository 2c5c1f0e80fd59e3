"""The compiler: graph, passes, schedule, kernels, program, a file a stage."""

from __future__ import annotations

from typing import Any

from ..lazy import loader

_LATER = {
    "compile": "compiled",
    "disable": "asking",
    "is_compiling": "asking",
    "is_dynamo_compiling": "asking",
    "is_exporting": "asking",
    "list_backends": "asking",
    "reset": "asking",
}
_load = loader(globals(), _LATER)


def __getattr__(name: str) -> Any:
    return _load(name)


def __dir__() -> list[str]:
    return sorted(_LATER)
