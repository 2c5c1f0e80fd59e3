"""Optimizers, and what changes their learning rates."""

from __future__ import annotations

from . import lr_scheduler as lr_scheduler
from .adam import Adam as Adam, AdamW as AdamW
from .adamax import Adamax as Adamax, NAdam as NAdam, RAdam as RAdam
from .asgd import ASGD as ASGD, Rprop as Rprop
from .lbfgs import LBFGS as LBFGS
from .optimizer import Optimizer as Optimizer
from .rmsprop import Adadelta as Adadelta, Adagrad as Adagrad, RMSprop as RMSprop
from .sgd import SGD as SGD

__all__ = [
    "ASGD",
    "Adadelta",
    "Adagrad",
    "Adam",
    "AdamW",
    "Adamax",
    "LBFGS",
    "NAdam",
    "Optimizer",
    "RAdam",
    "RMSprop",
    "Rprop",
    "SGD",
    "lr_scheduler",
]
