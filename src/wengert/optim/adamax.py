"""Relatives of Adam: Adamax, NAdam, RAdam."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy import ndarray

from ..tensor import Tensor
from .arrays import ArrayOptimizer, Block, Cohort, average
from .checks import check, options
from .optimizer import Group, Params


class Adamax(ArrayOptimizer):
    """Adamax, of Kingma and Ba (2015): Adam with the largest gradient for the root.

    With gradient g, parameter p, learning rate γ and step t: m ← β₁m + (1 − β₁)g;
    u ← max(β₂u, |g| + ε); p ← p − γ / (1 − β₁ᵗ) · m / u.

    Args:
        params: tensors, named tensors, or groups, see `Optimizer`.
        lr: the learning rate.
        betas: β₁ and β₂.
        eps: ε.
        weight_decay: the factor of the L2 penalty.
        maximize: ascend.
        foreach, capturable: ways in which PyTorch computes; there is one here.
        differentiable: not supported if True.
    """

    numbers = ("step",)

    def __init__(
        self,
        params: Params,
        lr: Any = 2e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0,
        foreach: bool | None = None,
        *,
        maximize: bool = False,
        differentiable: bool = False,
        capturable: bool = False,
    ) -> None:
        check(locals(), "lr eps betas weight_decay")
        names = "lr betas eps weight_decay foreach maximize differentiable capturable"
        super().__init__(params, options(locals(), names))

    def arrays(self, group: Group) -> tuple[str, ...]:
        return ("exp_avg", "exp_inf")

    def coefficients(self, group: Group, cohort: Cohort) -> Sequence[float]:
        beta1, beta2 = group["betas"]
        rate = float(group["lr"]) / (1 - beta1 ** cohort.count())
        return beta1, 1 - beta1, beta2, group["eps"], rate, float(group["weight_decay"])

    def update(self, group: Group, block: Block, *scalars: ndarray) -> None:
        keep1, take1, keep2, eps, rate, decay = scalars
        grad, delta = self.gradient(group, block, decay), block.delta
        mean, largest = block.state
        average(mean, grad, keep1, take1, delta)
        np.abs(grad, out=delta)
        delta += eps
        largest *= keep2
        np.maximum(largest, delta, out=largest)
        np.divide(mean, largest, out=delta)
        delta *= rate
        block.descend()


class NAdam(ArrayOptimizer):
    """NAdam, of Dozat (2016): Adam with Nesterov's momentum.

    With gradient g, parameter p, learning rate γ, step t and momentum decay ψ:
    μₜ = β₁(1 − ½ 0.96^(tψ)); m ← β₁m + (1 − β₁)g; v ← β₂v + (1 − β₂)g²;
    p ← p − γ (μₜ₊₁ m / (1 − Πμᵢ μₜ₊₁) + (1 − μₜ) g / (1 − Πμᵢ)) / d, where
    d = √(v / (1 − β₂ᵗ)) + ε.

    Args:
        params: tensors, named tensors, or groups, see `Optimizer`.
        lr: the learning rate.
        betas: β₁ and β₂.
        eps: ε.
        weight_decay: the factor of the L2 penalty.
        momentum_decay: ψ.
        decoupled_weight_decay: shrink the parameter, as `AdamW` does, instead of adding
            the penalty to the gradient.
        maximize: ascend.
        foreach, capturable: ways in which PyTorch computes; there is one here.
        differentiable: not supported if True.
    """

    numbers = ("step", "mu_product")

    def __init__(
        self,
        params: Params,
        lr: Any = 2e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0,
        momentum_decay: float = 4e-3,
        decoupled_weight_decay: bool = False,
        *,
        foreach: bool | None = None,
        maximize: bool = False,
        capturable: bool = False,
        differentiable: bool = False,
    ) -> None:
        check(locals(), "lr eps betas weight_decay momentum_decay")
        names = (
            "lr betas eps weight_decay momentum_decay "
            "decoupled_weight_decay maximize foreach capturable "
            "differentiable"
        )
        super().__init__(params, options(locals(), names))

    def arrays(self, group: Group) -> tuple[str, ...]:
        return ("exp_avg", "exp_avg_sq")

    def start(self, name: str, group: Group, tensor: Tensor) -> Any:
        return 1.0 if name == "mu_product" else 0.0

    def coefficients(self, group: Group, cohort: Cohort) -> Sequence[float]:
        beta1, beta2 = group["betas"]
        lr, psi = float(group["lr"]), group["momentum_decay"]
        decay = float(group["weight_decay"])
        step = cohort.count()
        now, after = [beta1 * (1 - 0.5 * 0.96 ** (t * psi)) for t in (step, step + 1)]
        cohort.numbers["mu_product"] *= now  # in its own precision, as it is saved
        product = cohort["mu_product"]
        root = (1 - beta2**step) ** 0.5
        return (
            beta1,
            1 - beta1,
            beta2,
            1 - beta2,
            group["eps"] * root,
            root * lr * (1 - now) / (1 - product),
            root * lr * after / (1 - product * after),
            lr * decay if group["decoupled_weight_decay"] else decay,
        )

    def update(self, group: Group, block: Block, *scalars: ndarray) -> None:
        keep1, take1, keep2, take2, eps, of_grad, of_mean, decay = scalars
        decoupled = group["decoupled_weight_decay"]
        grad = self.gradient(group, block, None if decoupled else decay)
        delta, work = block.delta, block.work
        mean, square = block.state
        average(mean, grad, keep1, take1, delta)
        average(square, np.multiply(grad, grad, out=delta), keep2, take2, delta)
        np.multiply(grad, of_grad, out=delta)
        delta += np.multiply(mean, of_mean, out=work)
        np.sqrt(square, out=work)
        work += eps
        delta /= work
        if decoupled and group["weight_decay"]:
            delta += np.multiply(block.parameter(), decay, out=work)
        block.descend()


class RAdam(ArrayOptimizer):
    """RAdam, of Liu and others (2020): Adam that waits until its mean is sure.

    With ρ∞ = 2 / (1 − β₂) − 1 and ρₜ = ρ∞ − 2tβ₂ᵗ / (1 − β₂ᵗ), the step is Adam's times
    √((ρₜ − 4)(ρₜ − 2)ρ∞ / ((ρ∞ − 4)(ρ∞ − 2)ρₜ)) where ρₜ > 5, and before that
    p ← p − γ m / (1 − β₁ᵗ).

    Args:
        params: tensors, named tensors, or groups, see `Optimizer`.
        lr: the learning rate γ.
        betas: β₁ and β₂.
        eps: added to the denominator.
        weight_decay: the factor of the L2 penalty.
        decoupled_weight_decay: shrink the parameter, as `AdamW` does, instead of adding
            the penalty to the gradient.
        maximize: ascend.
        foreach, capturable: ways in which PyTorch computes; there is one here.
        differentiable: not supported if True.
    """

    numbers = ("step",)

    def __init__(
        self,
        params: Params,
        lr: Any = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0,
        decoupled_weight_decay: bool = False,
        *,
        foreach: bool | None = None,
        maximize: bool = False,
        capturable: bool = False,
        differentiable: bool = False,
    ) -> None:
        check(locals(), "lr eps betas weight_decay")
        names = (
            "lr betas eps weight_decay maximize foreach capturable "
            "decoupled_weight_decay differentiable"
        )
        super().__init__(params, options(locals(), names))

    def arrays(self, group: Group) -> tuple[str, ...]:
        return ("exp_avg", "exp_avg_sq")

    def coefficients(self, group: Group, cohort: Cohort) -> Sequence[float]:
        """Return a factor of zero for the root while the mean of squares is unsure."""
        beta1, beta2 = group["betas"]
        lr, decay = float(group["lr"]), float(group["weight_decay"])
        step = cohort.count()
        correction = 1 - beta2**step
        limit = 2 / (1 - beta2) - 1
        length = limit - 2 * step * beta2**step / correction
        factor = 0.0
        if length > 5.0:
            ratio = (length - 4) * (length - 2) * limit
            ratio /= (limit - 4) * (limit - 2) * length
            factor = (ratio * correction) ** 0.5
        return (
            beta1,
            1 - beta1,
            beta2,
            1 - beta2,
            group["eps"],
            factor,
            lr / (1 - beta1**step),
            lr * decay if group["decoupled_weight_decay"] else decay,
        )

    def update(self, group: Group, block: Block, *scalars: ndarray) -> None:
        keep1, take1, keep2, take2, eps, factor, rate, decay = scalars
        decoupled = group["decoupled_weight_decay"]
        grad = self.gradient(group, block, None if decoupled else decay)
        delta = block.delta
        mean, square = block.state
        average(mean, grad, keep1, take1, delta)
        average(square, np.multiply(grad, grad, out=delta), keep2, take2, delta)
        if factor > 0:
            np.sqrt(square, out=delta)
            delta += eps
            np.divide(factor, delta, out=delta)
            delta *= mean
            delta *= rate
        else:
            np.multiply(mean, rate, out=delta)
        if decoupled and group["weight_decay"]:
            delta += np.multiply(block.parameter(), decay, out=block.work)
        block.descend()
