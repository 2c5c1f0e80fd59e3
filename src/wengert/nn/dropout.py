"""Dropout: in training, elements are zeroed at random."""

from __future__ import annotations

from typing import ClassVar

from . import functional as F
from .of_function import OfFunction


class DropoutNd(OfFunction):
    """What all kinds of dropout share."""

    passed: ClassVar[tuple[str, ...]] = ("p", "training", "inplace")

    p: float
    inplace: bool

    def settle(self) -> None:
        if not 0 <= self.p <= 1:
            raise ValueError(
                f"dropout probability has to be between 0 and 1, but got {self.p}"
            )

    def extra_repr(self) -> str:
        return f"p={self.p}, inplace={self.inplace}"


_DropoutNd = DropoutNd


class Dropout(DropoutNd):
    """In training, zeroes elements with probability p and divides the others by 1 − p.

    Args:
        p: the probability.
        inplace: write the result into the input.
    """

    function = F.dropout
    p: float = 0.5
    inplace: bool = False


class Dropout1d(DropoutNd):
    """In training, zeroes whole channels of signals (N, C, L); see `Dropout`."""

    function = F.dropout1d
    p: float = 0.5
    inplace: bool = False


class Dropout2d(DropoutNd):
    """In training, zeroes whole channels of images (N, C, H, W); see `Dropout`."""

    function = F.dropout2d
    p: float = 0.5
    inplace: bool = False


class Dropout3d(DropoutNd):
    """In training, zeroes whole channels of volumes (N, C, D, H, W); see `Dropout`."""

    function = F.dropout3d
    p: float = 0.5
    inplace: bool = False


class AlphaDropout(DropoutNd):
    """Dropout that keeps mean and variance of what SELU gives (Klambauer 2017)."""

    function = F.alpha_dropout
    passed = ("p", "training")  # PyTorch's, too, does not pass `inplace` on
    p: float = 0.5
    inplace: bool = False


class FeatureAlphaDropout(DropoutNd):
    """Alpha dropout of whole channels."""

    function = F.feature_alpha_dropout
    passed = ("p", "training")  # PyTorch's, too, does not pass `inplace` on
    p: float = 0.5
    inplace: bool = False
