"""Stochastic gradient descent."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy import ndarray

from ..tensor import Tensor
from .arrays import ArrayOptimizer, Block, Cohort
from .checks import check, options
from .optimizer import Group, Params


class SGD(ArrayOptimizer):
    """Stochastic gradient descent, with momentum if asked.

    With gradient g, parameter p, learning rate γ, momentum μ, dampening τ and weight
    decay λ: g ← g + λp; b ← μb + (1 − τ)g (at first b ← g); p ← p − γb. With Nesterov's
    momentum p ← p − γ(g + μb).

    Args:
        params: tensors, named tensors, or groups, see `Optimizer`.
        lr: the learning rate.
        momentum: how much of the previous step is in the next.
        dampening: how much less of the gradient goes into the momentum.
        weight_decay: the factor of the L2 penalty.
        nesterov: use Nesterov's momentum.
        maximize: ascend.
        foreach, fused: ways in which PyTorch computes; there is one here.
        differentiable: not supported if True.

    >>> import wengert as torch
    >>> w = torch.tensor([1.0], requires_grad=True)
    >>> optimizer = torch.optim.SGD([w], lr=0.1)
    >>> (3 * w).sum().backward()
    >>> optimizer.step()
    >>> w
    tensor([0.7000], requires_grad=True)
    """

    def __init__(
        self,
        params: Params,
        lr: Any = 1e-3,
        momentum: float = 0,
        dampening: float = 0,
        weight_decay: float = 0,
        nesterov: bool = False,
        *,
        maximize: bool = False,
        foreach: bool | None = None,
        differentiable: bool = False,
        fused: bool | None = None,
    ) -> None:
        check(locals(), "lr momentum weight_decay nesterov fused")
        names = (
            "lr momentum dampening weight_decay nesterov maximize foreach "
            "differentiable fused"
        )
        super().__init__(params, options(locals(), names))

    def arrays(self, group: Group) -> tuple[str, ...]:
        return ("momentum_buffer",) if group["momentum"] else ()

    def start(self, name: str, group: Group, tensor: Tensor) -> Any:
        """Begin where the rule leads to the first gradient: b ← μb + (1 − τ)g = g."""
        if not group["dampening"]:
            return 0.0
        grad = tensor.grad._data  # type: ignore[union-attr]
        grad = -grad if group["maximize"] else grad
        grad = grad + float(group["weight_decay"]) * tensor._data
        return grad * (float(group["dampening"]) / float(group["momentum"]))

    def coefficients(self, group: Group, cohort: Cohort) -> Sequence[float]:
        return (
            float(group["lr"]),
            float(group["weight_decay"]),
            float(group["momentum"]),
            1 - float(group["dampening"]),
        )

    def update(self, group: Group, block: Block, *scalars: ndarray) -> None:
        rate, decay, momentum, share = scalars
        grad, delta = self.gradient(group, block, decay), block.delta
        if not group["momentum"]:
            np.multiply(grad, rate, out=delta)
            block.descend()
            return
        (buffer,) = block.state
        buffer *= momentum
        if group["dampening"]:
            np.multiply(grad, share, out=delta)
            buffer += delta
        else:
            buffer += grad
        if group["nesterov"]:
            np.multiply(buffer, momentum, out=delta)
            delta += grad
            delta *= rate
        else:
            np.multiply(buffer, rate, out=delta)
        block.descend()
