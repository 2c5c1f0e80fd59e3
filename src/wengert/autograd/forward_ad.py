"""Forward mode as a mode: inside a `dual_level`, tensors may carry tangents.

It is the layer of `torch.func.jvp` without a function: a level that stays open until it
is left, and duals that are made and taken apart by hand.
"""

from __future__ import annotations

import threading
from typing import Any, NamedTuple

from .. import errors, modes
from ..layers.births import numbers
from ..layers.dual import Dual, primal_of, tangent_of
from ..layers.level import active, on_level
from ..tensor import Tensor, below, forward_levels, is_differentiable, level_of
from .grad_mode import set_grad_enabled


class _Local(threading.local):
    current: int | None = None
    """The level of the transformation that is open in this thread."""


_local = _Local()


class UnpackedDualTensor(NamedTuple):
    """A primal and its tangent, None if there is none."""

    primal: Tensor
    tangent: Tensor | None


def enter_dual_level() -> int:
    """Enter forward mode, and return its level: zero, as levels cannot be nested.

    Prefer `dual_level`, which is left by itself.

    Raises:
        RuntimeError: it is on already.
    """
    if _local.current is not None:
        raise RuntimeError("Nested forward mode AD is not supported at the moment")
    _local.current = next(numbers)
    active.add(_local.current)
    forward_levels.add(_local.current)
    return 0


def exit_dual_level(*, level: int | None = None) -> None:
    """Leave forward mode: all tangents are gone.

    Raises:
        RuntimeError: it is not on, or not at this level.
    """
    if _local.current is None:
        raise RuntimeError("Dual level must be a positive number.")
    if level not in (None, 0):
        raise RuntimeError(
            "Trying to exit a forward AD level that was not the last one that was "
            "created. This is not supported."
        )
    active.discard(_local.current)
    _local.current = None


class dual_level:
    """A context in which tensors may carry tangents; entering it returns its level.

    >>> import wengert as torch
    >>> from wengert.autograd import forward_ad
    >>> with forward_ad.dual_level():
    ...     x = forward_ad.make_dual(torch.tensor(3.0), torch.tensor(1.0))
    ...     forward_ad.unpack_dual(x * x)
    UnpackedDualTensor(primal=tensor(9.), tangent=tensor(6.))
    """

    def __enter__(self) -> int:
        return enter_dual_level()

    def __exit__(self, *exception: object) -> None:
        exit_dual_level()


class _set_fwd_grad_enabled(set_grad_enabled):
    """Let tangents go on through ops or not, as `set_grad_enabled` does records."""

    name = "forward"


def make_dual(tensor: Tensor, tangent: Tensor, *, level: int | None = None) -> Tensor:
    """Return a tensor that carries a tangent.

    Args:
        tensor: the primal; the result shares its memory.
        tangent: of the primal's shape; derivatives flow back through it, too.

    Raises:
        RuntimeError: no level is open, or the tensor has a tangent, or shapes differ.
        ValueError: they are not of numbers that have derivatives.

    >>> import wengert as torch
    >>> from wengert.autograd import forward_ad
    >>> with forward_ad.dual_level():
    ...     forward_ad.make_dual(torch.ones(2), torch.tensor([1.0, 2.0]))
    tensor([1., 1.], tangent=tensor([1., 2.]))
    """
    current = _local.current
    if current is None or (level is not None and level < 0):
        raise RuntimeError(
            "Trying to create a dual Tensor for forward AD but no level exists, make "
            "sure to enter_dual_level() first."
        )
    if level not in (None, 0):
        raise RuntimeError("Invalid level given to _make_dual")
    for name, value in (("tensor", tensor), ("tangent", tangent)):
        if not isinstance(value, Tensor):
            raise TypeError(
                f"make_dual(): argument '{name}' must be Tensor, not "
                f"{type(value).__name__}"
            )
        if not is_differentiable(value._data.dtype):
            name = "primal" if name == "tensor" else name
            raise ValueError(
                f"Expected {name} to be floating point or complex, but got: "
                f"{value.dtype}"
            )
    if modes.is_inference_mode_enabled():
        return tensor.view(tensor.shape)
    if tangent_of(tensor, current) is not None:
        raise RuntimeError(
            "Making a dual Tensor based on a Tensor that already has a forward "
            "gradient at the same level 0 is not supported."
        )
    if tangent_of(tangent, current) is not None:
        raise RuntimeError(
            "Setting a forward grad that itself has a forward gradient at the same "
            "level0 is not supported."
        )
    if tensor.shape != tangent.shape:
        raise errors.mismatched_tangent(tensor.shape, tangent.shape)
    if level_of(tensor) > current or level_of(tangent) > current:
        raise RuntimeError(
            "make_dual is given a tensor of a transformation that was entered after "
            "dual_level. Enter dual_level inside the transformed function, or use "
            "torch.func.jvp there."
        )
    primal = primal_of(tensor, current)
    # a view of its own, so that the dual can require grad by itself
    return on_level(current, Dual(primal.view(primal.shape), tangent, current))


def unpack_dual(tensor: Tensor, *, level: int | None = None) -> UnpackedDualTensor:
    """Return the primal and the tangent of a tensor; None if it carries none.

    >>> import wengert as torch
    >>> from wengert.autograd import forward_ad
    >>> forward_ad.unpack_dual(torch.ones(1))
    UnpackedDualTensor(primal=tensor([1.]), tangent=None)
    """
    if not isinstance(tensor, Tensor):
        raise errors.not_a_tensor("_unpack_dual", "dual", 1, tensor)
    current = _local.current
    if current is None:
        return UnpackedDualTensor(below(tensor), None)
    tangent: Any = tangent_of(tensor, current) if modes.is_forward_enabled() else None
    primal = primal_of(tensor, current)
    return UnpackedDualTensor(primal.view(primal.shape), tangent)
