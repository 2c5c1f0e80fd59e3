"""Samples of the gamma and Dirichlet distributions, as functions of the parameters."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..generator import default_generator
from ..limits import finfo
from ..ops.drawing import fresh_of
from ..primitives import implicit
from ..tensor import Tensor


def standard_gamma(concentration: Tensor) -> Tensor:
    """Return a gamma variate, of unit rate, for each concentration."""
    values = fresh_of(default_generator.gamma, concentration)
    return implicit.standard_gamma(concentration, values)


def dirichlet(concentration: Tensor) -> Tensor:
    """Return proportions for concentrations along the last dimension.

    Each proportion alone is a beta variate of its concentration and the sum of the
    others. When it moves with its concentration, the rest shrinks or grows in the same
    proportions as before.
    """
    values = fresh_of(draw_dirichlet, concentration)
    others = (concentration.sum(-1, keepdim=True) - concentration).detach()
    moves = implicit.beta(concentration, others, values) - values
    rest = (1 - values).clamp(min=finfo(values.dtype).eps / 2)
    share = moves / rest
    return values + share - values * share.sum(-1, keepdim=True)


def draw_dirichlet(concentration: Any) -> Any:
    kind = concentration.dtype
    parts = default_generator.gamma(concentration.astype(np.float64))
    proportions = parts / parts.sum(-1, keepdims=True)
    return np.maximum(proportions.astype(kind), np.finfo(kind).tiny)
