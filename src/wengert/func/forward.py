"""Forward mode: `jvp` and `linearize`.

The function runs on tensors of a new level whose arrays are duals.
"""

from __future__ import annotations

from typing import Any

from .. import errors, tree
from ..layers.dual import Dual, primal_of, tangent_of
from ..layers.level import Level, on_level
from ..primitives.copying import zeros_like
from ..tensor import Tensor, is_differentiable
from .arguments import Function, check_not_empty, check_output, split_aux
from .reverse import vjp

CALL = "jvp(f, primals, tangents)"


def jvp(
    func: Function,
    primals: tuple[Any, ...],
    tangents: tuple[Any, ...],
    *,
    strict: bool = False,
    has_aux: bool = False,
) -> Any:
    """Return the function's value, and its derivative in the direction of the tangents.

    Args:
        func: takes trees of tensors and returns one.
        primals: where to differentiate: a tuple of the function's arguments.
        tangents: the direction, like `primals`.
        strict: refuse a function whose output does not depend on its inputs.
        has_aux: the function returns a pair of its output and anything else, which
            is returned as a third.

    >>> import wengert as torch
    >>> torch.func.jvp(torch.sin, (torch.zeros(1),), (torch.ones(1),))
    (tensor([0.]), tensor([1.]))
    """
    leaves, directions, structure = paired(primals, tangents)
    with Level(forward=True, pure=True) as level:
        duals = [
            on_level(level, Dual(x, t, level))
            for x, t in zip(leaves, directions, strict=True)
        ]
        result = func(*tree.unflatten(duals, structure))
        output, aux = split_aux(CALL, result, has_aux)
        outputs, output_structure = tree.flatten(output)
        check_not_empty(outputs, CALL)
        values = [primal_of(check_output(out, CALL), level) for out in outputs]
        slopes = [tangent_of(out, level) for out in outputs]
        aux = tree.map(lambda x: primal_of(x, level), aux)
    if strict and any(slope is None for slope in slopes):
        raise RuntimeError(
            "jvp(f, primals, tangents, strict=True): The output of f is independent of "
            "the inputs. This is not allowed with strict=True."
        )
    filled = [
        zeros_like(value) if slope is None else slope
        for value, slope in zip(values, slopes, strict=True)
    ]
    value = tree.unflatten(values, output_structure)
    slope = tree.unflatten(filled, output_structure)
    return (value, slope, aux) if has_aux else (value, slope)


def paired(
    primals: Any, tangents: Any
) -> tuple[list[Tensor], list[Tensor], tree.Structure]:
    """Return the leaves of primals and tangents, which must be alike."""
    if not isinstance(primals, tuple):
        raise RuntimeError(
            f"{CALL}: Expected primals to be a tuple. E.g. it should be valid to call "
            "f(*primals)."
        )
    leaves, structure = tree.flatten(primals)
    directions, found = tree.flatten(tangents)
    if found != structure:
        raise RuntimeError(
            f"{CALL}: Expected primals and tangents to have the same python structure. "
            "For example, if primals is a tuple of 3 tensors, tangents also must be. "
            f"Got primals with structure {structure} and tangents with structure "
            f"{found}"
        )
    if not leaves:
        raise RuntimeError(f"{CALL}: Expected primals to contain at least one Tensor.")
    for x, t in zip(leaves, directions, strict=True):
        check_pair(x, t)
    return leaves, directions, structure


def check_pair(primal: Any, tangent: Any) -> None:
    """Refuse a tangent that does not belong to its primal."""
    for name, value in (("primal", primal), ("tangent", tangent)):
        if not isinstance(value, Tensor):
            raise RuntimeError(
                f"{CALL}: Expected {name}s to only contain Tensors, got {type(value)}"
            )
        if not is_differentiable(value._data.dtype):
            raise ValueError(
                f"Expected {name} to be floating point or complex, but got: "
                f"{value.dtype}"
            )
    if primal.shape != tangent.shape:
        raise errors.mismatched_tangent(primal.shape, tangent.shape)
    if tangent.dtype.is_complex and not primal.dtype.is_complex:
        raise RuntimeError(
            f"{CALL}: a tangent of dtype {tangent.dtype} for a primal of dtype "
            f"{primal.dtype}: a real number moves in a real direction only."
        )


def linearize(func: Function, *primals: Any) -> tuple[Any, Function]:
    """Return the function's value, and the linear map that is its derivative there.

    The function runs just once, however often the map is called: reverse mode records
    it, and the transposed record is the map.

    >>> import wengert as torch
    >>> value, push_forward = torch.func.linearize(torch.sin, torch.zeros(2))
    >>> push_forward(torch.ones(2))
    tensor([1., 1.])
    """
    value, pull_cotangents = vjp(func, *primals)
    leaves, structure = tree.flatten(primals)
    _, push = vjp(pull_cotangents, tree.map(zeros_like, value))

    def push_tangents(*tangents: Any) -> Any:
        directions, found = tree.flatten(tangents)
        if found != structure:
            raise RuntimeError(
                f"Expected the tangents {found} to have the same argspec as the "
                f"primals {structure}"
            )
        for index, (x, t) in enumerate(zip(leaves, directions, strict=True)):
            for what in ("shape", "dtype"):
                given, wanted = getattr(t, what), getattr(x, what)
                if given != wanted:
                    raise RuntimeError(
                        f"tangent:{index} with {what} {given} in flattened pytree "
                        f"doesn't match the {what} {wanted} of the corresponding "
                        "primal."
                    )
        return push(tangents)[0]

    return value, push_tangents
