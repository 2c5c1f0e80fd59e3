"""Running the record backward: `backward`, `grad`, and what else concerns the tape."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..lazy import loader as _loader
from ..tensor import Tensor as Tensor
from . import graph as graph
from .backward import backward as backward, grad as grad
from .grad_mode import (
    enable_grad as enable_grad,
    inference_mode as inference_mode,
    is_multithreading_enabled as is_multithreading_enabled,
    no_grad as no_grad,
    set_grad_enabled as set_grad_enabled,
    set_multithreading_enabled as set_multithreading_enabled,
)

if TYPE_CHECKING:
    from ..function import Function as Function

_LATER = {
    "Function": "function",
    "Variable": "variable",
    "anomaly_mode": "anomaly_mode",
    "detect_anomaly": "anomaly_mode",
    "forward_ad": "forward_ad",
    "function": "function",
    "functional": "functional",
    "gradcheck": "gradcheck",
    "gradgradcheck": "gradcheck",
    "set_detect_anomaly": "anomaly_mode",
    "variable": "variable",
}
"""What most programs do not ask for, and the module that is loaded when one does."""

__getattr__ = _loader(globals(), _LATER)


def __dir__() -> list[str]:
    return [*globals(), *_LATER]
