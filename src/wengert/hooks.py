"""Hooks: the user's functions that see, and may replace, gradients on their way.

Note [Hooks cost nothing until used]
    The engine does not look for hooks. A node that gets its first hook becomes an
    instance of a class that is derived from its own (and bears its name), whose `apply`
    runs the hooks around the ordinary one.

Where no gradient reaches such a node its hooks are called with None, as in PyTorch.

The order on one node: hooks of the tensor it made (`Tensor.register_hook`), then
``retain_grad``, then the node's prehooks, the rule itself (for a leaf: the accumulation
and its post-accumulate hooks), and the node's hooks.
"""

from __future__ import annotations

import functools
import weakref
from collections.abc import Callable, Iterable, Sequence
from typing import Any, Self

from .engine import Bundle, Cotangents, Edges, Node
from .modes import unrecorded
from .tensor import AccumulateGrad, Tensor, below, history, level_of, wrap_at, wrap_like

Hook = Callable[..., Any]
Grads = tuple[Tensor | None, ...]


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
    """The hooks of one node, in four dictionaries by the ids of their handles.

    `level` is that of the tensors the node belongs to.
    """

    __slots__ = (
        "accumulated",
        "level",
        "node_after",
        "node_before",
        "retains",
        "tensor",
    )

    def __init__(self) -> None:
        self.tensor: dict[int, Hook] = {}
        self.retains: weakref.ref[Tensor] | None = None
        self.node_before: dict[int, Hook] = {}
        self.node_after: dict[int, Hook] = {}
        self.accumulated: dict[int, Hook] = {}
        self.level = 0

    def show(self, grad: Any, recorded: bool) -> Tensor | None:
        """Return a gradient as hooks see it: a tensor, or None."""
        if grad is None or recorded:
            return grad
        return (
            wrap_at(self.level, grad) if isinstance(grad, Tensor) else wrap_like(grad)
        )

    def run(self, hook: Hook, recorded: bool, *args: Any) -> Any:
        """Call a hook, unrecorded unless the whole backward is recorded.

        What a transformation does is recorded on the levels below it, as ever.
        """
        if recorded or self.level:
            return hook(*args)
        return unrecorded(hook, *args)

    def show_all(self, grads: Iterable[Any], recorded: bool) -> Grads:
        return tuple([self.show(grad, recorded) for grad in grads])


def apply(self: Node, grad: Any, edges: Edges) -> Cotangents:
    """Run a node with its hooks: in place of `Node.apply`."""
    return proceed(self, arrive(self, grad, False), edges, False)


def arrive(self: Node, grad: Any, recorded: bool) -> Any:
    """Run the hooks of the tensor that a node made: in place of `Node.arrive`."""
    hooks: Hooks = self.hooks
    for hook in list(hooks.tensor.values()):
        given = hooks.show(grad, recorded)
        result = hooks.run(hook, recorded, given)
        if result is not None:
            check_replacement(result, given, name_of(hook))
            grad = hidden(result, recorded)
    if hooks.retains is not None and grad is not None:
        retain(hooks.retains(), hooks.show(grad, recorded))
    return grad


def proceed(self: Node, grad: Any, edges: Edges, recorded: bool) -> Cotangents:
    """Run the hooks of a node around its rule: in place of `Node.proceed`."""
    hooks: Hooks = self.hooks
    if hooks.node_before or hooks.node_after:
        before = hooks.show_all(gradients(self, grad), recorded)
    if hooks.node_before:
        for hook in list(hooks.node_before.values()):
            before = replaced(before, hooks.run(hook, recorded, before), hook)
        grad = gathered(before, grad, recorded)
    kind = self.unhooked
    assert kind is not None
    cotangents: Cotangents
    if grad is None and not kind.runs_undefined:
        cotangents = (None,) * len(edges)
    else:
        rule = kind.apply_recorded if recorded else kind.apply
        cotangents = rule(self, grad, edges)
    for hook in list(hooks.accumulated.values()):
        leaf: Tensor = self.variable  # type: ignore[attr-defined]
        check_nothing(hooks.run(hook, recorded, leaf), leaf, hook)
    if not hooks.node_after:
        return cotangents
    after = hooks.show_all(fitted(self, cotangents, edges), recorded)
    for hook in list(hooks.node_after.values()):
        after = replaced(after, hooks.run(hook, recorded, after, before), hook)
    return [hidden(cotangent, recorded) for cotangent in after]


def gradients(node: Node, grad: Any) -> Sequence[Any]:
    """Return the gradients of all outputs of a node."""
    count = node.output_count()
    if grad is None:
        return (None,) * count
    return [grad.get(i) for i in range(count)] if type(grad) is Bundle else (grad,)


def fitted(node: Node, cotangents: Cotangents, edges: Edges) -> Cotangents:
    """Return cotangents as the inputs have them: their shapes and dtypes."""
    if node.fits is None:
        return cotangents
    from .primitives.fitting import fit

    return fit(node, cotangents, edges)


def hidden(grad: Tensor | None, recorded: bool) -> Any:
    """Return a gradient that a hook has seen as the engine carries it."""
    return grad if grad is None or recorded else grad._data


def gathered(grads: Grads, like: Any, recorded: bool) -> Any:
    """Return the gradients of a node's outputs as the engine carries them."""
    raw = [hidden(grad, recorded) for grad in grads]
    if type(like) is Bundle:
        return Bundle({i: grad for i, grad in enumerate(raw) if grad is not None})
    return raw[0]


