"""ASGD and Rprop."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy import ndarray

from ..tensor import Tensor
from .arrays import ArrayOptimizer, Block, Cohort
from .checks import check, options
from .optimizer import Group, Params


class ASGD(ArrayOptimizer):
    """Averaged stochastic gradient descent, of Polyak and Juditsky (1992).

    With gradient g, parameter p and step t: p ← p(1 − λη) − ηg; the mean of p over the
    steps since t₀ is in ``state[p]["ax"]``; η ← γ / (1 + λγt)^α.

    Args:
        params: tensors, named tensors, or groups, see `Optimizer`.
        lr: the learning rate γ.
        lambd: λ.
        alpha: α.
        t0: from which step on the mean is taken.
        weight_decay: the factor of the L2 penalty.
        maximize: ascend.
        foreach, capturable: ways in which PyTorch computes; there is one here.
        differentiable: not supported if True.
    """

    numbers = ("step", "eta", "mu")

    def __init__(
        self,
        params: Params,
        lr: Any = 1e-2,
        lambd: float = 1e-4,
        alpha: float = 0.75,
        t0: float = 1e6,
        weight_decay: float = 0,
        foreach: bool | None = None,
        maximize: bool = False,
        differentiable: bool = False,
        capturable: bool = False,
    ) -> None:
        check(locals(), "lr weight_decay")
        names = (
            "lr lambd alpha t0 weight_decay foreach maximize differentiable capturable"
        )
        super().__init__(params, options(locals(), names))

    def arrays(self, group: Group) -> tuple[str, ...]:
        return ("ax",)

    def start(self, name: str, group: Group, tensor: Tensor) -> Any:
        return {"eta": float(group["lr"]), "mu": 1.0}.get(name, 0.0)

    def coefficients(self, group: Group, cohort: Cohort) -> Sequence[float]:
        step, lr, lambd = cohort.count(), float(group["lr"]), group["lambd"]
        eta, mu = cohort["eta"], cohort["mu"]
        cohort["eta"] = lr / (1 + lambd * lr * step) ** group["alpha"]
        cohort["mu"] = 1 / max(1, step - group["t0"])
        return eta, lambd * eta, mu, float(group["weight_decay"])

    def update(self, group: Group, block: Block, *scalars: ndarray) -> None:
        eta, shrink, mu, decay = scalars
        grad, delta, work = self.gradient(group, block, decay), block.delta, block.work
        (mean,) = block.state
        np.multiply(block.parameter(), shrink, out=delta)
        delta += np.multiply(grad, eta, out=work)
        block.descend()
        if mu == 1:
            mean[...] = block.parameter()
        else:
            np.subtract(block.parameter(), mean, out=work)
            work *= mu
            mean += work


class Rprop(ArrayOptimizer):
    """Resilient backpropagation, of Riedmiller and Braun (1993).

    Each element has a step size of its own, which grows while the sign of its gradient
    stays and shrinks when it changes; only the sign of the gradient is used. Where it
    has changed, the element stays as it is once.

    Args:
        params: tensors, named tensors, or groups, see `Optimizer`.
        lr: the step sizes at first.
        etas: by what a step size is multiplied when it shrinks and when it grows.
        step_sizes: the smallest and the largest one.
        maximize: ascend.
        capturable, foreach: ways in which PyTorch computes; there is one here.
        differentiable: not supported if True.
    """

    numbers = ("step",)

    def __init__(
        self,
        params: Params,
        lr: Any = 1e-2,
        etas: tuple[float, float] = (0.5, 1.2),
        step_sizes: tuple[float, float] = (1e-6, 50),
        *,
        capturable: bool = False,
        foreach: bool | None = None,
        maximize: bool = False,
        differentiable: bool = False,
    ) -> None:
        check(locals(), "lr etas")
        names = "lr etas step_sizes foreach maximize differentiable capturable"
        super().__init__(params, options(locals(), names))

    def arrays(self, group: Group) -> tuple[str, ...]:
        return ("prev", "step_size")

    def start(self, name: str, group: Group, tensor: Tensor) -> Any:
        if name != "step_size":
            return 0.0
        lr = float(group["lr"])
        return complex(lr, lr) if tensor.is_complex() else lr

    def coefficients(self, group: Group, cohort: Cohort) -> Sequence[float]:
        cohort.count()
        return (*group["etas"], *group["step_sizes"])

    def update(self, group: Group, block: Block, *scalars: ndarray) -> None:
        shrink, grow, smallest, largest = scalars
        grad, delta = self.gradient(group, block), block.delta
        previous, size = block.state
        turn = np.multiply(grad, previous, out=delta)
        turned = turn < 0
        size *= np.where(turned, shrink, np.where(turn > 0, grow, 1))
        np.clip(size, smallest, largest, out=size)
        np.copyto(previous, grad)
        previous[turned] = 0
        np.sign(previous, out=delta)
        delta *= size
        block.descend()
