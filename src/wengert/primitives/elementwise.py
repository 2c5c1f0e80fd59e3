"""Ops that work element by element."""

from __future__ import annotations

import numpy as np

from .op import bilinear, elementwise

# --- arithmetic -----------------------------------------------------------------------

add = elementwise(
    "add", np.add, vjp_self=lambda grad: grad, vjp_other=lambda grad: grad
)
sub = elementwise(
    "sub", np.subtract, vjp_self=lambda grad: grad, vjp_other=lambda grad: -grad
)
mul = bilinear(
    "mul",
    np.multiply,
    promote="numeric",
    vjp_self=lambda grad, other: grad * other.conjugate(),
    vjp_other=lambda grad, self: grad * self.conjugate(),
)
exp = elementwise("exp", np.exp, d=lambda result: result, promote="float")
