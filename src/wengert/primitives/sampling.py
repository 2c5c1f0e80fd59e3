"""Numbers drawn with given parameters: to these they are constants, as in PyTorch.

Drawing is done outside. A primitive gets the parameters and the numbers drawn, and
returns those with a history, of which the gradients are zeros.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from .copying import zeros_like
from .op import Function, elementwise, tied


def drawn(name: str, *parameters: str, grad_fn: str | None = None) -> Function:
    """Declare the numbers that are drawn with some parameters."""
    rules: dict[str, Any] = {f"vjp_{key}": zeros for key in parameters}
    return elementwise(
        name,
        lambda *args: args[-1],
        inputs=(*parameters, "values"),
        promote=None,
        grad_fn=grad_fn,
        jvp=lambda result: zeros_like(result),
        **rules,
    )


def zeros(grad: Any) -> Any:
    """The gradient of what numbers do not depend on."""
    return zeros_like(grad)


nothing = tied(
    elementwise(
        "nothing", np.zeros_like, vjp=zeros, jvp=lambda result: zeros_like(result)
    ),
    "self",
)
"""Zeros that depend on something, with zero gradients."""

bernoulli = drawn("bernoulli", "self")
poisson = drawn("poisson", "self")
normal_of_means = drawn("normal_of_means", "mean", grad_fn="NormalBackward1")
normal_of_deviations = drawn("normal_of_deviations", "std", grad_fn="NormalBackward2")
normal = drawn("normal", "mean", "std", grad_fn="NormalBackward3")
