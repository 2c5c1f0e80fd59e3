"""What users call: PyTorch's ops, with its signatures, promotion and messages."""

from __future__ import annotations

from importlib import import_module

from ..tensor import Layer, Tensor
from .later import FUNCTIONS as FUNCTIONS, Later, load_all as load_all
from .public import namespace as namespace

FAMILIES = [
    "data",
    "creation",
    "constructors",
    "conversion",
    "arithmetic",
    "elementwise",
    "operators",
    "shape",
    "layout",
    "reduction",
]
"""The families that nearly every program needs; for the others see `later`."""

for _family in FAMILIES:
    import_module(f"{__name__}.{_family}")

# Rules compute with operators on the arrays of any layer.
for _name in vars(Tensor):
    if (
        _name.startswith("__")
        and _name not in vars(object) | vars(Layer)
        and (callable(vars(Tensor)[_name]) or type(vars(Tensor)[_name]) is Later)
    ):
        setattr(Layer, _name, vars(Tensor)[_name])
for _name in ("__eq__", "__ne__", "__lt__", "__le__", "__gt__", "__ge__"):
    setattr(Layer, _name, vars(Tensor)[_name])
Layer.__hash__ = object.__hash__  # type: ignore[method-assign]
