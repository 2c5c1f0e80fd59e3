"""Limiting gradients."""

from __future__ import annotations

import math
import warnings
from collections.abc import Iterable
from typing import Any

import numpy as np
from numpy import ndarray

from ... import dispatch
from ...autograd import no_grad
from ...ops.joining import stack
from ...tensor import Tensor, counter, plain

Tensors = Tensor | Iterable[Tensor]


def listed(tensors: Tensors) -> list[Tensor]:
    """Return one tensor, or several, as a list."""
    return [tensors] if isinstance(tensors, Tensor) else list(tensors)


def gradients(parameters: Tensors) -> list[Tensor]:
    """Return the gradients of parameters that have one."""
    found = [tensor.grad for tensor in listed(parameters)]
    return [grad for grad in found if grad is not None]


def clip_grad_norm_(
    parameters: Tensors,
    max_norm: float,
    norm_type: float = 2.0,
    error_if_nonfinite: bool = False,
    foreach: bool | None = None,
) -> Tensor:
    """Scale gradients, all by one factor, so that their norm is at most `max_norm`.

    Args:
        parameters: whose gradients.
        max_norm: of all gradients together, as one vector.
        norm_type: the p of the p-norm, possibly infinite.
        error_if_nonfinite: raise if the norm is infinite or not a number.

    Returns:
        The norm before.

    >>> import wengert as torch
    >>> w = torch.tensor([1.0, 1.0], requires_grad=True)
    >>> w.grad = torch.tensor([3.0, 4.0])
    >>> torch.nn.utils.clip_grad_norm_([w], 1.0)
    tensor(5.)
    >>> w.grad
    tensor([0.6000, 0.8000])
    """
    parameters = listed(parameters)
    total = get_total_norm(gradients(parameters), norm_type, error_if_nonfinite)
    clip_grads_with_norm_(parameters, max_norm, total)
    return total


def get_total_norm(
    tensors: Tensors,
    norm_type: float = 2.0,
    error_if_nonfinite: bool = False,
    foreach: bool | None = None,
) -> Tensor:
    """Return the p-norm of tensors together, as one vector.

    Args:
        tensors: one or several.
        norm_type: p.
        error_if_nonfinite: raise if the norm is infinite or not a number.
    """
    tensors, p = listed(tensors), float(norm_type)
    if not tensors:
        return plain(np.zeros((), np.float32))
    if not are_plain(tensors):
        return total_norm_of_layers(tensors, p, error_if_nonfinite)
    arrays = [tensor._data for tensor in tensors]
    total = norm_of_norms([norm(array, p) for array in arrays], p)
    if error_if_nonfinite and not math.isfinite(total):
        raise not_finite(p)
    real = np.result_type(*[array.real.dtype for array in arrays])
    return plain(np.array(total, real))


def are_plain(tensors: list[Tensor]) -> bool:
    """Whether tensors hold NumPy arrays: those that a trace meets do not."""
    if dispatch.tracing is not None:
        dispatch.tracing(tensors)
    return all([type(tensor._data) is ndarray for tensor in tensors])


def total_norm_of_layers(tensors: list[Tensor], p: float, finite: bool) -> Tensor:
    """Return the p-norm by operations on tensors, for arrays that are not NumPy's."""
    with no_grad():
        total = stack([tensor.norm(p) for tensor in tensors]).norm(p)
        if finite and not total.isfinite():
            raise not_finite(p)
        return total


def not_finite(p: float) -> RuntimeError:
    return RuntimeError(
        f"The total norm of order {p} for gradients from `parameters` is "
        "non-finite, so it cannot be clipped. To disable this error and scale the "
        "gradients by the non-finite norm anyway, set `error_if_nonfinite=False`"
    )


def norm(array: ndarray, p: float) -> float:
    """Return the p-norm of an array as one vector."""
    flat = array.reshape(-1)
    if p == 2:
        return math.sqrt(np.vdot(flat, flat).real)
    if p == 0:
        return float(np.count_nonzero(flat))
    sizes = np.abs(flat)
    if p == math.inf:
        return float(sizes.max(initial=0))
    if p == -math.inf:
        return float(sizes.min(initial=math.inf))
    return float((sizes**p).sum()) ** (1 / p)


def norm_of_norms(norms: list[float], p: float) -> float:
    """Return the p-norm of several vectors together, given that of each."""
    return norm(np.array(norms), p)


def clip_grads_with_norm_(
    parameters: Tensors, max_norm: float, total_norm: Any, foreach: bool | None = None
) -> None:
    """Scale gradients whose norm is known so that it is at most `max_norm`."""
    grads = gradients(parameters)
    if not are_plain(grads):
        with no_grad():
            scale = (max_norm / (total_norm + 1e-6)).clamp(max=1.0)
            for grad in grads:
                grad.mul_(scale)
        return
    factor = max_norm / (float(total_norm) + 1e-6)
    factor = factor if not factor >= 1.0 else 1.0
    for grad in grads:
        grad._data *= factor
        counter(grad)[0] += 1


def clip_grad_value_(
    parameters: Tensors, clip_value: float, foreach: bool | None = None
) -> None:
    """Limit each element of the gradients to between −clip_value and clip_value.

    Args:
        parameters: a tensor, or several, whose gradients are limited in place.
        clip_value: the limit.

    >>> import wengert as torch
    >>> w = torch.tensor([1.0, 2.0], requires_grad=True)
    >>> (w * torch.tensor([0.5, -3.0])).sum().backward()
    >>> torch.nn.utils.clip_grad_value_(w, 1.0)
    >>> w.grad
    tensor([ 0.5000, -1.0000])
    """
    limit = float(clip_value)
    grads = gradients(parameters)
    if not are_plain(grads):
        with no_grad():
            for grad in grads:
                grad.clamp_(-limit, limit)
        return
    for grad in grads:
        np.clip(grad._data, -limit, limit, out=grad._data)
        counter(grad)[0] += 1


def clip_grad_norm(*args: Any, **kwargs: Any) -> Tensor:
    """Do what `clip_grad_norm_` does, whose name of old this is."""
    warnings.warn(
        "`torch.nn.utils.clip_grad_norm` is now deprecated in favor of "
        "`torch.nn.utils.clip_grad_norm_`.",
        FutureWarning,
        stacklevel=2,
    )
    return clip_grad_norm_(*args, **kwargs)
