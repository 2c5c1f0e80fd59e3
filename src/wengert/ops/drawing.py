"""Drawing random numbers for tensors of any level."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from .. import dispatch, modes
from ..generator import Generator, default_generator
from ..tensor import Layer, Tensor
from .options import finish


def source(generator: Generator | None) -> Generator:
    """Return the generator to draw from."""
    return default_generator if generator is None else generator


def watched(draw: Callable[..., Any]) -> Callable[..., Any]:
    """Return what draws, or while a function is captured what draws at each replay.

    See `compiler.watch`, which replaces this function for as long.
    """
    return draw


def fresh(
    draw: Callable[[tuple[int, ...]], Any], shape: tuple[int, ...], **options: Any
) -> Tensor:
    """Return a tensor from what draws an array of any shape; vmap may want several."""
    draw = watched(draw)
    if modes.special and modes.local.levels:
        from ..layers import randomness

        if randomness.local.maps:
            return finished(randomness.fresh(draw, shape), **options)
    return finish(np.asarray(draw(shape)), **options)


def fresh_of(draw: Callable[..., Any], *parameters: Any, **options: Any) -> Tensor:
    """Return a tensor from what draws numbers for arrays of parameters."""
    if modes.special and modes.local.levels:
        from ..layers import randomness

        return finished(randomness.fresh_of(draw, *parameters), **options)
    arrays = [p.detach()._data if isinstance(p, Tensor) else p for p in parameters]
    if dispatch.tracing is not None:  # it refuses to say what values there will be
        arrays = [np.asarray(a) if isinstance(a, Layer) else a for a in arrays]
    return finish(np.asarray(draw(*arrays)), **options)


def sampled(
    primitive: Callable[..., Any], draw: Callable[..., Any], *parameters: Any
) -> Tensor:
    """Return numbers drawn for parameters, with a history if these require grad.

    Args:
        primitive: the one whose nodes the history has, see `primitives.sampling`.
        parameters: tensors, or numbers, of which nothing is known later.
    """
    values = fresh_of(draw, *parameters)
    given = [p for p in parameters if isinstance(p, Tensor)]
    if any([p.requires_grad for p in given]):
        recorded: Tensor = primitive(*given, values)
        return recorded
    return values


def finished(tensor: Tensor, requires_grad: bool = False, **options: Any) -> Tensor:
    """Return a tensor of a transformation, which cannot require grad."""
    return tensor.requires_grad_() if requires_grad else tensor
