"""Batch normalisation, and what instance normalisation shares with it."""

from __future__ import annotations

from typing import Any, ClassVar

from .. import dtypes
from ..ops.creation import empty, ones, zeros
from ..ops.data import tensor
from ..tensor import Tensor
from . import functional as F, init
from .module import Module
from .parameter import Parameter


class NormBase(Module):
    """What normalisations of channels share that may keep running statistics.

    Args:
        num_features: the number of channels.
        eps: added to the variance.
        momentum: how much of the running statistics a batch replaces; None for the mean
            of all batches.
        affine: multiply with a learnt weight and add a learnt bias.
        track_running_stats: keep running statistics, which are used in evaluation.
        bias: whether there is a bias, if affine.
        device, dtype: of the parameters.

    Attributes:
        weight, bias: (num_features,), at first ones and zeros; or None.
        running_mean, running_var, num_batches_tracked: buffers; or None.
    """

    _version = 2

    num_features: int
    eps: float
    momentum: float | None
    affine: bool
    track_running_stats: bool
    weight: Parameter | None
    bias: Parameter | None
    running_mean: Tensor | None
    running_var: Tensor | None
    num_batches_tracked: Tensor | None

    dims: ClassVar[tuple[int, ...]]
    """How many dimensions inputs may have."""

    def __init__(
        self,
        num_features: int,
        eps: float = 1e-5,
        momentum: float | None = 0.1,
        affine: bool = True,
        track_running_stats: bool = True,
        device: Any = None,
        dtype: Any = None,
        *,
        bias: bool = True,
    ) -> None:
        super().__init__()
        where = {"device": device, "dtype": dtype}
        self.num_features = num_features
        self.eps = eps
        self.momentum = momentum
        self.affine = affine
        self.track_running_stats = track_running_stats
        for name, present in (("weight", affine), ("bias", affine and bias)):
            parameter = Parameter(empty(num_features, **where)) if present else None
            self.register_parameter(name, parameter)
        tracked = track_running_stats
        mean, var = zeros(num_features, **where), ones(num_features, **where)
        count = tensor(0, dtype=dtypes.int64)
        self.register_buffer("running_mean", mean if tracked else None)
        self.register_buffer("running_var", var if tracked else None)
        self.register_buffer("num_batches_tracked", count if tracked else None)
        self.reset_parameters()

    def reset_running_stats(self) -> None:
        """Forget the running statistics."""
        if self.track_running_stats:
            assert self.running_mean is not None
            assert self.running_var is not None
            assert self.num_batches_tracked is not None
            self.running_mean.zero_()
            self.running_var.fill_(1)
            self.num_batches_tracked.zero_()

    def reset_parameters(self) -> None:
        """Fill the parameters with their first values, forget the statistics."""
        self.reset_running_stats()
        if self.weight is not None:
            init.ones_(self.weight)
        if self.bias is not None:
            init.zeros_(self.bias)

    def _check_input_dim(self, input: Tensor) -> None:
        if input.ndim not in self.dims:
            expected = " or ".join([f"{dim}D" for dim in self.dims])
            raise ValueError(f"expected {expected} input (got {input.ndim}D input)")

    def extra_repr(self) -> str:
        return (
            f"{self.num_features}, eps={self.eps}, momentum={self.momentum}, "
            f"affine={self.affine}, bias={self.bias is not None}, "
            f"track_running_stats={self.track_running_stats}"
        )

    def _load_from_state_dict(
        self, state_dict: Any, prefix: str, local_metadata: Any, *args: Any
    ) -> None:
        version = local_metadata.get("version")
        key = prefix + "num_batches_tracked"
        if (version is None or version < 2) and self.track_running_stats:
            # the first version did not count batches
            state_dict.setdefault(key, self.num_batches_tracked)
        super()._load_from_state_dict(state_dict, prefix, local_metadata, *args)


_NormBase = NormBase


class BatchNorm(NormBase):
    """What batch normalisations share."""

    def forward(self, input: Tensor) -> Tensor:
        """Normalise each channel over the batch: (N, C, *) to (N, C, *)."""
        self._check_input_dim(input)
        factor = 0.0 if self.momentum is None else self.momentum
        tracks = self.training and self.track_running_stats
        if tracks and self.num_batches_tracked is not None:
            self.num_batches_tracked.add_(1)
            if self.momentum is None:
                factor = 1.0 / float(self.num_batches_tracked)
        used = not self.training or self.track_running_stats
        return F.batch_norm(
            input,
            self.running_mean if used else None,
            self.running_var if used else None,
            self.weight,
            self.bias,
            self.training or (self.running_mean is None and self.running_var is None),
            factor,
            self.eps,
        )


_BatchNorm = BatchNorm


class BatchNorm1d(BatchNorm):
    """Batch normalisation (Ioffe and Szegedy 2015) of (N, C) or (N, C, L).

    y = (x − mean) / √(var + eps) · weight + bias, where mean and variance are those of
    a channel in the batch, or in evaluation the running ones.

    Args:
        num_features: C.
        eps: added to the variance.
        momentum: how much of the running statistics a batch replaces; None for the mean
            of all batches.
        affine: multiply with a learnt weight and add a learnt bias.
        track_running_stats: keep running statistics, which are used in evaluation.
        bias: whether there is a bias, if affine.

    >>> import wengert as torch
    >>> torch.nn.BatchNorm1d(1, affine=False)(torch.tensor([[1.0], [3.0]]))
    tensor([[-1.0000],
            [ 1.0000]])
    """

    dims = (2, 3)


class BatchNorm2d(BatchNorm):
    """Batch normalisation of images (N, C, H, W); see `BatchNorm1d`.

    >>> import wengert as torch
    >>> torch.nn.BatchNorm2d(3)(torch.ones(2, 3, 4, 4)).shape
    torch.Size([2, 3, 4, 4])
    """

    dims = (4,)


class BatchNorm3d(BatchNorm):
    """Batch normalisation of volumes (N, C, D, H, W); see `BatchNorm1d`."""

    dims = (5,)
