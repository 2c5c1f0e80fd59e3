"""What users call: PyTorch's ops, with its signatures, promotion and messages."""

from __future__ import annotations

from importlib import import_module
from typing import Any

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
    "random",
]

BY_DIMENSIONS = {
    "conv": "convolution",
    "conv_transpose": "convolution",
    "max_pool": "pooling",
    "avg_pool": "pooling",
    "adaptive_avg_pool": "pooling",
    "adaptive_max_pool": "pooling",
}
WINDOWS = ("bartlett", "blackman", "hamming", "hann")
LATER = {
    **{
        f"{name}{n}d": family
        for name, family in BY_DIMENSIONS.items()
        for n in (1, 2, 3)
    },
    "layer_norm": "normalization",
    "rms_norm": "normalization",
    "group_norm": "normalization",
    "cosine_similarity": "margin_loss",
    "pairwise_distance": "margin_loss",
    **{f"{name}_window": "windows" for name in WINDOWS},
    "svd_lowrank": "lowrank",
    "pca_lowrank": "lowrank",
}
"""Functions that few programs ask the package for, and their families, loaded then.

`nn.functional`, where most look for them, loads these families itself.
"""

for _family in FAMILIES:
    import_module(f"{__name__}.{_family}")


def later(name: str) -> Any:
    """Load the family of a function left for later, and return the function."""
    import_module(f"{__name__}.{LATER[name]}")
    return namespace[name]


def load_all() -> None:
    """Load what was left for later: for whoever wants to know all ops."""
    for family in {*LATER.values(), "loss", "class_loss"}:
        import_module(f"{__name__}.{family}")


# Rules compute with operators on the arrays of any layer.
for _name in vars(Tensor):
    if (
        _name.startswith("__")
        and _name not in vars(object) | vars(Layer)
        and callable(vars(Tensor)[_name])
    ):
        setattr(Layer, _name, vars(Tensor)[_name])
for _name in ("__eq__", "__ne__", "__lt__", "__le__", "__gt__", "__ge__"):
    setattr(Layer, _name, vars(Tensor)[_name])
Layer.__hash__ = object.__hash__  # type: ignore[method-assign]
