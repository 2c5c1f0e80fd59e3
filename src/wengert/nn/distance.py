"""Distances and similarities of vectors."""

from __future__ import annotations

from . import functional as F
from .of_function import OfFunction


class CosineSimilarity(OfFunction):
    """The cosine of the angle between vectors along a dimension."""

    function = F.cosine_similarity
    inputs = ("x1", "x2")
    shown = ()
    dim: int = 1
    eps: float = 1e-8


class PairwiseDistance(OfFunction):
    """The p-norm of x₁ − x₂ + eps along the last dimension."""

    function = F.pairwise_distance
    inputs = ("x1", "x2")
    shown = ()
    p: float = 2.0
    eps: float = 1e-6
    keepdim: bool = False
