"""A module whose calls are compiled: what `compile` returns for a module."""

from __future__ import annotations

from typing import Any

from ..nn.calls import HOOKS
from ..nn.module import Module

OWN = ("_orig_mod", "_hooked", "forward")
"""What is not the module's, besides hooks."""


class OptimizedModule(Module):
    """A module around another one, whose calls go through compiled programs.

    Attributes and methods are the other's; parameters and what `state_dict` returns are
    named as seen from here: ``_orig_mod.weight``.

    Args:
        module: the module itself, `_orig_mod`.
        forward: the compiled function, which calls it.

    https://docs.pytorch.org/docs/2.13/generated/torch.compile.html
    """

    def __init__(self, module: Module, forward: Any) -> None:
        super().__init__()
        del self.__dict__["training"]
        Module.__setattr__(self, "_orig_mod", module)
        self.__dict__["forward"] = forward

    @property
    def training(self) -> bool:  # type: ignore[override]
        """Whether the module is in training mode."""
        mode: bool = self._orig_mod.training
        return mode

    def __getattr__(self, name: str) -> Any:
        if "_orig_mod" not in self.__dict__.get("_modules", ()):
            raise AttributeError(name)
        if name in OWN or name in HOOKS:
            return super().__getattr__(name)
        return getattr(self._orig_mod, name)

    def __setattr__(self, name: str, value: Any) -> None:
        if name in OWN:
            Module.__setattr__(self, name, value)
        else:
            setattr(self._orig_mod, name, value)

    def __delattr__(self, name: str) -> None:
        delattr(self._orig_mod, name)

    def explain(self) -> str:
        """Return what the compiled programs do, see `wengert.compile`."""
        text: str = self.__dict__["forward"].explain()
        return text
