"""Samples of the gamma and beta distributions, which move with their parameters.

Drawing is done outside. A primitive gets the parameters and the numbers drawn, and
returns these as functions of the parameters: see `kernels.implicit`.
"""

from __future__ import annotations

from typing import Any

from ..kernels import implicit
from .op import elementwise
from .special import unknown


def slope(name: str, forward: Any, *inputs: str) -> Any:
    """Declare a derivative of samples, of which no derivative is known."""
    rules: dict[str, Any] = {f"vjp_{key}": unknown(name) for key in inputs}
    return elementwise(name, forward, inputs=inputs, promote=None, **rules)


gamma_slope = slope("_standard_gamma_grad", implicit.gamma_slope, "self", "output")
beta_slope = slope("_beta_grad", implicit.beta_slope, "first", "second", "output")

standard_gamma = elementwise(
    "_standard_gamma",
    lambda self, values: values,
    inputs=("self", "values"),
    promote=None,
    d_self=lambda self, values: gamma_slope(self, values),
)
beta = elementwise(
    "_beta",
    lambda first, second, values: values,
    inputs=("first", "second", "values"),
    promote=None,
    d_first=lambda first, second, values: beta_slope(first, second, values),
)
"""The second parameter is a constant to it."""
