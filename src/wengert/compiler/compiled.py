"""`wengert.compile`: a function that is captured once and replayed as machine code."""

from __future__ import annotations

import functools
import warnings
from collections.abc import Callable
from typing import Any

from numpy import ndarray

from .. import modes, tree
from ..tensor import Tensor
from . import capture
from .captured import Captured, Miss, captured
from .failures import CaptureError, NotYet
from .guards import key_of

EAGER = None
"""Stands in place of a program where a function has to run eagerly."""


def compile(
    model: Any = None,
    *,
    fullgraph: bool = False,
    backend: str = "llvm",
    limit: int = 8,
    dynamic: bool | None = None,
    mode: str | None = None,
    options: Any = None,
    disable: bool = False,
) -> Any:
    """Return a function, or module, that computes the same by one fused program.

    The first call captures what the function does: forward, ``backward()``,
    ``optimizer.step()``, whatever of these is inside. Later calls replay it, reading
    parameters and other tensors from outside anew. Calls with other shapes, dtypes,
    Python arguments or modes are captured on their own.

    Python itself runs when capturing only: its side effects (printing, counting) are
    not repeated, and a function that decides by tensors' values is not compiled.

    Args:
        model: the function or `nn.Module`; without it a decorator is returned.
        fullgraph: raise an error if the function cannot be captured, in place of
        running
            it eagerly with a warning.
        backend: ``"llvm"`` for machine code (``pip install wengert[jit]``), ``"numpy"``
            to replay through NumPy.
        limit: how many programs are kept for different arguments; beyond, calls are
        eager. dynamic, mode, options: accepted as PyTorch does, without effect.
        disable: return the function as it is.

    Returns:
        The compiled function; its ``explain()`` says what the programs do.

    Raises:
        ImportError: llvmlite is not installed and `backend` is "llvm".
        RuntimeError: with `fullgraph`, what in the function cannot be captured.

    >>> import wengert as torch
    >>> @torch.compile(backend="numpy")
    ... def f(x):
    ...     return (x * 2).sin().sum()
    >>> f(torch.zeros(3))
    tensor(0.)
    """
    if backend not in ("llvm", "numpy"):
        raise ValueError(f"backend must be 'llvm' or 'numpy', not {backend!r}")
    if model is None:
        return functools.partial(
            compile, fullgraph=fullgraph, backend=backend, limit=limit, disable=disable
        )
    if disable:
        return model
    if backend == "llvm":
        require_llvm()
    return Compiled(model, fullgraph, backend, limit)


def require_llvm() -> None:
    """Say what to install if the machine code's library is absent."""
    import importlib.util

    if importlib.util.find_spec("llvmlite") is None:
        raise ImportError(
            "wengert.compile needs llvmlite: install wengert[jit], or use "
            'wengert.compile(..., backend="numpy")'
        )


def has_special_modes() -> bool:
    """Whether a mode is on that looks into what is recorded."""
    local = modes.local
    return bool(modes.special and (local.anomaly or local.saved_hooks))


class Compiled:
    """A function with the programs that were captured of it."""

    def __init__(
        self, function: Callable[..., Any], fullgraph: bool, backend: str, limit: int
    ) -> None:
        functools.update_wrapper(self, function, updated=())
        self.function = function
        self.fullgraph = fullgraph
        self.backend = backend
        self.limit = limit
        self.programs: list[tuple[Any, Any, Captured | None]] = []
        self.reasons: list[str] = []
        self.last: tuple[Any, Any, Captured | None] | None = None

    def __getattr__(self, name: str) -> Any:
        if name == "function":
            raise AttributeError(name)
        return getattr(self.function, name)

    def __get__(self, instance: Any, owner: Any = None) -> Any:
        return self if instance is None else functools.partial(self, instance)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        if capture.current is not None or has_special_modes():
            return self.function(*args, **kwargs)
        leaves, structure = tree.flatten((args, kwargs))
        for leaf in leaves:
            if isinstance(leaf, Tensor) and type(leaf._data) is not ndarray:
                return self.function(*args, **kwargs)
        key = key_of(leaves)
        for known, shape, program in self.programs:
            if shape == structure and known == key:
                if program is EAGER:
                    return self.function(*args, **kwargs)
                try:
                    return program.replay(leaves)
                except Miss:
                    continue
                except Exception as error:
                    return self.instead(error, args, kwargs)
        return self.begin(args, kwargs, key, structure, leaves)

    def begin(
        self, args: Any, kwargs: Any, key: Any, structure: Any, leaves: list[Any]
    ) -> Any:
        """Capture a program for these arguments and run it, or run eagerly."""
        if len(self.programs) >= self.limit:
            self.report(
                f"more than {self.limit} programs for different arguments; this call "
                f"and "
                "others like it run eagerly. Pass what varies as tensors, or raise "
                "`limit`"
            )
            return self.function(*args, **kwargs)
        try:
            program = captured(self.function, args, kwargs, leaves, self.backend)
        except ImportError:
            raise
        except NotYet:
            return self.function(*args, **kwargs)
        except Exception as error:
            if self.fullgraph and isinstance(error, CaptureError):
                raise
            result = self.function(*args, **kwargs)  # the user's own errors arise here
            self.programs.append((key, structure, EAGER))
            self.report(f"runs eagerly: {error}")
            return result
        self.programs.append((key, structure, program))
        try:
            return program.replay(leaves)
        except Exception as error:
            return self.instead(error, args, kwargs)

    def instead(self, error: Exception, args: Any, kwargs: Any) -> Any:
        """Run eagerly where a replay has failed, before it had written anything.

        So it is eager mode that says what is wrong, and leaves what it has done.
        """
        result = self.function(*args, **kwargs)  # the user's own errors arise here
        self.report(f"a replay failed, this call ran eagerly: {error!r}")
        return result

    def report(self, reason: str) -> None:
        """Warn of each reason once."""
        name = getattr(self.function, "__name__", type(self.function).__name__)
        text = f"wengert.compile({name}): {reason}"
        if text not in self.reasons:
            self.reasons.append(text)
            warnings.warn(text, stacklevel=4)

    def explain(self) -> str:
        """Return what the programs do: kernels, what they fuse, what runs in Python."""
        parts = [
            "runs eagerly" if program is EAGER else program.explain()
            for _, _, program in self.programs
        ]
        return "\n\n".join([*parts, *self.reasons]) or "not called yet"
