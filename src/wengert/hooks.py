"""Hooks: the user's functions that see, and may replace, gradients on their way.

Note [Hooks cost nothing until used]
    The engine does not look for hooks. A node that gets its first hook becomes an
    instance of a class that is derived from its own (and bears its name), whose `apply`
    runs the hooks around the ordinary one.

The order on one node: hooks of the tensor it made (`Tensor.register_hook`), then
``retain_grad``, then the node's prehooks, the rule itself (for a leaf: the accumulation
and its post-accumulate hooks), and the node's hooks.
"""

from __future__ import annotations

import weakref
from collections.abc import Callable
from typing import Any, Self

from .engine import Bundle, Cotangents, Edges, Node
from .tensor import AccumulateGrad, Tensor, history, wrap_like

Hook = Callable[..., Any]


class RemovableHandle:
    """What registering a hook returns: `remove` takes the hook away."""

    next_id = 0

    def __init__(self, hooks_dict: dict[int, Hook], *, extra_dict: Any = None) -> None:
        self.id = RemovableHandle.next_id
        RemovableHandle.next_id += 1
        self.hooks: dict[int, Hook] | None = hooks_dict
        self.extra = extra_dict

    def remove(self) -> None:
        """Take the hook away; a second time does nothing."""
        if self.hooks is not None:
            self.hooks.pop(self.id, None)
        for extra in self.extra if isinstance(self.extra, list) else [self.extra]:
            if extra is not None:
                extra.pop(self.id, None)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        self.remove()


class Hooks:
    """The hooks of one node, in four dictionaries by the ids of their handles."""

    __slots__ = ("accumulated", "node_after", "node_before", "retains", "tensor")

    def __init__(self) -> None:
        self.tensor: dict[int, Hook] = {}
        self.retains: weakref.ref[Tensor] | None = None
        self.node_before: dict[int, Hook] = {}
        self.node_after: dict[int, Hook] = {}
        self.accumulated: dict[int, Hook] = {}


class HookedNode(Node):
    """Mixed into the class of a node that has hooks."""

    __slots__ = ()

    def apply(self, grad: Any, edges: Edges) -> Cotangents:
        return self.proceed(self.arrive(grad, False), edges, False)

    def arrive(self, grad: Any, recorded: bool) -> Any:
        hooks: Hooks = self.hooks
        for hook in list(hooks.tensor.values()):
            given = grad if recorded else wrap_like(grad)
            result = hook(given)
            if result is not None:
                check_replacement(result, given)
                grad = result if recorded else result._data
        if hooks.retains is not None:
            retain(hooks.retains(), grad, recorded)
        return grad

    def proceed(self, grad: Any, edges: Edges, recorded: bool) -> Cotangents:
        hooks: Hooks = self.hooks
        before = shown(grad, recorded)
        for hook in list(hooks.node_before.values()):
            result = hook(before)
            if result is not None:
                before = result if isinstance(result, tuple) else (result,)
                grad = hidden(before, grad, recorded)
        rule = super().apply_recorded if recorded else super().apply
        cotangents = rule(grad, edges)
        for hook in list(hooks.accumulated.values()):
            hook(self.variable)  # type: ignore[attr-defined]
        if not hooks.node_after:
            return cotangents
        after = tuple(
            [
                c if c is None or recorded else wrap_like(c)
                for c in cotangents
            ]
        )
        for hook in list(hooks.node_after.values()):
            result = hook(after, before)
            if result is not None:
                after = result if isinstance(result, tuple) else (result,)
        return after if recorded else [c if c is None else c._data for c in after]


def shown(grad: Any, recorded: bool) -> tuple[Tensor | None, ...]:
    """Return the gradients of a node's outputs as its hooks see them."""
    if type(grad) is Bundle:
        several = [grad.get(i) for i in range(max(grad) + 1)]
    else:
        several = [grad]
    return tuple([g if g is None or recorded else wrap_like(g) for g in several])


def hidden(grads: tuple[Tensor | None, ...], like: Any, recorded: bool) -> Any:
    """Return gradients that hooks have replaced as the engine carries them."""
    raw = [g if g is None or recorded else g._data for g in grads]
    if type(like) is Bundle:
        return Bundle({i: g for i, g in enumerate(raw) if g is not None})
    return raw[0]


