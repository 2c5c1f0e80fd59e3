"""Reverse mode: `grad`, `grad_and_value`, `vjp`.

The function runs on leaves of a new level that require grad, whose arrays are the
tensors given; what comes out is lowered again.
"""

from __future__ import annotations

import functools
from collections.abc import Sequence
from typing import Any

import numpy as np

from .. import errors, tree
from ..layers.level import Level, belongs, leaf_on_level, lowered
from ..layers.pushing import pull
from ..primitives.copying import zeros_like
from ..recording import numpy_dtype
from ..tensor import Tensor, history, is_differentiable, plain
from .arguments import (
    Argnums,
    Function,
    check_input,
    check_not_empty,
    check_output,
    check_scalar,
    replace,
    select,
    split_aux,
)


def grad(func: Function, argnums: Argnums = 0, has_aux: bool = False) -> Function:
    """Return the function that computes the gradient of a scalar function.

    Args:
        func: returns a scalar tensor; with `has_aux` a pair of it and anything else.
        argnums: which arguments to differentiate by: trees of tensors.
        has_aux: return the gradient and the function's second result.

    Raises:
        RuntimeError: the function does not return a real scalar.

    >>> import wengert as torch
    >>> torch.func.grad(torch.sin)(torch.tensor(0.0))
    tensor(1.)
    """
    both = grad_and_value(func, argnums, has_aux)

    @functools.wraps(func)
    def gradient(*args: Any, **kwargs: Any) -> Any:
        found, result = both(*args, **kwargs)
        return (found, result[1]) if has_aux else found

    return gradient


def grad_and_value(
    func: Function, argnums: Argnums = 0, has_aux: bool = False
) -> Function:
    """Return the function that computes the gradient and the value; see `grad`.

    With `has_aux` it returns ``gradient, (value, aux)``.

    >>> import wengert as torch
    >>> torch.func.grad_and_value(torch.exp)(torch.tensor(0.0))
    (tensor(1.), tensor(1.))
    """

    @functools.wraps(func)
    def gradient(*args: Any, **kwargs: Any) -> Any:
        chosen = select(args, argnums)
        with Level(grad=True, pure=True) as level:
            leaves, structure = tree.flatten(chosen)
            inputs = [leaf_on_level(level, check_input(x)) for x in leaves]
            replaced = replace(args, argnums, tree.unflatten(inputs, structure))
            result = func(*replaced, **kwargs)
            output, aux = split_aux("grad_and_value(f)(*args)", result, has_aux)
            check_scalar(output)
            value = lowered(output, level)
            one = plain(np.ones((), numpy_dtype(value)))
            grads = pull_back([output], [one], inputs, level)
            aux = tree.map(lambda x: lowered(x, level), aux)
        found = tree.unflatten(grads, structure)
        return found, ((value, aux) if has_aux else value)

    return gradient


def vjp(func: Function, *primals: Any, has_aux: bool = False) -> Any:
    """Return the function's value, and the function that pulls cotangents back.

    Args:
        func: takes trees of tensors and returns one.
        primals: where to differentiate.
        has_aux: the function returns a pair of its output and anything else, which
            is returned as a third.

    >>> import wengert as torch
    >>> value, pull_back = torch.func.vjp(torch.sin, torch.zeros(2))
    >>> pull_back(torch.ones(2))
    (tensor([1., 1.]),)
    """
    with Level(grad=True, pure=True) as level:
        leaves, structure = tree.flatten(primals)
        inputs = [leaf_on_level(level, check_input(x)) for x in leaves]
        result = func(*tree.unflatten(inputs, structure))
        output, aux = split_aux("vjp(f, *primals)", result, has_aux)
        aux = tree.map(lambda x: lowered(x, level), aux)
    outputs, output_structure = tree.flatten(output)
    check_outputs(outputs)
    value = tree.unflatten([lowered(out, level) for out in outputs], output_structure)

    def pull_cotangents(
        cotangents: Any, retain_graph: bool = True, create_graph: bool | None = None
    ) -> Any:
        flat, found = tree.flatten(cotangents)
        if found != output_structure:
            raise RuntimeError(
                f"Expected pytree structure of cotangents to be the same as pytree "
                f"structure of outputs to the function. cotangents: {found}, primal "
                f"output: {output_structure}"
            )
        seeds = [
            fitted_cotangent(index, cotangent, out)
            for index, (cotangent, out) in enumerate(zip(flat, outputs, strict=True))
        ]
        grads = pull_back(outputs, seeds, inputs, level, retain_graph)
        return tree.unflatten(grads, structure)

    return (value, pull_cotangents, aux) if has_aux else (value, pull_cotangents)


def check_outputs(outputs: Sequence[Any]) -> None:
    """Refuse outputs of a function that have no cotangents."""
    call = "vjp(f, *primals)"
    check_not_empty(outputs, call)
    for out in outputs:
        if not is_differentiable(check_output(out, call).dtype):
            raise RuntimeError(
                "vjp(f, ...): All outputs of f must be floating-point or complex "
                f"Tensors, got Tensor with dtype {out.dtype}"
            )


def fitted_cotangent(index: int, cotangent: Any, out: Tensor) -> Tensor:
    """Return a cotangent in the dtype of its output, or refuse it."""
    if cotangent is None:
        if out.numel() != 1:
            raise errors.needs_scalar_output()
        cotangent = plain(np.ones(out.shape, numpy_dtype(out)))
    if not isinstance(cotangent, Tensor):
        raise TypeError(
            "gradients can be either Tensors or None, but got "
            f"{type(cotangent).__name__}"
        )
    name = f"grad_output[{index}]"
    if cotangent.shape != out.shape:
        raise RuntimeError(
            f"Mismatch in shape: {name} has a shape of {cotangent.shape} and "
            f"output[{index}] has a shape of {out.shape}."
        )
    given, wanted = cotangent.dtype, out.dtype
    if given.is_complex != wanted.is_complex:
        raise RuntimeError(
            "For complex Tensors, both grad_output and output are required to have the "
            f"same dtype. Mismatch in dtype: {name} has a dtype of {given} and "
            f"output[{index}] has a dtype of {wanted}."
        )
    fitted: Tensor = cotangent if given is wanted else cotangent.to(wanted)
    return fitted


def pull_back(
    outputs: Sequence[Tensor],
    seeds: Sequence[Any],
    inputs: Sequence[Tensor],
    level: int,
    keep: bool = True,
) -> list[Any]:
    """Return the cotangents of a level's leaves for cotangents of its results."""
    starts: dict[Any, Any] = {}
    for out, seed in zip(outputs, seeds, strict=True):
        node = history(out) if belongs(out, level) else None
        if node is not None:
            starts[node] = starts[node] + seed if node in starts else seed
    captured: dict[Any, Any] = {leaf._node: None for leaf in inputs}
    pull(starts, captured, keep)
    return [
        zeros_like(leaf._data) if captured[leaf._node] is None else captured[leaf._node]
        for leaf in inputs
    ]
