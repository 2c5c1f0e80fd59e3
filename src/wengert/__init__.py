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
from typing import Any

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
    is_anomaly_check_nan_enabled as is_anomaly_check_nan_enabled,
    is_anomaly_enabled as is_anomaly_enabled,
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
from .func import vmap as vmap  # noqa: E402
from .limits import finfo as finfo, iinfo as iinfo  # noqa: E402
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

tensor: Any  # a function, as the module of that name is wanted by nobody outside

_LAZY = {
    "cuda",
    "nn",
    "optim",
    "func",
    "utils",
    "linalg",
    "special",
    "compiler",
}
"""Submodules that are imported when first asked for."""


def __getattr__(name: str) -> Any:
    if name == "compile":
        from .compiler.compiled import compile

        return compile
    if name in _LAZY:
        import importlib

        return importlib.import_module(f"{__name__}.{name}")
    if name in ops.LATER:
        globals()[name] = ops.later(name)
        return globals()[name]
    if name in ("save", "load"):
        from . import serialization

        return getattr(serialization, name)
    raise AttributeError(f"module 'wengert' has no attribute '{name}'")


# The dtypes, formats and layouts go by PyTorch's names (in `dtypes`, `float_` is
# `float`).
for _module in (dtypes, placement):
    for _name, _value in vars(_module).items():
        if isinstance(_value, placement.Constant):
            globals()[_name.rstrip("_")] = _value

inf, nan, pi, e, newaxis = _math.inf, _math.nan, _math.pi, _math.e, None

globals().update(ops.namespace)
