"""The text of tensors of transformations, as printed inside transformed functions."""

from __future__ import annotations

from .. import modes
from ..tensor import Tensor, forward_levels
from .batched import Batched
from .dual import Dual
from .level import active


def text_of(tensor: Tensor) -> str:
    """Return what is printed for a tensor of a transformation.

    The level that is shown counts the transformations that are running, from the
    outermost; -2 stands for one that has finished.
    """
    data, number = tensor._data, tensor._special.level  # type: ignore[union-attr]
    if number in forward_levels:
        return dual_text(tensor)
    running = [level for level, _ in modes.local.levels]
    level = running.index(number) + 1 if number in running else -2
    if isinstance(data, Batched):
        return f"BatchedTensor(lvl={level}, bdim=0, value=\n{indented(data.value)}\n)"
    value = data.primal if isinstance(data, Dual) else data
    return f"GradTrackingTensor(lvl={level}, value=\n{indented(value)}\n)"


def dual_text(tensor: Tensor) -> str:
    """Return the text of a tensor of forward mode: its primal's, and the tangent."""
    data = tensor._data
    if not isinstance(data, Dual):
        return repr(data)
    shown = repr(data.primal)
    if data.level not in active:
        return shown
    return f"{shown[:-1]}, tangent={data.tangent!r})"


def indented(value: Tensor) -> str:
    """Return the text of a tensor, four columns to the right."""
    return "\n".join(["    " + line for line in repr(value).splitlines()])
