"""What training does with parameters and their gradients."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...lazy import loader
from . import rnn
from .clip_grad import (
    clip_grad_norm,
    clip_grad_norm_,
    clip_grad_value_,
    clip_grads_with_norm_,
    get_total_norm,
)
from .convert_parameters import parameters_to_vector, vector_to_parameters

if TYPE_CHECKING:
    from .weight_normalization import remove_weight_norm, weight_norm

_LATER = dict.fromkeys(("remove_weight_norm", "weight_norm"), "weight_normalization")

__getattr__ = loader(globals(), _LATER)

__all__ = [
    "clip_grad_norm",
    "clip_grad_norm_",
    "clip_grad_value_",
    "clip_grads_with_norm_",
    "get_total_norm",
    "parameters_to_vector",
    "remove_weight_norm",
    "rnn",
    "vector_to_parameters",
    "weight_norm",
]
