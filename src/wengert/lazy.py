"""Names of packages that are loaded when they are first asked for."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import Any


def loader(names: dict[str, Any], later: dict[str, str]) -> Callable[[str], Any]:
    """Return the ``__getattr__`` of a package, which loads what it lacks.

    Args:
        names: the globals of the package.
        later: for each name the module of the package that has it, or is it.
    """
    package: str = names["__name__"]

    def load(name: str) -> Any:
        if name not in later:
            raise AttributeError(f"module '{package}' has no attribute '{name}'")
        module = import_module(f"{package}.{later[name]}")
        # of `fft`, the package is meant, not the function in it
        is_package = later[name] == name and hasattr(module, "__path__")
        names[name] = module if is_package else getattr(module, name, module)
        return names[name]

    return load
