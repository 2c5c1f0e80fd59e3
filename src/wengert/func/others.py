"""What else `torch.func` has for programs that transform functions."""

from __future__ import annotations

import functools
from typing import Any

from ..layers.batched import Batched
from ..layers.dual import Dual
from ..tensor import Tensor, level_of
from .arguments import Function


def functionalize(func: Function, *, remove: str = "mutations") -> Function:
    """Return the function without writes in place inside: here, as it is.

    Transformations and `compile` take functions that write in place, so that there is
    nothing to be removed for them; the results are the same.

    Args:
        remove: "mutations" or "mutations_and_views".
    """
    if remove not in ("mutations", "mutations_and_views"):
        raise RuntimeError(
            "functionalize(f, remove='mutations'): received invalid argument for "
            f"remove={remove}. Valid options are:\n     remove='mutations'\n     "
            "remove='mutations_and_views'"
        )

    @functools.wraps(func)
    def call(*args: Any, **kwargs: Any) -> Any:
        return func(*args, **kwargs)

    return call


def debug_unwrap(tensor: Tensor, *, recurse: bool = True) -> Tensor:
    """Return what a tensor inside of a transformation holds, for looking at it only.

    Args:
        recurse: go through all transformations, not just the innermost.

    >>> import wengert as torch
    >>> def look(x):
    ...     print(torch.func.debug_unwrap(x))
    ...     return x
    >>> _ = torch.func.vmap(look)(torch.arange(3))
    tensor([0, 1, 2])
    """
    if not level_of(tensor):
        return tensor
    data = tensor._data
    held: Tensor = data
    if isinstance(data, Batched):
        held = data.value
    elif isinstance(data, Dual):
        held = data.primal
    return debug_unwrap(held) if recurse else held


def replace_all_batch_norm_modules_(root: Any) -> Any:
    """Let all batch norms in a module use the statistics of the batch alone.

    So they write nothing, and their module can be mapped over.
    """
    from ..nn.batchnorm import BatchNorm

    for module in root.modules():
        if isinstance(module, BatchNorm) and module.track_running_stats:
            module.running_mean = module.running_var = None
            module.num_batches_tracked = None
            module.track_running_stats = False
    return root
