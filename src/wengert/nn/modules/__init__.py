"""The modules by the paths that they have in PyTorch: `nn.modules.conv.Conv2d`."""

from __future__ import annotations

import sys

from .. import (
    activation,
    batchnorm,
    containers as container,
    conv,
    distance,
    dropout,
    flatten,
    fold,
    instancenorm,
    linear,
    loss,
    module,
    normalization,
    padding,
    pooling,
    recurrent as rnn,
    sizes as utils,
    sparse,
    transformer,
    upsampling,
)
from ..module import Module

__all__ = ["Module"]

# so that "from wengert.nn.modules.conv import Conv2d" finds the one there is
for _name, _value in list(globals().items()):
    if isinstance(_value, type(sys)) and _value.__name__.startswith("wengert.nn."):
        sys.modules[f"{__name__}.{_name}"] = _value
