"""RMSprop, Adagrad, Adadelta: steps scaled by sums or means of squared gradients."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy import ndarray

from ..tensor import Tensor
from .arrays import ArrayOptimizer, Block, Cohort, average
from .checks import check, options
from .optimizer import Group, Params


class RMSprop(ArrayOptimizer):
    """RMSprop, of Hinton.

    With gradient g, parameter p and learning rate γ: v ← αv + (1 − α)g²;
    p ← p − γ g / (√v + ε). If centered, the mean of g, squared, is subtracted from v
    under the root. With momentum μ: b ← μb + g / (√v + ε); p ← p − γb.

    Args:
        params: tensors, named tensors, or groups, see `Optimizer`.
        lr: the learning rate.
        alpha: how much of the mean of squares is kept.
        eps: added to the denominator.
        weight_decay: the factor of the L2 penalty.
        momentum: how much of the previous step is in the next.
        centered: divide by the standard deviation of the gradient.
        maximize: ascend.
        capturable, foreach: ways in which PyTorch computes; there is one here.
        differentiable: not supported if True.
    """

    numbers = ("step",)

    def __init__(
        self,
        params: Params,
        lr: Any = 1e-2,
        alpha: float = 0.99,
        eps: float = 1e-8,
        weight_decay: float = 0,
        momentum: float = 0,
        centered: bool = False,
        capturable: bool = False,
        foreach: bool | None = None,
        maximize: bool = False,
        differentiable: bool = False,
    ) -> None:
        check(locals(), "lr eps momentum weight_decay alpha")
        names = (
            "lr momentum alpha eps centered weight_decay capturable "
            "foreach maximize differentiable"
        )
        super().__init__(params, options(locals(), names))

    def arrays(self, group: Group) -> tuple[str, ...]:
        momentum = ("momentum_buffer",) if group["momentum"] > 0 else ()
        centered = ("grad_avg",) if group["centered"] else ()
        return ("square_avg", *momentum, *centered)

    def coefficients(self, group: Group, cohort: Cohort) -> Sequence[float]:
        cohort.count()
        alpha = float(group["alpha"])
        return (
            alpha,
            1 - alpha,
            group["eps"],
            float(group["lr"]),
            float(group["momentum"]),
            float(group["weight_decay"]),
        )

    def update(self, group: Group, block: Block, *scalars: ndarray) -> None:
        keep, take, eps, rate, momentum, decay = scalars
        grad, delta = self.gradient(group, block, decay), block.delta
        square = block.state[0]
        average(square, np.multiply(grad, grad, out=delta), keep, take, delta)
        if group["centered"]:
            mean = block.state[-1]
            average(mean, grad, keep, take, delta)
            np.multiply(mean, mean, out=delta)
            np.subtract(square, delta, out=delta)
            np.sqrt(delta, out=delta)
        else:
            np.sqrt(square, out=delta)
        delta += eps
        np.divide(grad, delta, out=delta)
        if group["momentum"] > 0:
            buffer = block.state[1]
            buffer *= momentum
            buffer += delta
            np.multiply(buffer, rate, out=delta)
        else:
            delta *= rate
        block.descend()


class Adagrad(ArrayOptimizer):
    """Adagrad, of Duchi, Hazan and Singer (2011).

    With gradient g, parameter p, learning rate γ, its decay η and step t: s ← s + g²;
    p ← p − γ / (1 + (t − 1)η) · g / (√s + ε).

    Args:
        params: tensors, named tensors, or groups, see `Optimizer`.
        lr: the learning rate.
        lr_decay: η.
        weight_decay: the factor of the L2 penalty.
        initial_accumulator_value: s at first.
        eps: added to the denominator.
        maximize: ascend.
        foreach, fused: ways in which PyTorch computes; there is one here.
        differentiable: not supported if True.
    """

    numbers = ("step",)

    def __init__(
        self,
        params: Params,
        lr: Any = 1e-2,
        lr_decay: float = 0,
        weight_decay: float = 0,
        initial_accumulator_value: float = 0,
        eps: float = 1e-10,
        foreach: bool | None = None,
        *,
        maximize: bool = False,
        differentiable: bool = False,
        fused: bool | None = None,
    ) -> None:
        check(locals(), "lr lr_decay weight_decay initial_accumulator_value eps fused")
        names = (
            "lr lr_decay eps weight_decay initial_accumulator_value "
            "foreach maximize differentiable fused"
        )
        super().__init__(params, options(locals(), names))
        for group in self.param_groups:
            self.begin(group, group["params"], self.arrays(group))

    def arrays(self, group: Group) -> tuple[str, ...]:
        return ("sum",)

    def start(self, name: str, group: Group, tensor: Tensor) -> Any:
        if name == "step":
            return 0.0
        value = group["initial_accumulator_value"]
        return complex(value, value) if tensor.is_complex() else value

    def coefficients(self, group: Group, cohort: Cohort) -> Sequence[float]:
        step = cohort.count()
        rate = float(group["lr"]) / (1 + (step - 1) * group["lr_decay"])
        return rate, group["eps"], float(group["weight_decay"])

    def update(self, group: Group, block: Block, *scalars: ndarray) -> None:
        rate, eps, decay = scalars
        grad, delta = self.gradient(group, block, decay), block.delta
        (total,) = block.state
        total += np.multiply(grad, grad, out=delta)
        np.sqrt(total, out=delta)
        delta += eps
        np.divide(grad, delta, out=delta)
        delta *= rate
        block.descend()


class Adadelta(ArrayOptimizer):
    """Adadelta, of Zeiler (2012).

    With gradient g, parameter p and learning rate γ: v ← ρv + (1 − ρ)g²;
    d = √(u + ε) / √(v + ε) · g; u ← ρu + (1 − ρ)d²; p ← p − γd.

    Args:
        params: tensors, named tensors, or groups, see `Optimizer`.
        lr: the learning rate.
        rho: how much of the means of squares is kept.
        eps: added under the roots.
        weight_decay: the factor of the L2 penalty.
        maximize: ascend.
        foreach, capturable: ways in which PyTorch computes; there is one here.
        differentiable: not supported if True.
    """

    numbers = ("step",)

    def __init__(
        self,
        params: Params,
        lr: Any = 1.0,
        rho: float = 0.9,
        eps: float = 1e-6,
        weight_decay: float = 0,
        foreach: bool | None = None,
        *,
        capturable: bool = False,
        maximize: bool = False,
        differentiable: bool = False,
    ) -> None:
        check(locals(), "lr rho eps weight_decay")
        names = "lr rho eps weight_decay maximize capturable foreach differentiable"
        super().__init__(params, options(locals(), names))

    def arrays(self, group: Group) -> tuple[str, ...]:
        return ("square_avg", "acc_delta")

    def coefficients(self, group: Group, cohort: Cohort) -> Sequence[float]:
        cohort.count()
        rho = float(group["rho"])
        return (
            rho,
            1 - rho,
            group["eps"],
            float(group["lr"]),
            float(group["weight_decay"]),
        )

    def update(self, group: Group, block: Block, *scalars: ndarray) -> None:
        keep, take, eps, rate, decay = scalars
        grad, delta, work = self.gradient(group, block, decay), block.delta, block.work
        square, steps = block.state
        average(square, np.multiply(grad, grad, out=delta), keep, take, delta)
        np.sqrt(np.add(square, eps, out=work), out=work)
        np.sqrt(np.add(steps, eps, out=delta), out=delta)
        delta /= work
        delta *= grad
        average(steps, np.multiply(delta, delta, out=work), keep, take, work)
        delta *= rate
        block.descend()
