"""`torch.compiler`: what programs ask the compiler, and tell it.

https://docs.pytorch.org/docs/2.13/torch.compiler_api.html
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from threading import get_ident
from typing import Any

from . import capture, failures
from .compiled import BACKENDS, made


def is_compiling() -> bool:
    """Whether the running code is being captured for a compiled function.

    >>> import wengert as torch
    >>> torch.compiler.is_compiling()
    False
    >>> f = torch.compile(
    ...     lambda x: x + 1 if torch.compiler.is_compiling() else x, backend="numpy"
    ... )
    >>> f(torch.zeros(1))
    tensor([1.])
    """
    tracer = capture.current
    return tracer is not None and tracer.thread == get_ident()


is_dynamo_compiling = is_compiling


def is_exporting() -> bool:
    """Whether the running code is being exported: never, as there is no export."""
    return False


def list_backends() -> list[str]:
    """Return the names that `compile` takes for ``backend``."""
    return sorted(BACKENDS)


def reset() -> None:
    """Forget all programs: each compiled function is captured anew when called."""
    for compiled in made:
        compiled.forget()


def disable(
    fn: Callable[..., Any] | None = None,
    recursive: bool = True,
    *,
    reason: str | None = None,
) -> Any:
    """Return a function that is not compiled: whoever calls it runs eagerly.

    Args:
        fn: the function; without it a decorator is returned.
        recursive: accepted as PyTorch does, without effect.
        reason: why, which is said where a compiled function calls this one.
    """
    if fn is None:
        return functools.partial(disable, recursive=recursive, reason=reason)

    @functools.wraps(fn)
    def disabled(*args: Any, **kwargs: Any) -> Any:
        if is_compiling():
            why = f" ({reason})" if reason else ""
            raise failures.untraceable(
                f"a function is called that is not to be compiled{why}",
                "Call it outside of the compiled function",
            )
        return fn(*args, **kwargs)

    return disabled
