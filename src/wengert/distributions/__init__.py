"""Probability distributions: `torch.distributions`.

>>> import wengert as torch
>>> from wengert.distributions import Normal
>>> _ = torch.manual_seed(0)
>>> normal = Normal(torch.tensor([0.0, 1.0]), 1.0)
>>> normal.sample()
tensor([1.5410, 0.7066])
>>> normal.log_prob(torch.zeros(2))
tensor([-0.9189, -1.4189])
"""

from . import constraints as constraints, utils as utils
from .bernoulli import Bernoulli
from .categorical import Categorical
from .distribution import Distribution
from .kl import kl_divergence, register_kl
from .normal import Normal
from .uniform import Uniform

__all__ = [
    "Bernoulli",
    "Categorical",
    "Distribution",
    "Normal",
    "Uniform",
    "kl_divergence",
    "register_kl",
]
