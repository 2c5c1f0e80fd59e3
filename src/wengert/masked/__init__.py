"""Ops that take notice of the elements where a mask is true: `torch.masked`.

>>> import wengert as torch
>>> torch.masked.mean(torch.tensor([1.0, 2.0, 9.0]), mask=torch.arange(3) < 2)
tensor(1.5000)
"""

from .along import (
    cumprod as cumprod,
    cumsum as cumsum,
    log_softmax as log_softmax,
    normalize as normalize,
    softmax as softmax,
    softmin as softmin,
)
from .reductions import (
    amax as amax,
    amin as amin,
    argmax as argmax,
    argmin as argmin,
    logaddexp as logaddexp,
    logsumexp as logsumexp,
    mean as mean,
    median as median,
    norm as norm,
    prod as prod,
    std as std,
    sum as sum,
    var as var,
)