def check_replacement(result: object, given: Tensor) -> None:
    """Refuse what a hook returns if it cannot stand for the gradient."""
    if not isinstance(result, Tensor):
        raise TypeError("expected Tensor, but hook returned '" + type(result).__name__ + "'")
    if result.shape != given.shape:
        raise RuntimeError("hook has changed the size of value")
    if result.dtype is not given.dtype:
        raise RuntimeError(
            f"hook has changed the type of value (was torch.{given.dtype.scalar_type}Tensor "
            f"got torch.{result.dtype.scalar_type}Tensor)"
        )


def retain(tensor: Tensor | None, grad: Any, recorded: bool) -> None:
    """Add a gradient to the ``.grad`` of a tensor that retains it."""
    if tensor is None or grad is None:
        return
    held = tensor.grad
    new = grad if recorded else wrap_like(grad)
    tensor._grad = new.clone() if held is None else held + new


hooked_classes: dict[type[Node], type[Node]] = {}


def hooks_of(node: Node) -> Hooks:
    """Return the hooks of a node, which can have hooks from now on."""
    kind = type(node)
    if not issubclass(kind, HookedNode):
        if kind not in hooked_classes:
            hooked_classes[kind] = type(
                kind.__name__, (HookedNode, kind), {"__slots__": ()}
            )
        node.__class__ = hooked_classes[kind]
        node.hooks = Hooks()
    hooks: Hooks = node.hooks
    return hooks


def add_to(hooks: dict[int, Hook], hook: Hook, prepend: bool = False) -> RemovableHandle:
    """Register a hook and return its handle."""
    handle = RemovableHandle(hooks)
    hooks[handle.id] = hook
    return handle


def register_hook(self: Tensor, hook: Hook) -> RemovableHandle:
    """Call a function with the gradient of this tensor whenever it is computed.

    Args:
        hook: called with the gradient; what it returns, if not None, replaces it.

    >>> import wengert as torch
    >>> x = torch.ones(2, requires_grad=True)
    >>> handle = x.register_hook(lambda grad: grad * 10)
    >>> x.sum().backward()
    >>> x.grad
    tensor([10., 10.])
    """
    node = history(self)
    if node is None:
        raise RuntimeError(
            "cannot register a hook on a tensor that doesn't require gradient"
        )
    return add_to(hooks_of(node).tensor, hook)


def register_post_accumulate_grad_hook(self: Tensor, hook: Hook) -> RemovableHandle:
    """Call a function with this leaf after its ``.grad`` has been accumulated."""
    node = history(self)
    if node is None:
        raise RuntimeError(
            "cannot register a hook on a tensor that doesn't require gradient"
        )
    if not isinstance(node, AccumulateGrad):
        raise RuntimeError(
            "post accumulate grad hooks cannot be registered on non-leaf tensors"
        )
    return add_to(hooks_of(node).accumulated, hook)


def retain_grad(self: Tensor) -> None:
    """Keep the gradient of this tensor, which is no leaf, in ``.grad`` too."""
    node = history(self)
    if node is None:
        raise RuntimeError("can't retain_grad on Tensor that has requires_grad=False")
    if not isinstance(node, AccumulateGrad):
        hooks_of(node).retains = weakref.ref(self)


def retains_grad(self: Tensor) -> bool:
    """Whether `retain_grad` was called on this tensor."""
    node = history(self)
    if not isinstance(node, HookedNode) or node.hooks.retains is None:
        return False
    return node.hooks.retains() is self


def register_node_hook(self: Node, hook: Hook) -> RemovableHandle:
    """Call ``hook(grad_inputs, grad_outputs)`` after this node has run."""
    return add_to(hooks_of(self).node_after, hook)


def register_node_prehook(self: Node, hook: Hook) -> RemovableHandle:
    """Call ``hook(grad_outputs)`` before this node runs."""
    return add_to(hooks_of(self).node_before, hook)


Tensor.register_hook = register_hook
Tensor.register_post_accumulate_grad_hook = register_post_accumulate_grad_hook
Tensor.retain_grad = retain_grad
Tensor.retains_grad = property(retains_grad)
Node.register_hook = register_node_hook  # type: ignore[attr-defined]
Node.register_prehook = register_node_prehook  # type: ignore[attr-defined]
