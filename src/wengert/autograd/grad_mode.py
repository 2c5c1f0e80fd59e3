"""Switching recording on and off: context managers that are decorators as well."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Coroutine, Generator
from typing import Any, Self

from .. import modes


class Mode:
    """A context manager that sets one mode; called on a function, it decorates it."""

    name = "grad"

    def __init__(self, value: Any) -> None:
        self.value = value
        self.previous: list[Any] = []

    def __enter__(self) -> None:
        self.previous.append(modes.switch(self.name, self.value))

    def __exit__(self, *exception: object) -> None:
        modes.switch(self.name, self.previous.pop())

    def clone(self) -> Self:
        """Return another context manager that does the same."""
        return type(self)(self.value)

    def __call__(self, function: Callable[..., Any]) -> Callable[..., Any]:
        return decorate(self.clone, function)


class _Fixed(Mode):
    """A mode whose value is in its name; it decorates with or without parentheses."""

    fixed: Any

    def __new__(cls, function: Callable[..., Any] | None = None) -> Any:
        if function is not None:
            return cls()(function)
        return super().__new__(cls)

    def __init__(self, function: Callable[..., Any] | None = None) -> None:
        super().__init__(self.fixed)

    def clone(self) -> Self:
        return type(self)()


class no_grad(_Fixed):
    """Nothing is recorded inside; what is computed does not require grad.

    >>> import wengert as torch
    >>> x = torch.ones(1, requires_grad=True)
    >>> with torch.no_grad():
    ...     y = x * 2
    >>> y.requires_grad
    False
    """

    fixed = False


class enable_grad(_Fixed):
    """Ops are recorded inside, also within `no_grad`."""

    fixed = True


class set_grad_enabled(Mode):
    """Switch recording on or off: at once as a function, for a block as a context."""

    def __init__(self, mode: bool) -> None:
        if not isinstance(mode, bool):
            raise TypeError(
                "set_grad_enabled(): argument 'enabled' (position 1) must be bool, not "
                f"{type(mode).__name__}"
            )
        super().__init__(mode)
        self.mode = mode
        self.before = modes.switch(self.name, mode)

    def __enter__(self) -> None:
        self.previous.append(self.before)
        modes.switch(self.name, self.value)

    def __call__(self, function: Callable[..., Any]) -> Callable[..., Any]:
        modes.switch(self.name, self.before)
        return decorate(self.clone, function)

    def __str__(self) -> str:
        return f"torch.autograd.grad_mode.set_grad_enabled(mode={self.value})"


class set_multithreading_enabled(set_grad_enabled):
    """Accept what PyTorch has: backward runs in the thread that calls it, always."""

    name = "multithreading"


def is_multithreading_enabled() -> bool:
    """Return what `set_multithreading_enabled` has set."""
    return modes.local.multithreading


class inference_mode(Mode):
    """Like `no_grad` without tangents; what is made inside can never be recorded.

    Results of ops on constants from outside are the exception: they have no history
    either way, and are as outside.

    >>> import wengert as torch
    >>> with torch.inference_mode():
    ...     x = torch.ones(2)
    >>> x.is_inference()
    True
    """

    name = "inference"

    def __new__(cls, mode: Any = True) -> Any:
        if callable(mode):
            return cls()(mode)
        return super().__new__(cls)

    def __init__(self, mode: bool = True) -> None:
        super().__init__(mode)

    def __enter__(self) -> None:
        super().__enter__()
        for name in ("grad", "forward"):
            self.previous.append(modes.switch(name, not self.value))

    def __exit__(self, *exception: object) -> None:
        for name in ("forward", "grad"):
            modes.switch(name, self.previous.pop())
        super().__exit__()


def decorate(
    context: Callable[[], Any], function: Callable[..., Any]
) -> Callable[..., Any]:
    """Return the function run within a fresh context: a generator step by step."""
    if inspect.isclass(function):
        function.__init__ = decorate(context, function.__init__)  # type: ignore[method-assign]
        return function
    if inspect.isgeneratorfunction(function):
        return decorate_generator(context, function)
    if inspect.iscoroutinefunction(function):
        step_by_step = decorate_generator(context, start)

        @functools.wraps(function)
        async def awaited(*args: Any, **kwargs: Any) -> Any:
            return await Steps(step_by_step(function(*args, **kwargs)))

        return awaited

    @functools.wraps(function)
    def call(*args: Any, **kwargs: Any) -> Any:
        with context():
            return function(*args, **kwargs)

    return call


def start(coroutine: Coroutine[Any, Any, Any]) -> Any:
    """Return what takes the steps of a coroutine."""
    return coroutine.__await__()


class Steps:
    """Something to await, given the generator of its steps."""

    def __init__(self, generator: Generator[Any, Any, Any]) -> None:
        self.generator = generator

    def __await__(self) -> Generator[Any, Any, Any]:
        return self.generator


def decorate_generator(
    context: Callable[[], Any], function: Callable[..., Any]
) -> Callable[..., Any]:
    """Return a generator function whose steps, not its pauses, run within."""

    @functools.wraps(function)
    def generate(*args: Any, **kwargs: Any) -> Any:
        generator = function(*args, **kwargs)
        step, value = generator.send, None
        while True:
            try:
                with context():
                    item = step(value)
            except StopIteration as stop:
                return stop.value
            try:
                value = yield item
                step = generator.send
            except GeneratorExit:
                with context():
                    generator.close()
                raise
            except BaseException as error:
                step, value = generator.throw, error

    return generate
