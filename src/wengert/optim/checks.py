"""Refusing options of optimizers that make no sense, with PyTorch's messages."""

from __future__ import annotations

from typing import Any

from ..tensor import Tensor


def check_rate(lr: Any) -> None:
    """Refuse a learning rate that is negative or several."""
    if isinstance(lr, Tensor) and lr.numel() != 1:
        raise ValueError("Tensor lr must be 1-element")
    if not lr >= 0.0:
        raise ValueError(f"Invalid learning rate: {lr}")


def check_not_negative(**options: float) -> None:
    """Refuse options that are negative."""
    for name, value in options.items():
        if not value >= 0.0:
            raise ValueError(f"Invalid {name} value: {value}")


def check_betas(betas: tuple[float, float]) -> None:
    """Refuse decay rates outside of [0, 1)."""
    for i, beta in enumerate(betas):
        if not 0.0 <= beta < 1.0:
            raise ValueError(f"Invalid beta parameter at index {i}: {beta}")


def check_fused(fused: bool | None, foreach: bool | None, differentiable: bool) -> None:
    """Refuse ways of computing that exclude each other."""
    if fused and differentiable:
        raise RuntimeError("`fused` does not support `differentiable`")
    if fused and foreach:
        raise RuntimeError("`fused` and `foreach` cannot be `True` together.")


def check_epsilon(eps: float) -> None:
    """Refuse a negative epsilon."""
    if not eps >= 0.0:
        raise ValueError(f"Invalid epsilon value: {eps}")
