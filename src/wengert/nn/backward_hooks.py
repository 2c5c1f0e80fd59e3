"""Hooks on the backward of a module.

The gradients of a module's inputs (or outputs) are seen together where they pass one
node: an identity that is recorded before the module, and one after it.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from typing import Any

from ..function import Function
from ..hooks import check_replacement
from ..modes import is_grad_enabled
from ..tensor import Tensor

Hook = Callable[..., Any]
Grads = tuple[Tensor | None, ...]


class BackwardHookFunction(Function):
    """The identity on several tensors, which shows their gradients to a function."""

    @staticmethod
    def forward(ctx: Any, see: Callable[[Grads], Grads], *tensors: Tensor) -> Any:
        ctx.see = see
        ctx.set_materialize_grads(False)
        return tensors

    @staticmethod
    def backward(ctx: Any, *grads: Tensor | None) -> Any:
        return (None, *ctx.see(grads))


class Watch:
    """The hooks on the backward of one call of a module."""

    def __init__(self, module: Any, pre: Sequence[Hook], after: Sequence[Hook]) -> None:
        self.module = module
        self.pre = pre
        self.after = after
        self.grad_outputs: Grads | None = None
        self.no_inputs: Grads | None = None
        """What is shown for the gradients of inputs if none of them requires grad."""

    def inputs(self, args: tuple[Any, ...]) -> tuple[Any, ...]:
        """Return the arguments after an identity that calls the hooks on inputs."""
        if not self.after:
            return args
        passed = shown_to(self.run_after, args)
        if passed is None:
            self.no_inputs = (None,) * len(args)
            return args
        return passed

    def outputs(self, result: Any) -> Any:
        """Return the result after an identity that calls the hooks on outputs."""
        several = isinstance(result, tuple | list)
        if not (several or isinstance(result, Tensor)):
            warnings.warn(
                "For backward hooks to be called, module output should be a Tensor or "
                f"a tuple of Tensors but received {type(result)}",
                stacklevel=4,
            )
            return result
        passed = shown_to(self.run_before, tuple(result) if several else (result,))
        if passed is None:
            return result
        if not several:
            return passed[0]
        if hasattr(type(result), "_make"):
            return type(result)._make(passed)
        return type(result)(passed)

    def run_before(self, grads: Grads) -> Grads:
        """Call the hooks that see the gradients of the outputs."""
        for hook in self.pre:
            replaced = hook(self.module, grads)
            if replaced is not None:
                grads = as_many(replaced, grads, "grad_output")
        self.grad_outputs = grads
        if self.no_inputs is not None:
            warnings.warn(
                "Full backward hook is firing when gradients are computed with respect "
                "to module outputs since no inputs require gradients.",
                stacklevel=2,
            )
            self.run_after(self.no_inputs)
        return grads

    def run_after(self, grads: Grads) -> Grads:
        """Call the hooks that see the gradients of the inputs."""
        if self.grad_outputs is None:
            return grads
        for hook in self.after:
            replaced = hook(self.module, grads, self.grad_outputs)
            if replaced is not None:
                grads = as_many(replaced, grads, "grad_input")
        return grads


def shown_to(
    see: Callable[[Grads], Grads], items: tuple[Any, ...]
) -> tuple[Any, ...] | None:
    """Pass the tensors among some items through one recorded identity.

    Returns:
        The items with the new tensors; None if none of them requires grad.
    """
    places = [i for i, item in enumerate(items) if isinstance(item, Tensor)]
    tensors = [items[i] for i in places]
    if not (is_grad_enabled() and any(tensor.requires_grad for tensor in tensors)):
        return None

    def see_all(grads: Grads) -> Grads:
        full: list[Tensor | None] = [None] * len(items)
        for place, grad in zip(places, grads, strict=True):
            full[place] = grad
        seen = see(tuple(full))
        return tuple([seen[place] for place in places])

    found = list(items)
    passed = BackwardHookFunction.apply(see_all, *tensors)
    for place, tensor in zip(places, passed, strict=True):
        found[place] = tensor
    return tuple(found)


def as_many(replaced: Any, given: Grads, what: str) -> Grads:
    """Return the gradients that a hook gave, which must be like those it was given."""
    grads = replaced if isinstance(replaced, tuple | list) else (replaced,)
    if len(grads) != len(given):
        raise RuntimeError(
            f"Backward hook returned an invalid number of {what}, got {len(grads)}, "
            f"but expected {len(given)}"
        )
    for new, old in zip(grads, given, strict=True):
        if new is not None and old is not None:
            check_replacement(new, old, "hook")
    return tuple(grads)
