"""Instance normalisation."""

from __future__ import annotations

import warnings
from typing import Any

from ..tensor import Tensor
from . import functional as F
from .batchnorm import NormBase


class InstanceNorm(NormBase):
    """What instance normalisations share; inputs may be without a batch dimension."""

    def __init__(
        self,
        num_features: int,
        eps: float = 1e-5,
        momentum: float | None = 0.1,
        affine: bool = False,
        track_running_stats: bool = False,
        device: Any = None,
        dtype: Any = None,
        *,
        bias: bool = True,
    ) -> None:
        super().__init__(
            num_features,
            eps,
            momentum,
            affine,
            track_running_stats,
            device,
            dtype,
            bias=bias,
        )

    def forward(self, input: Tensor) -> Tensor:
        """Normalise each channel of each sample: (N, C, *) to (N, C, *)."""
        self._check_input_dim(input)
        single = input.ndim == self.dims[0]
        self._check_channels(input, 0 if single else 1)
        if single:
            return self._apply_norm(input.unsqueeze(0)).squeeze(0)
        return self._apply_norm(input)

    def _check_channels(self, input: Tensor, dim: int) -> None:
        found = input.shape[dim]
        if found == self.num_features:
            return
        if self.affine:
            raise ValueError(
                f"expected input's size at dim={dim} to match num_features "
                f"({self.num_features}), but got: {found}."
            )
        warnings.warn(
            f"input's size at dim={dim} does not match num_features. You can silence "
            "this warning by not passing in num_features, which is not used because "
            "affine=False",
            stacklevel=4,
        )

    def _apply_norm(self, input: Tensor) -> Tensor:
        return F.instance_norm(
            input,
            self.running_mean,
            self.running_var,
            self.weight,
            self.bias,
            self.training or not self.track_running_stats,
            self.momentum if self.momentum is not None else 0.0,
            self.eps,
        )


_InstanceNorm = InstanceNorm


class InstanceNorm1d(InstanceNorm):
    """Instance normalisation (Ulyanov 2016) of signals (N, C, L) or (C, L).

    y = (x − mean) / √(var + eps) · weight + bias, where mean and variance are those of
    a channel of one sample.

    Args:
        num_features: C.
        eps: added to the variance.
        momentum: how much of the running statistics a batch replaces.
        affine: multiply with a learnt weight and add a learnt bias.
        track_running_stats: keep running statistics, which are used in evaluation.
        bias: whether there is a bias, if affine.
    """

    dims = (2, 3)


class InstanceNorm2d(InstanceNorm):
    """Instance normalisation of images (N, C, H, W); see `InstanceNorm1d`."""

    dims = (3, 4)


class InstanceNorm3d(InstanceNorm):
    """Instance normalisation of volumes (N, C, D, H, W); see `InstanceNorm1d`."""

    dims = (4, 5)
