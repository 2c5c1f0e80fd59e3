"""Anomaly mode: which line of the program made the op whose backward went wrong."""

from __future__ import annotations

import traceback
from typing import Any

from .. import modes
from ..engine import Cotangents, Edges, Node
from ..recording import recording_hooks
from ..tensor import Tensor

TRACEBACK, PARENT = "traceback_", "parent_"
"""The keys under which a node's metadata tell where it was made, and by which node."""

running: list[Node] = []
"""The nodes whose rules are being run: those that they record have them as parents."""


def set_anomaly_enabled(enabled: bool, check_nan: bool = True) -> None:
    """Switch anomaly mode on or off.

    Args:
        enabled: on or off.
        check_nan: raise an error when a rule returns NaN.
    """
    for place, name in enumerate(("enabled", "check_nan"), 1):
        value = check_nan if name == "check_nan" else enabled
        if not isinstance(value, bool):
            raise TypeError(
                f"set_anomaly_enabled(): argument '{name}' (position {place}) must be "
                f"bool, not {type(value).__name__}"
            )
    modes.switch("anomaly", enabled)
    modes.switch("check_nan", check_nan)


class set_detect_anomaly:
    """Switch anomaly mode on or off: at once as a function, for a block as a context.

    Args:
        mode: on or off.
        check_nan: raise an error when a rule returns NaN.
    """

    def __init__(self, mode: bool, check_nan: bool = True) -> None:
        self.before = is_anomaly_enabled(), is_anomaly_check_nan_enabled()
        set_anomaly_enabled(mode, check_nan)

    def __enter__(self) -> None:
        """Do nothing more."""

    def __exit__(self, *exception: object) -> None:
        set_anomaly_enabled(*self.before)


class detect_anomaly:
    """Keep for each op the line that called it, and stop at the first NaN in backward.

    An error in backward then says where in the program the op is whose rule failed.

    >>> import wengert as torch
    >>> x = torch.zeros(1, requires_grad=True)
    >>> try:
    ...     with torch.autograd.detect_anomaly():
    ...         (x * 0.0).sqrt().backward()
    ... except RuntimeError as error:
    ...     print(error)
    Function 'MulBackward0' returned nan values in its 0th output.
    """

    def __init__(self, check_nan: bool = True) -> None:
        self.check_nan = check_nan

    def __enter__(self) -> None:
        self.before = is_anomaly_enabled(), is_anomaly_check_nan_enabled()
        set_anomaly_enabled(True, self.check_nan)

    def __exit__(self, *exception: object) -> None:
        set_anomaly_enabled(*self.before)


def is_anomaly_enabled() -> bool:
    """Whether anomaly mode is on."""
    return bool(modes.special) and modes.local.anomaly


def is_anomaly_check_nan_enabled() -> bool:
    """Whether anomaly mode looks for NaN."""
    return modes.local.check_nan


def remember_line(node: Node) -> None:
    """Keep where a node was made."""
    if modes.local.anomaly:
        node.metadata[TRACEBACK] = traceback.format_list(user_frames())
        if running:
            node.metadata[PARENT] = running[-1]


def user_frames() -> list[traceback.FrameSummary]:
    """Return the frames of the present call that are not the library's."""
    inside = __name__.partition(".")[0] + "."
    frames = [
        (frame, line)
        for frame, line in traceback.walk_stack(None)
        if not frame.f_globals.get("__name__", "").startswith(inside)
    ]
    return list(reversed(traceback.StackSummary.extract(iter(frames))))


def watch(node: Node, grad: Any, edges: Edges, recorded: bool) -> Cotangents:
    """Run a node's rule, and say where the node comes from if that fails."""
    running.append(node)
    try:
        cotangents = list(node.proceed(grad, edges, recorded))
    except Exception as error:
        explain(node, error)
        raise
    finally:
        running.pop()
    if modes.local.check_nan:
        for index, cotangent in enumerate(cotangents):
            if has_nan(cotangent):
                problem = RuntimeError(
                    f"Function '{node.name()}' returned nan values in its {index}th "
                    "output."
                )
                explain(node, problem)
                raise problem
    return cotangents


def has_nan(cotangent: Any) -> bool:
    """Whether a cotangent has a NaN; one of a transformation is not looked at."""
    data = cotangent._data if isinstance(cotangent, Tensor) else cotangent
    kind = getattr(getattr(data, "dtype", None), "kind", "")
    return kind in ("f", "c") and bool((data != data).any())


def explain(node: Node, error: Exception) -> None:
    """Add to an error where in the program the node and its ancestors were made."""
    current: Node | None = node
    while current is not None:
        lines = current.metadata.get(TRACEBACK)
        where = "".join(lines) if lines else "  (made while anomaly mode was off)\n"
        error.add_note(
            f"Error detected in {current.name()}. Traceback of forward call that "
            f"caused the error:\n{where}"
        )
        current = current.metadata.get(PARENT)


recording_hooks.append(remember_line)
