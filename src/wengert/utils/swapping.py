"""Exchanging two tensors, so that whoever holds the one has the other."""

from __future__ import annotations

import weakref
from typing import Any

from ..layers.level import views_of
from ..tensor import AccumulateGrad, Tensor, counter

SLOTS = [name for name in Tensor.__slots__ if not name.startswith("__")]


def swap_tensors(t1: Tensor, t2: Tensor) -> None:
    """Exchange all that two tensors are: values, class, gradient, hooks, attributes.

    Raises:
        RuntimeError: there are views of one, or weak references to it, which would
            speak of the wrong tensor then.

    >>> import wengert as torch
    >>> x, y = torch.zeros(1), torch.nn.Parameter(torch.ones(2))
    >>> torch.utils.swap_tensors(x, y)
    >>> x
    Parameter containing:
    tensor([1., 1.], requires_grad=True)
    """
    for name, tensor in (("t1", t1), ("t2", t2)):
        check_swappable(name, tensor)
    first, second = contents_of(t1), contents_of(t2)
    fill(t1, second)
    fill(t2, first)
    # What has saved one of them must see that it is another now.
    version = 1 + max(counter(t1)[0], counter(t2)[0])
    counter(t1)[0] = counter(t2)[0] = version


def check_swappable(name: str, tensor: Tensor) -> None:
    """Refuse what others know by more than holding it."""
    if not isinstance(tensor, Tensor):
        raise TypeError(
            f"swap_tensors(): argument '{name}' must be Tensor, not "
            f"{type(tensor).__name__}"
        )
    leaf = any([isinstance(node, AccumulateGrad) for node in nodes_of(tensor)])
    if weakref.getweakrefcount(tensor) > int(leaf):
        raise RuntimeError(
            f"Cannot swap {name} because it has weakref associated with it"
        )
    if views_of(tensor):
        raise RuntimeError(f"Cannot swap {name} because there are views of it")


def nodes_of(tensor: Tensor) -> tuple[Any, Any]:
    """Return the tensor's node, and that of the leaf it may have been."""
    return tensor._node, getattr(tensor, "_idle", None)


def contents_of(tensor: Tensor) -> tuple[type[Tensor], dict[str, Any], dict[str, Any]]:
    """Return the class, the attributes and the filled slots of a tensor."""
    slots = {name: getattr(tensor, name) for name in SLOTS if hasattr(tensor, name)}
    return type(tensor), tensor.__dict__, slots


def fill(tensor: Tensor, contents: tuple[Any, dict[str, Any], dict[str, Any]]) -> None:
    """Make a tensor what another was."""
    tensor.__class__, tensor.__dict__, slots = contents
    for name in SLOTS:
        if name in slots:
            setattr(tensor, name, slots[name])
        elif hasattr(tensor, name):
            delattr(tensor, name)
    for node in nodes_of(tensor):
        if isinstance(node, AccumulateGrad):
            node.reference = weakref.ref(tensor)
