"""Running the record backward: `backward`, `grad`, and what else concerns the tape."""

from __future__ import annotations

from importlib import import_module
from typing import Any

from ..function import Function as Function
from ..tensor import Tensor as Tensor
from . import function as function, graph as graph
from .backward import backward as backward, grad as grad
from .grad_mode import (
    enable_grad as enable_grad,
    inference_mode as inference_mode,
    no_grad as no_grad,
    set_grad_enabled as set_grad_enabled,
)

_LATER = {
    "anomaly": "anomaly",
    "detect_anomaly": "anomaly",
    "forward_ad": "forward_ad",
    "functional": "functional",
    "gradcheck": "gradcheck",
    "gradgradcheck": "gradcheck",
    "is_anomaly_check_nan_enabled": "anomaly",
    "is_anomaly_enabled": "anomaly",
    "set_detect_anomaly": "anomaly",
}
"""What most programs do not ask for, and the module that is loaded when one does."""


def __getattr__(name: str) -> Any:
    if name not in _LATER:
        raise AttributeError(f"module 'wengert.autograd' has no attribute '{name}'")
    room = _LATER[name]
    module = import_module(f"{__name__}.{room}")
    for other, its_room in _LATER.items():
        if its_room == room:
            globals()[other] = getattr(module, other, module)
    return globals()[name]


def Variable(data: Tensor, requires_grad: bool = False) -> Tensor:
    """Return the tensor: what was once a class of its own is every tensor now."""
    return data.requires_grad_() if requires_grad else data
