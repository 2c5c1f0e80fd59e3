"""Running the record backward: `backward`, `grad`, and what else concerns the tape."""

from __future__ import annotations

from . import (
    forward_ad as forward_ad,
    function as function,
    functional as functional,
    graph as graph,
)
from ..function import Function as Function
from ..tensor import Tensor as Tensor
from .anomaly import (
    detect_anomaly as detect_anomaly,
    is_anomaly_check_nan_enabled as is_anomaly_check_nan_enabled,
    is_anomaly_enabled as is_anomaly_enabled,
    set_detect_anomaly as set_detect_anomaly,
)
from .backward import backward as backward, grad as grad
from .gradcheck import gradcheck as gradcheck, gradgradcheck as gradgradcheck
from .grad_mode import (
    enable_grad as enable_grad,
    inference_mode as inference_mode,
    no_grad as no_grad,
    set_grad_enabled as set_grad_enabled,
)


def Variable(data: Tensor, requires_grad: bool = False) -> Tensor:
    """Return the tensor: what was once a class of its own is every tensor now."""
    return data.requires_grad_() if requires_grad else data
