"""Function transformations, as in `torch.func`: from functions they make functions."""

from __future__ import annotations

from .forward import jvp as jvp, linearize as linearize
from .jacobians import hessian as hessian, jacfwd as jacfwd, jacrev as jacrev
from .mapping import vmap as vmap
from .modules import (
    functional_call as functional_call,
    stack_module_state as stack_module_state,
)
from .others import (
    debug_unwrap as debug_unwrap,
    functionalize as functionalize,
    replace_all_batch_norm_modules_ as replace_all_batch_norm_modules_,
)
from .reverse import grad as grad, grad_and_value as grad_and_value, vjp as vjp
