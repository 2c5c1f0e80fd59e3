"""Losses.

They share the arguments ``reduction``, "mean", "sum" or "none", and the older
``size_average`` and ``reduce``, which give the same.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any, ClassVar

from ..ops.loss import legacy
from ..tensor import Tensor
from . import functional as F
from .distance import PairwiseDistance
from .module import Module
from .of_function import OfFunction


def reduction_of(size_average: Any, reduce: Any, reduction: str) -> str:
    """Return the reduction, which may be given in the older way."""
    if size_average is None and reduce is None:
        return reduction
    found = legacy(size_average, reduce, reduction)
    warnings.warn(
        "size_average and reduce args will be deprecated, please use "
        f"reduction='{found}' instead.",
        stacklevel=4,
    )
    return found


class Loss(OfFunction):
    """What losses share; those with an option ``weight`` keep it as a buffer."""

    inputs: ClassVar[tuple[str, ...]] = ("input", "target")
    shown: ClassVar[tuple[str, ...]] = ()

    reduction: str

    def __init__(
        self, size_average: Any = None, reduce: Any = None, reduction: str = "mean"
    ) -> None:
        Module.__init__(self)
        self.reduction = reduction_of(size_average, reduce, reduction)

    def settle(self) -> None:
        options = self.__dict__
        average, reduce = options.pop("size_average", None), options.pop("reduce", None)
        self.reduction = reduction_of(average, reduce, self.reduction)
        for name in ("weight", "pos_weight"):
            if name in options:
                self.register_buffer(name, options.pop(name))


class WeightedLoss(Loss):
    """What losses with weights of the classes share."""

    weight: Tensor | None

    def __init__(
        self,
        weight: Tensor | None = None,
        size_average: Any = None,
        reduce: Any = None,
        reduction: str = "mean",
    ) -> None:
        super().__init__(size_average, reduce, reduction)
        self.register_buffer("weight", weight)


_Loss = Loss
_WeightedLoss = WeightedLoss


class L1Loss(Loss):
    """|input − target|.

    >>> import wengert as torch
    >>> torch.nn.L1Loss()(torch.zeros(2), torch.tensor([1.0, 3.0]))
    tensor(2.)
    """

    function = F.l1_loss
    passed = ("reduction",)
    size_average: Any = None
    reduce: Any = None
    reduction: str = "mean"


class MSELoss(Loss):
    """(input − target)².

    >>> import wengert as torch
    >>> torch.nn.MSELoss()(torch.zeros(2), torch.tensor([1.0, 3.0]))
    tensor(5.)
    """

    function = F.mse_loss
    passed = ("reduction",)
    size_average: Any = None
    reduce: Any = None
    reduction: str = "mean"


class SmoothL1Loss(Loss):
    """Square where the difference is below `beta`, linear above."""

    function = F.smooth_l1_loss
    passed = ("reduction", "beta")
    size_average: Any = None
    reduce: Any = None
    reduction: str = "mean"
    beta: float = 1.0


class HuberLoss(Loss):
    """Square where the difference is up to `delta`, linear above."""

    function = F.huber_loss
    reduction: str = "mean"
    delta: float = 1.0


class BCELoss(WeightedLoss):
    """The cross-entropy of probabilities of two classes.

    Args:
        weight: of the elements.

    >>> import wengert as torch
    >>> torch.nn.BCELoss()(torch.tensor([0.5]), torch.tensor([1.0]))
    tensor(0.6931)
    """

    function = F.binary_cross_entropy
    passed = ("weight", "reduction")
    weight: Tensor | None = None
    size_average: Any = None
    reduce: Any = None
    reduction: str = "mean"


class BCEWithLogitsLoss(Loss):
    """The cross-entropy of two classes by logits.

    Args:
        weight: of the elements.
        pos_weight: of the positive class.
    """

    function = F.binary_cross_entropy_with_logits
    passed = ("weight", "pos_weight", "reduction")
    weight: Tensor | None = None
    size_average: Any = None
    reduce: Any = None
    reduction: str = "mean"
    pos_weight: Tensor | None = None


class SoftMarginLoss(Loss):
    """log(1 + exp(−target · input))."""

    function = F.soft_margin_loss
    passed = ("reduction",)
    size_average: Any = None
    reduce: Any = None
    reduction: str = "mean"


class NLLLoss(WeightedLoss):
    """The negative log-likelihood of classes, given the logarithms of probabilities.

    Args:
        weight: of the classes.
        ignore_index: a target that does not count.
    """

    function = F.nll_loss
    passed = ("weight", "ignore_index", "reduction")
    weight: Tensor | None = None
    size_average: Any = None
    ignore_index: int = -100
    reduce: Any = None
    reduction: str = "mean"


class CrossEntropyLoss(WeightedLoss):
    """The cross-entropy of logits against classes, or class probabilities.

    Args:
        weight: of the classes.
        ignore_index: a target that does not count.
        label_smoothing: which part of the target is spread evenly over all classes.

    >>> import wengert as torch
    >>> torch.nn.CrossEntropyLoss()(torch.zeros(1, 2), torch.tensor([0]))
    tensor(0.6931)
    """

    function = F.cross_entropy
    passed = ("weight", "ignore_index", "reduction", "label_smoothing")
    weight: Tensor | None = None
    size_average: Any = None
    ignore_index: int = -100
    reduce: Any = None
    reduction: str = "mean"
    label_smoothing: float = 0.0


class MultiMarginLoss(WeightedLoss):
    """Σ max(0, margin − x[target] + x[i])^p / C over the other classes i."""

    function = F.multi_margin_loss
    passed = ("p", "margin", "weight", "reduction")
    p: int = 1
    margin: float = 1.0
    weight: Tensor | None = None
    size_average: Any = None
    reduce: Any = None
    reduction: str = "mean"

    def settle(self) -> None:
        super().settle()
        if self.p not in (1, 2):
            raise ValueError("only p == 1 and p == 2 supported")
        if self.weight is not None and self.weight.ndim != 1:
            raise ValueError(
                f"MultiMarginLoss: expected weight to be None or 1D tensor, got "
                f"{self.weight.ndim}D instead"
            )


class MultiLabelMarginLoss(Loss):
    """Σ max(0, 1 − (x[j] − x[i])) / C over targets j (up to a −1) and others i."""

    function = F.multilabel_margin_loss
    passed = ("reduction",)
    size_average: Any = None
    reduce: Any = None
    reduction: str = "mean"


class MultiLabelSoftMarginLoss(WeightedLoss):
    """The mean over classes of the two-class cross-entropies by logits."""

    function = F.multilabel_soft_margin_loss
    passed = ("weight", "reduction")
    weight: Tensor | None = None
    size_average: Any = None
    reduce: Any = None
    reduction: str = "mean"


class KLDivLoss(Loss):
    """The Kullback–Leibler divergence of the target from exp(input), term by term.

    Args:
        log_target: the target is the logarithm too.
    """

    function = F.kl_div
    passed = ("reduction", "log_target")
    size_average: Any = None
    reduce: Any = None
    reduction: str = "mean"
    log_target: bool = False


class PoissonNLLLoss(Loss):
    """The negative log-likelihood of counts under Poisson rates.

    Args:
        log_input: the input is the logarithm of the rate.
        full: add Stirling's approximation of the constant term.
        eps: added to a rate before its logarithm.
    """

    function = F.poisson_nll_loss
    inputs = ("log_input", "target")
    passed = ("log_input", "full", "eps", "reduction")
    log_input: bool = True
    full: bool = False
    size_average: Any = None
    eps: float = 1e-8
    reduce: Any = None
    reduction: str = "mean"


class GaussianNLLLoss(Loss):
    """The negative log-likelihood of targets under normal distributions.

    Args:
        full: add the constant term.
        eps: the smallest variance.
    """

    function = F.gaussian_nll_loss
    inputs = ("input", "target", "var")
    passed = ("full", "eps", "reduction")

    full: bool = False
    eps: float = 1e-6
    reduction: str = "mean"


class HingeEmbeddingLoss(Loss):
    """x where the target is 1, and max(0, margin − x) where it is −1."""

    function = F.hinge_embedding_loss
    passed = ("margin", "reduction")
    margin: float = 1.0
    size_average: Any = None
    reduce: Any = None
    reduction: str = "mean"


class MarginRankingLoss(Loss):
    """max(0, −target (x₁ − x₂) + margin)."""

    function = F.margin_ranking_loss
    inputs = ("input1", "input2", "target")
    passed = ("margin", "reduction")
    margin: float = 0.0
    size_average: Any = None
    reduce: Any = None
    reduction: str = "mean"


class CosineEmbeddingLoss(Loss):
    """1 − cos(x₁, x₂) where the target is 1, max(0, cos − margin) where it is −1."""

    function = F.cosine_embedding_loss
    inputs = ("input1", "input2", "target")
    passed = ("margin", "reduction")
    margin: float = 0.0
    size_average: Any = None
    reduce: Any = None
    reduction: str = "mean"


class TripletMarginLoss(Loss):
    """max(0, d(anchor, positive) − d(anchor, negative) + margin).

    Args:
        p: of the norm that is the distance.
        swap: take the distance of positive and negative if that is smaller.
    """

    function = F.triplet_margin_loss
    inputs = ("anchor", "positive", "negative")
    passed = ("margin", "p", "eps", "swap", "reduction")
    margin: float = 1.0
    p: float = 2.0
    eps: float = 1e-6
    swap: bool = False
    size_average: Any = None
    reduce: Any = None
    reduction: str = "mean"

    def settle(self) -> None:
        super().settle()
        check_margin("TripletMarginLoss", self.margin)


class TripletMarginWithDistanceLoss(Loss):
    """The triplet loss with a distance of the caller's."""

    function = F.triplet_margin_with_distance_loss
    inputs = ("anchor", "positive", "negative")
    distance_function: Callable[[Tensor, Tensor], Tensor] | None = None
    margin: float = 1.0
    swap: bool = False
    reduction: str = "mean"

    def settle(self) -> None:
        super().settle()
        check_margin("TripletMarginWithDistanceLoss", self.margin)
        if self.distance_function is None:
            self.distance_function = PairwiseDistance()


def check_margin(name: str, margin: float) -> None:
    if margin <= 0:
        raise ValueError(
            f"{name}: expected margin to be greater than 0, got {margin} instead"
        )
