"""Why a function cannot be captured, in words that say what to do about it."""

from __future__ import annotations

import os
import sys
from pathlib import Path

PACKAGE = str(Path(__file__).resolve().parent.parent) + os.sep


class CaptureError(RuntimeError):
    """A function that cannot be compiled; its message names line and rewrite."""


class NotYet(CaptureError):
    """What can be captured once the function has run eagerly for the first time."""


def user_line() -> str:
    """Return the innermost line of code outside of this package: ``"train.py:12"``."""
    frame = sys._getframe(1)
    while frame is not None:
        name = frame.f_code.co_filename
        if not name.startswith(PACKAGE):
            return f"{Path(name).name}:{frame.f_lineno}"
        frame = frame.f_back  # type: ignore[assignment]
    return "?"  # type: ignore[unreachable]  # the outermost frame has no other


def failure(
    what: str, rewrite: str, kind: type[CaptureError] = CaptureError
) -> CaptureError:
    """Return the error about what the user's code does at this moment."""
    return kind(f"{user_line()}: {what}. {rewrite}")


def escaped() -> CaptureError:
    return failure(
        "the value of a tensor is asked for (item(), float(), bool(), `if tensor`, "
        "numpy(), print) while the function is captured, before anything is computed",
        "Keep the decision in tensors, with torch.where(condition, a, b), or return "
        "the "
        "tensor and look at it outside of the compiled function",
    )


def ambiguous() -> CaptureError:
    return failure(
        "a tensor is written to, of which a reshape exists that may or may not share "
        "its "
        "memory",
        "Use .view() of contiguous memory, or .clone() before writing",
    )


def untraceable(what: str, rewrite: str) -> CaptureError:
    return failure(what, rewrite)
