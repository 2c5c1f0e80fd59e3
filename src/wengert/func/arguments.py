"""What transformations have in common: choosing arguments, and checking them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from .. import tree
from ..tensor import Tensor, is_differentiable

Function = Callable[..., Any]
Argnums = int | tuple[int, ...]


def select(args: tuple[Any, ...], argnums: Argnums) -> Any:
    """Return the arguments to differentiate by: one, or a tuple."""
    if isinstance(argnums, int):
        check_argnum(argnums, len(args))
        return args[argnums]
    if not isinstance(argnums, tuple):
        raise RuntimeError(
            f"argnums must be int or Tuple[int, ...], got: {type(argnums)}"
        )
    if not argnums:
        raise RuntimeError("argnums must be non-empty")
    for argnum in argnums:
        check_argnum(argnum, len(args))
    places = tuple([argnum % len(args) for argnum in argnums])
    if len(set(places)) != len(places):
        raise RuntimeError(f"argnums elements must be unique, got {places}")
    return tuple([args[place] for place in places])


def check_argnum(argnum: Any, count: int) -> None:
    """Refuse the number of an argument that was not given."""
    if not isinstance(argnum, int):
        raise RuntimeError(f"argnum must be int, got: {type(argnum)}")
    if not -count <= argnum < count:
        raise RuntimeError(f"Got argnum={argnum}, but only {count} positional inputs")


def replace(args: tuple[Any, ...], argnums: Argnums, values: Any) -> list[Any]:
    """Return the arguments with those to differentiate by replaced."""
    replaced = list(args)
    if isinstance(argnums, int):
        replaced[argnums] = values
    else:
        for argnum, value in zip(argnums, values, strict=True):
            replaced[argnum] = value
    return replaced


def check_input(value: Any) -> Tensor:
    """Refuse to differentiate by what is no tensor of numbers with derivatives."""
    if not isinstance(value, Tensor):
        raise ValueError(
            f"Thing passed to transform API must be Tensor, got {type(value)}"
        )
    if not is_differentiable(value._data.dtype):
        raise RuntimeError("only Tensors of floating point dtype can require gradients")
    return value


def check_not_empty(outputs: Sequence[Any], call: str) -> None:
    """Refuse a function that returns nothing."""
    if len(outputs) < 1 or (len(outputs) == 1 and outputs[0] is None):
        raise RuntimeError(
            f"{call}: Expected f to be a function that has non-empty output (got "
            f"output = {outputs})"
        )


def check_output(value: Any, call: str) -> Tensor:
    """Refuse an output that is no tensor.

    Args:
        call: the transformation's call, as messages show it.
    """
    if not isinstance(value, Tensor):
        raise RuntimeError(
            f"{call}: expected f(*primals) to return only tensors, got unsupported "
            f"type {type(value)}"
        )
    return value


def check_scalar(output: Any) -> None:
    """Refuse what has no gradient, as it is not one number."""
    if not isinstance(output, Tensor):
        raise RuntimeError(
            "grad_and_value(f)(*args): Expected f(*args) to return a Tensor, got "
            f"{type(output)}"
        )
    if output.ndim != 0:
        raise RuntimeError(
            "grad_and_value(f)(*args): Expected f(*args) to return a scalar Tensor, "
            f"got tensor with {output.ndim} dims. Maybe you wanted to use the vjp or "
            "jacrev APIs instead?"
        )
    if output.dtype.is_complex:
        raise RuntimeError(
            "grad can be implicitly created only for real scalar outputs but got "
            f"{output.dtype}"
        )


def split_aux(call: str, result: Any, has_aux: bool) -> tuple[Any, Any]:
    """Return the output and the auxiliary result of a function."""
    if not has_aux:
        return result, None
    if not (isinstance(result, tuple) and len(result) == 2):
        raise RuntimeError(
            f"{call}: output of function f should be a tuple: (output, aux) if has_aux "
            "is True"
        )
    for leaf in tree.leaves(result[1]):
        if not isinstance(leaf, Tensor):
            raise RuntimeError(f"Expected tensors, got unsupported type {type(leaf)}")
    return result
