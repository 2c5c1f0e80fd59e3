"""What users call: PyTorch's ops, with its signatures, promotion and messages."""

from __future__ import annotations

from importlib import import_module

from ..tensor import Layer, Tensor
from .public import namespace as namespace

FAMILIES = [
    "creation",
    "conversion",
    "arithmetic",
    "elementwise",
    "comparison",
    "selection",
    "complex",
    "operators",
    "special",
    "shape",
    "broadcasting",
    "joining",
    "layout",
    "indexing",
    "gathering",
    "masking",
    "assignment",
    "scattering",
    "searching",
    "strided",
    "rearranging",
    "combining",
    "copies",
    "padding",
    "reduction",
    "scan",
    "sorting",
    "matmul",
    "contraction",
    "einsum",
    "statistics",
    "norms",
    "linalg",
    "decompositions",
    "matrix_norms",
    "activation",
    "loss",
    "random",
    "convolution",
    "pooling",
    "normalization",
]

for _family in FAMILIES:
    import_module(f"{__name__}.{_family}")

# Rules compute with operators on the arrays of any layer.
for _name in vars(Tensor):
    if _name.startswith("__") and _name not in vars(object) and callable(
        vars(Tensor)[_name]
    ):
        if _name not in vars(Layer):
            setattr(Layer, _name, vars(Tensor)[_name])
for _name in ("__eq__", "__ne__", "__lt__", "__le__", "__gt__", "__ge__"):
    setattr(Layer, _name, vars(Tensor)[_name])
Layer.__hash__ = object.__hash__  # type: ignore[method-assign]
