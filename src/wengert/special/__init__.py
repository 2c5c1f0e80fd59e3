"""Special functions: `torch.special`.

>>> import wengert as torch
>>> torch.special.expit(torch.tensor([0.0, 1.0]))
tensor([0.5000, 0.7311])
"""

from wengert.ops.public import namespace as _torch
from wengert.ops.special import functions as _functions

globals().update(_functions)
for _name, _as in {
    "exp2": "exp2",
    "expit": "sigmoid",
    "expm1": "expm1",
    "log1p": "log1p",
    "log_softmax": "log_softmax",
    "logsumexp": "logsumexp",
    "round": "round",
    "sinc": "sinc",
    "softmax": "softmax",
}.items():
    globals()[_name] = _torch[_as]