def replaced(given: Grads, result: Any, hook: Hook) -> Grads:
    """Return what a node's hook has made of gradients, or refuse it."""
    if result is None:
        return given
    if not isinstance(result, tuple):
        raise TypeError(f"expected tuple, but hook returned '{type(result).__name__}'")
    if len(result) != len(given):
        raise RuntimeError(
            f"hook '{name_of(hook)}' has returned an incorrect number of values (got "
            f"{len(result)}, but expected {len(given)})"
        )
    for new, old in zip(result, given, strict=True):
        if new is not None:
            check_replacement(new, old, name_of(hook))
    return result


def check_nothing(result: object, leaf: Tensor, hook: Hook) -> None:
    """Refuse what a hook returns that has nothing to replace."""
    if result is not None and result is not leaf:
        check_replacement(result, leaf, name_of(hook))
        raise RuntimeError("Tensor post accumulate grad hooks should return None.")


def not_returned_by_hooks(result: object) -> TypeError:
    return TypeError(f"expected Variable, but hook returned '{type(result).__name__}'")


def check_replacement(result: object, given: Tensor | None, name: str) -> None:
    """Refuse what a hook of this name returns if it cannot stand for the gradient."""
    if given is None:
        raise RuntimeError("can't replace a None gradient with a non-None value")
    if not isinstance(result, Tensor):
        raise not_returned_by_hooks(result)
    if result.dtype is not given.dtype:
        raise RuntimeError(
            f"hook '{name}' has changed the type of value (was "
            f"torch.{given.dtype.scalar_type}Tensor got "
            f"torch.{result.dtype.scalar_type}Tensor)"
        )
    if result.shape != given.shape:
        raise RuntimeError(f"hook '{name}' has changed the size of value")


def name_of(hook: Hook) -> str:
    return getattr(hook, "__name__", "unknown")


def retain(tensor: Tensor | None, grad: Tensor | None) -> None:
    """Add a gradient to the ``.grad`` of a tensor that retains it."""
    if tensor is not None and grad is not None:
        held = getattr(tensor, "_grad", None)  # `grad` may warn
        tensor._grad = grad.clone() if held is None else held + grad


def carry_retained(tensor: Tensor, before: Node | None) -> None:
    """Go on retaining the gradient of a tensor whose node was `before` until now."""
    if before is not None and retains_by(before, tensor):
        before.hooks.retains = None
        retain_grad(tensor)


def retains_by(node: Node, tensor: Tensor) -> bool:
    """Whether a tensor retains the gradient that arrives at a node."""
    reference = node.hooks.retains if node.unhooked is not None else None
    return reference is not None and reference() is tensor


@functools.cache
def hooked(kind: type[Node]) -> type[Node]:
    """Return the class of nodes like these that have hooks."""
    members = {
        "__slots__": (),
        "unhooked": kind,
        "runs_undefined": True,
        "apply": apply,
        "arrive": arrive,
        "proceed": proceed,
    }
    return type(kind.__name__, (kind,), members)


def hooks_of(node: Node) -> Hooks:
    """Return the hooks of a node, which can have hooks from now on."""
    if node.unhooked is None:
        # mypy takes classes for unhashable
        node.__class__ = hooked(type(node))  # type: ignore[arg-type]
        node.hooks = Hooks()
    hooks: Hooks = node.hooks
    return hooks


def hooks_of_tensor(tensor: Tensor, node: Node) -> Hooks:
    """Return the hooks of a tensor's node, which know its level from now on."""
    hooks = hooks_of(node)
    hooks.level = level_of(tensor)
    return hooks


def add_to(hooks: dict[int, Hook], hook: Hook) -> RemovableHandle:
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
    self = below(self)
    node = history(self)
    if node is None:
        if self.requires_grad:  # a view made while recording was off: see `views`
            return add_to({}, hook)
        raise RuntimeError(
            "cannot register a hook on a tensor that doesn't require gradient"
        )
    return add_to(hooks_of_tensor(self, node).tensor, hook)


def register_post_accumulate_grad_hook(self: Tensor, hook: Hook) -> RemovableHandle:
    """Call a function with this leaf after its ``.grad`` has been accumulated."""
    self = below(self)
    node = history(self)
    if node is None:
        raise RuntimeError(
            "cannot register a hook on a tensor that doesn't require gradient"
        )
    if not isinstance(node, AccumulateGrad):
        raise RuntimeError(
            "post accumulate grad hooks cannot be registered on non-leaf tensors"
        )
    return add_to(hooks_of_tensor(self, node).accumulated, hook)


def retain_grad(self: Tensor) -> None:
    """Keep the gradient of this tensor, which is no leaf, in ``.grad`` too."""
    if not self.requires_grad:
        raise RuntimeError("can't retain_grad on Tensor that has requires_grad=False")
    self = below(self)
    node = self._node
    if node is None or isinstance(node, AccumulateGrad) or retains_by(node, self):
        return
    node = history(self)
    assert node is not None
    hooks_of_tensor(self, node).retains = weakref.ref(self)


def retains_grad(self: Tensor) -> bool:
    """Whether `retain_grad` was called on this tensor."""
    self = below(self)
    node = self._node
    return node is not None and retains_by(node, self)


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
