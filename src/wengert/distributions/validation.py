"""Checks of parameters and samples.

Note [Checks inside transformations]
    A check looks at values. Inside `vmap` and `grad` these are below the layers, and
    are looked at for all elements at once. While a function is captured to be compiled
    there are none yet: nothing is checked then, neither when the program runs.
"""

from __future__ import annotations

import warnings
from typing import Any

from numpy import ndarray

from .. import dispatch
from ..autograd import no_grad
from ..dtypes import Size
from ..tensor import Tensor
from .constraints import Constraint, is_dependent
from .utils import lazy_property


def check_parameters(distribution: Any) -> None:
    """Raise a ValueError if a parameter is outside its constraint."""
    for name, constraint in constraints_of(distribution).items():
        if is_dependent(constraint):
            continue
        if name not in vars(distribution) and is_lazy(distribution, name):
            continue
        value = getattr(distribution, name)
        if not holds(constraint, value):
            raise ValueError(
                f"Expected parameter {name} ({shown(value)}) of distribution "
                f"{distribution!r} to satisfy the constraint {constraint!r}, but found "
                f"invalid values:\n{value}"
            )


def constraints_of(distribution: Any) -> dict[str, Constraint]:
    try:
        return distribution.arg_constraints
    except NotImplementedError:
        warnings.warn(
            f"{type(distribution)} does not define `arg_constraints`. Please set "
            "`arg_constraints = {}` or initialize the distribution with "
            "`validate_args=False` to turn off validation.",
            stacklevel=4,
        )
        return {}


def is_lazy(distribution: Any, name: str) -> bool:
    return isinstance(getattr(type(distribution), name, None), lazy_property)


def check_sample(distribution: Any, value: Any) -> None:
    """Raise a ValueError if a value cannot be a sample, or samples."""
    if not isinstance(value, Tensor):
        raise ValueError("The value argument to log_prob must be a Tensor")
    check_shape(distribution, value.shape)
    try:
        support = distribution.support
    except NotImplementedError:
        warnings.warn(
            f"{type(distribution)} does not define `support` to enable sample "
            "validation. Please initialize the distribution with `validate_args=False` "
            "to turn off validation.",
            stacklevel=4,
        )
        return
    if not holds(support, value):
        raise ValueError(
            f"Expected value argument ({shown(value)}) to be within the support "
            f"({support!r}) of the distribution {distribution!r}, but found invalid "
            f"values:\n{value}"
        )


def check_shape(distribution: Any, actual: Size) -> None:
    event = distribution.event_shape
    if actual[max(len(actual) - len(event), 0) :] != event:
        raise ValueError(
            f"The right-most size of value must match event_shape: {actual} vs {event}."
        )
    expected = Size((*distribution.batch_shape, *event))
    for have, want in zip(reversed(actual), reversed(expected), strict=False):
        if 1 not in (have, want) and have != want:
            raise ValueError(
                "Value is not broadcastable with batch_shape+event_shape: "
                f"{actual} vs {expected}."
            )


def holds(constraint: Constraint, value: Tensor) -> bool:
    """Whether all values are inside, as far as is known."""
    if dispatch.tracing is not None:
        return True
    if type(value._data) is ndarray and constraint.takes_arrays:
        inside: Any = constraint.check(value._data)  # type: ignore[arg-type]
        return bool(inside.all())
    with no_grad():
        return bool(array_below(constraint.check(value.detach())).all())


def array_below(value: Any) -> ndarray:
    """Return the array below all layers: see Note [Checks inside transformations]."""
    from ..layers.batched import Batched
    from ..layers.dual import Dual

    while not isinstance(value, ndarray):
        if isinstance(value, Tensor):
            value = value._data
        elif isinstance(value, Dual):
            value = value.primal
        else:
            assert isinstance(value, Batched)
            value = value.value
    return value


def shown(value: Tensor) -> str:
    return f"{type(value).__name__} of shape {tuple(value.shape)}"
