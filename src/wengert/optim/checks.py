"""The options of optimizers: gathering them, and refusing what makes no sense."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ..tensor import Tensor

Options = dict[str, Any]


def options(given: Options, names: str) -> Options:
    """Return some of a constructor's arguments, ``locals()``, as the group's options.

    Args:
        names: those that are options, in the order in which PyTorch saves them.
    """
    return {name: given[name] for name in names.split()}


def check(given: Options, names: str) -> None:
    """Refuse arguments that make no sense, in the order of their names."""
    for name in names.split():
        CHECKS.get(name, check_not_negative)(name, given)


def check_not_negative(name: str, given: Options) -> None:
    if not given[name] >= 0.0:
        raise ValueError(f"Invalid {name} value: {given[name]}")


def check_rate(name: str, given: Options) -> None:
    lr = given[name]
    if isinstance(lr, Tensor) and lr.numel() != 1:
        raise ValueError("Tensor lr must be 1-element")
    if not lr >= 0.0:
        raise ValueError(f"Invalid learning rate: {lr}")


def check_epsilon(name: str, given: Options) -> None:
    if not given[name] >= 0.0:
        raise ValueError(f"Invalid epsilon value: {given[name]}")


def check_betas(name: str, given: Options) -> None:
    for i, beta in enumerate(given[name]):
        if not 0.0 <= beta < 1.0:
            raise ValueError(f"Invalid beta parameter at index {i}: {beta}")


def check_rho(name: str, given: Options) -> None:
    if not 0.0 <= given[name] <= 1.0:
        raise ValueError(f"Invalid rho value: {given[name]}")


def check_etas(name: str, given: Options) -> None:
    low, high = given[name]
    if not 0.0 < low < 1.0 < high:
        raise ValueError(f"Invalid eta values: {low}, {high}")


def check_nesterov(name: str, given: Options) -> None:
    if given[name] and (given["momentum"] <= 0 or given["dampening"] != 0):
        raise ValueError("Nesterov momentum requires a momentum and zero dampening")


def check_fused(name: str, given: Options) -> None:
    """Refuse ways of computing that exclude each other."""
    if given[name] and given["differentiable"]:
        raise RuntimeError("`fused` does not support `differentiable`")
    if given[name] and given["foreach"]:
        raise RuntimeError("`fused` and `foreach` cannot be `True` together.")


CHECKS: dict[str, Callable[[str, Options], None]] = {
    "lr": check_rate,
    "eps": check_epsilon,
    "betas": check_betas,
    "rho": check_rho,
    "etas": check_etas,
    "nesterov": check_nesterov,
    "fused": check_fused,
}
"""What is asked of an option, unless it is only not to be negative."""
