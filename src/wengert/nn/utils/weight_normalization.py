"""Weights as a direction and a size of their own: weight normalization.

See Salimans and Kingma, "Weight normalization" (2016).
"""

from __future__ import annotations

import warnings
from typing import Any, TypeVar

from ...ops.functional import norm_except_dim
from ...tensor import Tensor
from ..module import Module
from ..parameter import Parameter

Kind = TypeVar("Kind", bound=Module)


class WeightNorm:
    """What makes the weight anew before each call of a module.

    Args:
        name: of the weight, w = g v / ‖v‖; the parameters are g and v.
        dim: the dimension along which the norms are kept apart; -1 for one norm.
    """

    def __init__(self, name: str, dim: int) -> None:
        self.name = name
        self.dim = dim

    def compute_weight(self, module: Module) -> Tensor:
        size, direction = [getattr(module, f"{self.name}_{part}") for part in "gv"]
        weight: Tensor = direction * (size / norm_except_dim(direction, 2, self.dim))
        return weight

    def remove(self, module: Module) -> None:
        """Give the module its weight back as a parameter."""
        weight = self.compute_weight(module)
        delattr(module, self.name)
        for part in "gv":
            del module._parameters[f"{self.name}_{part}"]
        setattr(module, self.name, Parameter(weight.detach()))

    def __call__(self, module: Module, inputs: Any) -> None:
        setattr(module, self.name, self.compute_weight(module))


def weight_norm(module: Kind, name: str = "weight", dim: int | None = 0) -> Kind:
    """Let the size and the direction of a module's weight be parameters.

    Args:
        module: what has the weight.
        name: of the weight; the parameters are ``<name>_g`` and ``<name>_v``.
        dim: the dimension along which the norms are kept apart; None for one norm.

    >>> import warnings
    >>> import wengert as torch
    >>> warnings.simplefilter("ignore", FutureWarning)
    >>> layer = torch.nn.utils.weight_norm(torch.nn.Linear(3, 2))
    >>> layer.weight_g.shape, layer.weight_v.shape
    (torch.Size([2, 1]), torch.Size([2, 3]))
    """
    warnings.warn(
        "`torch.nn.utils.weight_norm` is deprecated in favor of "
        "`torch.nn.utils.parametrizations.weight_norm`.",
        FutureWarning,
        stacklevel=2,
    )
    if found(module, name) is not None:
        raise RuntimeError(
            f"Cannot register two weight_norm hooks on the same parameter {name}"
        )
    hook = WeightNorm(name, -1 if dim is None else dim)
    weight = getattr(module, name).detach()
    del module._parameters[name]
    size = norm_except_dim(weight, 2, hook.dim)
    module.register_parameter(f"{name}_g", Parameter(size))
    module.register_parameter(f"{name}_v", Parameter(weight))
    setattr(module, name, hook.compute_weight(module))
    module.register_forward_pre_hook(hook)
    return module


def remove_weight_norm(module: Kind, name: str = "weight") -> Kind:
    """Undo `weight_norm`: the weight is a parameter again.

    Raises:
        ValueError: there is no such weight.
    """
    key = found(module, name)
    if key is None:
        raise ValueError(f"weight_norm of '{name}' not found in {module}")
    module._forward_pre_hooks.pop(key).remove(module)
    return module


def found(module: Module, name: str) -> int | None:
    """Return the key of the hook that makes a weight."""
    for key, hook in module._forward_pre_hooks.items():
        if isinstance(hook, WeightNorm) and hook.name == name:
            return int(key)
    return None
