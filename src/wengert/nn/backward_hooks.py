"""Hooks on the backward of a module.

The gradients of a module's inputs (or outputs) are seen together where they pass one
node: an identity that is recorded around the module's inputs, and one around its outputs.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from typing import Any

from ..function import Function
from ..modes import is_grad_enabled
from ..tensor import Tensor

Hook = Callable[..., Any]
Grads = tuple[Tensor | None, ...]


class BackwardHookFunction(Function):
    """The identity on several tensors, one node for all of them."""

    @staticmethod
    def forward(ctx: Any, *tensors: Tensor) -> Any:
        ctx.set_materialize_grads(False)
        return tensors

    @staticmethod
    def backward(ctx: Any, *grads: Tensor | None) -> Any:
        return grads


class Watch:
    """The hooks on the backward of one call of a module."""

    def __init__(self, module: Any, pre: Sequence[Hook], after: Sequence[Hook]) -> None:
        self.module = module
        self.pre = pre
        self.after = after
        self.grad_outputs: Grads = ()
        self.input_count = 0
        self.watches_inputs = False

    def inputs(self, args: tuple[Any, ...]) -> tuple[Any, ...]:
        """Return the arguments after an identity whose hook calls the user's."""
        self.input_count = len(args)
        if not self.after:
            return args
        positions, passed, node = through_identity(args)
        if node is None:
            return args
        self.watches_inputs = True

        def hook(grads: Grads, _: Grads) -> Any:
            full = spread(grads, positions, len(args))
            replaced = self.run_after(full)
            return None if replaced is full else tuple([replaced[i] for i in positions])

        node.register_hook(hook)
        return passed

    def outputs(self, result: Any) -> Any:
        """Return the result after an identity whose prehook calls the user's."""
        several = isinstance(result, tuple | list)
        if not (several or isinstance(result, Tensor)):
            warnings.warn(
                "For backward hooks to be called, module output should be a Tensor or a "
                f"tuple of Tensors but received {type(result)}",
                stacklevel=4,
            )
            return result
        items = tuple(result) if several else (result,)
        positions, passed, node = through_identity(items)
        if node is None:
            return result

        def hook(grads: Grads) -> Any:
            full = spread(grads, positions, len(items))
            replaced = self.run_before(full)
            return None if replaced is full else tuple([replaced[i] for i in positions])

        node.register_prehook(hook)
        if not several:
            return passed[0]
        make = getattr(type(result), "_make", type(result))
        return make(passed)

    def run_before(self, grads: Grads) -> Grads:
        """Call the hooks that see the gradients of the outputs."""
        for hook in self.pre:
            replaced = hook(self.module, grads)
            if replaced is not None:
                grads = as_many(replaced, len(grads), "grad_output")
        self.grad_outputs = grads
        if self.after and not self.watches_inputs:
            warnings.warn(
                "Full backward hook is firing when gradients are computed with respect "
                "to module outputs since no inputs require gradients.",
                stacklevel=2,
            )
            self.run_after((None,) * self.input_count)
        return grads

    def run_after(self, grads: Grads) -> Grads:
        """Call the hooks that see the gradients of the inputs."""
        for hook in self.after:
            replaced = hook(self.module, grads, self.grad_outputs)
            if replaced is not None:
                grads = as_many(replaced, len(grads), "grad_input")
        return grads


def through_identity(
    items: tuple[Any, ...],
) -> tuple[list[int], tuple[Any, ...], Any]:
    """Pass the tensors among some items through one recorded identity.

    Returns:
        Where the tensors are, the items with the new tensors, and the identity's node,
        which is None if nothing requires grad.
    """
    positions = [i for i, item in enumerate(items) if isinstance(item, Tensor)]
    tensors = [items[i] for i in positions]
    if not (is_grad_enabled() and any(tensor.requires_grad for tensor in tensors)):
        return positions, items, None
    passed = BackwardHookFunction.apply(*tensors)
    found = list(items)
    for i, tensor in zip(positions, passed, strict=True):
        found[i] = tensor
    node = next(tensor.grad_fn for tensor in passed if tensor.grad_fn is not None)
    return positions, tuple(found), node


def spread(grads: Sequence[Tensor | None], positions: list[int], count: int) -> Grads:
    """Put gradients in their places among a number of items, None in the others."""
    full: list[Tensor | None] = [None] * count
    for position, grad in zip(positions, grads, strict=False):
        full[position] = grad
    return tuple(full)


def as_many(replaced: Any, count: int, what: str) -> Grads:
    """Return the gradients that a hook gave, which must be as many as it was given."""
    grads = replaced if isinstance(replaced, tuple | list) else (replaced,)
    if len(grads) != count:
        raise RuntimeError(
            f"Backward hook returned an invalid number of {what}, got {len(grads)}, but "
            f"expected {count}"
        )
    return tuple(grads)
