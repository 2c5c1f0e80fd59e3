"""Adam and AdamW: steps scaled by running means of the gradient and of its square."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy import ndarray

from .arrays import ArrayOptimizer, Block, Cohort, average
from .checks import check, options
from .optimizer import Group, Params


class Adam(ArrayOptimizer):
    """Adam, of Kingma and Ba (2015).

    With gradient g, parameter p, learning rate γ and step t:
    m ← β₁m + (1 − β₁)g; v ← β₂v + (1 − β₂)g²;
    p ← p − γ (m / (1 − β₁ᵗ)) / (√(v / (1 − β₂ᵗ)) + ε).

    Args:
        params: tensors, named tensors, or groups, see `Optimizer`.
        lr: the learning rate.
        betas: how much of the means of the gradient and of its square is kept.
        eps: added to the denominator.
        weight_decay: the factor of the L2 penalty.
        amsgrad: divide by the largest mean of squares that there was.
        maximize: ascend.
        decoupled_weight_decay: shrink the parameter, as `AdamW` does, instead of adding
            the penalty to the gradient.
        foreach, capturable, fused: ways in which PyTorch computes; there is one here.
        differentiable: not supported if True.

    >>> import wengert as torch
    >>> w = torch.tensor([1.0], requires_grad=True)
    >>> optimizer = torch.optim.Adam([w], lr=0.1)
    >>> (3 * w).sum().backward()
    >>> optimizer.step()
    >>> w
    tensor([0.9000], requires_grad=True)
    """

    numbers = ("step",)

    def __init__(
        self,
        params: Params,
        lr: Any = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0,
        amsgrad: bool = False,
        *,
        foreach: bool | None = None,
        maximize: bool = False,
        capturable: bool = False,
        differentiable: bool = False,
        fused: bool | None = None,
        decoupled_weight_decay: bool = False,
    ) -> None:
        check(locals(), "lr eps betas weight_decay fused")
        names = (
            "lr betas eps weight_decay amsgrad maximize foreach "
            "capturable differentiable fused decoupled_weight_decay"
        )
        super().__init__(params, options(locals(), names))

    def arrays(self, group: Group) -> tuple[str, ...]:
        if group["amsgrad"]:
            return ("exp_avg", "exp_avg_sq", "max_exp_avg_sq")
        return ("exp_avg", "exp_avg_sq")

    def coefficients(self, group: Group, cohort: Cohort) -> Sequence[float]:
        """Return them so that √(v / (1 − β₂ᵗ)) needs no division of arrays."""
        lr, decay = float(group["lr"]), float(group["weight_decay"])
        beta1, beta2 = [float(beta) for beta in group["betas"]]
        step = cohort.count()
        root = (1 - beta2**step) ** 0.5
        return (
            beta1,
            1 - beta1,
            beta2,
            1 - beta2,
            group["eps"] * root,
            lr * root / (1 - beta1**step),
            lr * decay if group["decoupled_weight_decay"] else decay,
        )

    def update(self, group: Group, block: Block, *scalars: ndarray) -> None:
        keep1, take1, keep2, take2, eps, rate, decay = scalars
        decoupled = group["decoupled_weight_decay"]
        grad = self.gradient(group, block, None if decoupled else decay)
        delta = block.delta
        mean, square = block.state[:2]
        average(mean, grad, keep1, take1, delta)
        average(square, np.multiply(grad, grad, out=delta), keep2, take2, delta)
        if group["amsgrad"]:
            square = np.maximum(block.state[2], square, out=block.state[2])
        np.sqrt(square, out=delta)
        delta += eps
        np.divide(mean, delta, out=delta)
        delta *= rate
        if decoupled and group["weight_decay"]:
            delta += np.multiply(block.parameter(), decay, out=block.work)
        block.descend()


class AdamW(Adam):
    """Adam whose weight decay shrinks the parameters: p ← p − γλp beside Adam's step.

    Args:
        params: tensors, named tensors, or groups, see `Optimizer`.
        lr: the learning rate.
        betas: how much of the means of the gradient and of its square is kept.
        eps: added to the denominator.
        weight_decay: λ.
        amsgrad: divide by the largest mean of squares that there was.
        maximize: ascend.
        foreach, capturable, fused: ways in which PyTorch computes; there is one here.
        differentiable: not supported if True.

    >>> import wengert as torch
    >>> w = torch.tensor([1.0], requires_grad=True)
    >>> optimizer = torch.optim.AdamW([w], lr=0.1, weight_decay=0.5)
    >>> (3 * w).sum().backward()
    >>> optimizer.step()
    >>> w
    tensor([0.8500], requires_grad=True)
    """

    def __init__(
        self,
        params: Params,
        lr: Any = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 1e-2,
        amsgrad: bool = False,
        *,
        maximize: bool = False,
        foreach: bool | None = None,
        capturable: bool = False,
        differentiable: bool = False,
        fused: bool | None = None,
    ) -> None:
        super().__init__(
            params,
            lr,
            betas,
            eps,
            weight_decay,
            amsgrad,
            foreach=foreach,
            maximize=maximize,
            capturable=capturable,
            differentiable=differentiable,
            fused=fused,
            decoupled_weight_decay=True,
        )
