"""`wengert.compile`: a function that is captured once and replayed as machine code."""

from __future__ import annotations

import functools
import warnings
from collections.abc import Callable
from typing import Any
from weakref import WeakSet

from numpy import ndarray

from .. import modes, tree
from ..tensor import Tensor
from . import capture
from .captured import Captured, captured
from .failures import CaptureError, NotYet
from .guards import key_of
from .straight import MISS

BACKENDS = {"llvm": "llvm", "inductor": "llvm", "numpy": "numpy", "eager": None}
BACKENDS["aot_eager"] = None
"""What computes, by the names that users give; None for eager mode."""


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
            running it eagerly with a warning.
        backend: ``"llvm"`` for machine code (``pip install wengert[jit]``), also by its
            name in PyTorch, ``"inductor"``; ``"numpy"`` to replay through NumPy;
            ``"eager"`` to compile nothing.
        limit: how many programs are kept for different arguments; beyond, calls are
            eager.
        dynamic, mode, options: accepted as PyTorch does, without effect.
        disable: return the function as it is.

    Returns:
        The compiled function, or a module around the module; its ``explain()`` says
        what the programs do.

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
    if backend not in BACKENDS:
        known = "', '".join(BACKENDS)
        raise ValueError(f"backend must be one of '{known}', not {backend!r}")
    if model is None:
        return functools.partial(
            compile, fullgraph=fullgraph, backend=backend, limit=limit, disable=disable
        )
    engine = BACKENDS[backend]
    if disable or engine is None:
        return model
    if engine == "llvm":
        require_llvm()
    compiled = Compiled(model, fullgraph, engine, limit)
    from ..nn.module import Module  # a capture needs it, too

    if isinstance(model, Module):
        from .module import OptimizedModule

        return OptimizedModule(model, compiled)
    return compiled


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
    return bool(modes.local.anomaly or modes.local.saved_hooks)


made: WeakSet[Compiled] = WeakSet()
"""The compiled functions that there are."""


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
        self.programs: list[Captured] = []
        self.eager: list[tuple[Any, tree.Structure]] = []
        """What arguments look like for which the function has to run eagerly."""
        self.reasons: list[str] = []
        made.add(self)

    def forget(self) -> None:
        """Have no programs any more."""
        for kept in (self.programs, self.eager, self.reasons):
            kept.clear()

    def __getattr__(self, name: str) -> Any:
        if name == "function":
            raise AttributeError(name)
        return getattr(self.function, name)

    def __reduce__(self) -> tuple[Any, ...]:
        """Copies have the function, and no programs yet."""
        return Compiled, (self.function, self.fullgraph, self.backend, self.limit)

    def __get__(self, instance: Any, owner: Any = None) -> Any:
        return self if instance is None else functools.partial(self, instance)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        if capture.current is not None or (modes.special and has_special_modes()):
            return self.function(*args, **kwargs)
        for program in self.programs:
            try:
                result = program.replay(args, kwargs)
            except Exception as error:
                return self.instead(error, args, kwargs)
            if result is not MISS:
                return result
        return self.begin(args, kwargs)

    def begin(self, args: Any, kwargs: Any) -> Any:
        """Capture a program for these arguments and run it, or run eagerly."""
        leaves, structure = tree.flatten((args, kwargs))
        if any(
            [isinstance(x, Tensor) and type(x._data) is not ndarray for x in leaves]
        ):
            return self.function(*args, **kwargs)
        key = key_of(leaves), structure
        if key in self.eager:
            return self.function(*args, **kwargs)
        if len(self.programs) + len(self.eager) >= self.limit:
            self.report(
                f"more than {self.limit} programs for different arguments; this call "
                "and others like it run eagerly. Pass what varies as tensors, or raise "
                "`limit`"
            )
            return self.function(*args, **kwargs)
        try:
            program = captured(
                self.function, args, kwargs, leaves, structure, self.backend
            )
        except ImportError:
            raise
        except NotYet:
            return self.function(*args, **kwargs)
        except Exception as error:
            if self.fullgraph and isinstance(error, CaptureError):
                raise
            result = self.function(*args, **kwargs)  # the user's own errors arise here
            self.eager.append(key)
            self.report(f"runs eagerly: {error}")
            return result
        try:
            result = program.replay(args, kwargs)
        except Exception as error:
            result = self.instead(error, args, kwargs)
        if result is MISS:  # what it relies on was changed by the function itself
            self.eager.append(key)
            self.report("runs eagerly: what it reads changes from call to call")
            return self.function(*args, **kwargs)
        self.programs.append(program)
        return result

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
        parts = [program.explain() for program in self.programs]
        parts += ["runs eagerly"] * len(self.eager)
        return "\n\n".join([*parts, *self.reasons]) or "not called yet"
