"""`torch.autograd.function`: what belongs to custom functions."""

from __future__ import annotations

from ..function import (
    Function as Function,
    FunctionCtx as FunctionCtx,
    once_differentiable as once_differentiable,
)
