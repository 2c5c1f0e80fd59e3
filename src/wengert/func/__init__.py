"""Function transformations, as in `torch.func`: they take functions and return functions."""

from __future__ import annotations

from .transforms import (
    grad as grad,
    grad_and_value as grad_and_value,
    hessian as hessian,
    jacfwd as jacfwd,
    jacrev as jacrev,
    jvp as jvp,
    vjp as vjp,
    vmap as vmap,
)
