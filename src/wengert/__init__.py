"""Wengert: PyTorch's autograd as a small Python library.

>>> import wengert as torch
>>> x = torch.tensor([1.0, 2.0], requires_grad=True)
>>> (x * x).sum().backward()
>>> x.grad
tensor([2., 4.])
"""

from __future__ import annotations

import math as _math
import warnings as _warnings
from typing import TYPE_CHECKING, Any

# NumPy warns where PyTorch is silent: log(0), overflow. Only warnings that arise in the
# library's own frames are silenced, so the user's NumPy code keeps its settings.
_warnings.filterwarnings("ignore", category=RuntimeWarning, module=r"wengert\.")

from . import (  # noqa: E402
    autograd as autograd,
    dtypes,
    hooks,
    ops as ops,
    overrides as overrides,
    placement,
)
from .autograd import (  # noqa: E402
    enable_grad as enable_grad,
    inference_mode as inference_mode,
    no_grad as no_grad,
    set_grad_enabled as set_grad_enabled,
)
from .dtypes import (  # noqa: E402
    Size as Size,
    can_cast as can_cast,
    device as device,
    dtype as dtype,
    get_default_dtype as get_default_dtype,
    promote_types as promote_types,
    result_type as result_type,
    set_default_dtype as set_default_dtype,
)
from .kernels.allocation import keep_freed_memory as _keep_freed_memory  # noqa: E402
from .lazy import loader as _loader  # noqa: E402
from .modes import (  # noqa: E402
    is_grad_enabled as is_grad_enabled,
    is_inference_mode_enabled as is_inference_mode_enabled,
)
from .placement import (  # noqa: E402
    get_default_device as get_default_device,
    set_default_device as set_default_device,
)
from .printing import set_printoptions as set_printoptions  # noqa: E402
from .tensor import Tensor as Tensor  # noqa: E402
from .version import __version__ as __version__  # noqa: E402

_keep_freed_memory()

if TYPE_CHECKING:
    from .func import vmap as vmap
    from .limits import finfo as finfo, iinfo as iinfo

tensor: Any  # a function, as the module of that name is wanted by nobody outside

_MODULES = (
    *("accelerator", "amp", "backends", "compiler", "cuda", "distributions", "fft"),
    *("func", "linalg", "masked"),
    *("nn", "optim", "random", "signal", "special", "testing", "utils"),
)
_SETTINGS = (
    *("are_deterministic_algorithms_enabled", "get_deterministic_debug_mode"),
    *("get_float32_matmul_precision", "get_num_threads", "is_warn_always_enabled"),
    *("is_deterministic_algorithms_warn_only_enabled", "set_default_tensor_type"),
    *("set_deterministic_debug_mode", "set_float32_matmul_precision"),
    *("set_flush_denormal", "set_num_threads", "set_warn_always"),
    *("use_deterministic_algorithms",),
)
_LATER = {name: name for name in _MODULES} | {
    "autocast": "amp",
    "compile": "compiler.compiled",
    "finfo": "limits",
    "iinfo": "limits",
    **dict.fromkeys(_SETTINGS, "settings"),
    "is_anomaly_check_nan_enabled": "autograd.anomaly_mode",
    "is_anomaly_enabled": "autograd.anomaly_mode",
    "load": "serialization",
    "save": "serialization",
    "set_anomaly_enabled": "autograd.anomaly_mode",
    "vmap": "func",
}
"""What is imported when first asked for, and the modules, as are most ops."""

_load = _loader(globals(), _LATER)


def __getattr__(name: str) -> Any:
    if name in ops.FUNCTIONS:
        globals()[name] = ops.namespace[name]
        return globals()[name]
    if name == "__all__":
        return [n for n in __dir__() if n[0] != "_" and n not in _LATER]
    return _load(name)


def __dir__() -> list[str]:
    return sorted({*globals(), *_LATER, *ops.FUNCTIONS})


# The dtypes, formats and layouts go by PyTorch's names (in `dtypes`, `float_` is
# `float`).
for _module in (dtypes, placement):
    for _name, _value in vars(_module).items():
        if isinstance(_value, placement.Constant):
            globals()[_name.rstrip("_")] = _value

inf, nan, pi, e, newaxis = _math.inf, _math.nan, _math.pi, _math.e, None

globals().update(ops.namespace)
