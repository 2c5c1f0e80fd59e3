"""Modules that are one function and its options: activations, losses, pooling."""

from __future__ import annotations

from collections.abc import Callable
from inspect import get_annotations
from typing import Any, ClassVar, dataclass_transform

from .module import Module


@dataclass_transform()
class OfFunction(Module):
    """A module that calls a function with its options.

    A subclass that names a function and has annotated options, such as

        class ELU(OfFunction):
            function = F.elu
            alpha: float = 1.0
            inplace: bool = False

    gets the methods that one would write by hand:

        def __init__(self, alpha=1.0, inplace=False):
            super().__init__()
            self.alpha = alpha
            self.inplace = inplace
            self.settle()

        def forward(self, input):
            return function(input, alpha=self.alpha, inplace=self.inplace)

    Attributes:
        function: what is called.
        inputs: the names of the arguments of `forward`; one with a default, such as
            "output_size=None", is passed by its name.
        passed: the attributes that are passed to the function; all options by default.
        shown: the options that are printed; all by default.
    """

    function: ClassVar[Callable[..., Any]]
    inputs: ClassVar[tuple[str, ...]] = ("input",)
    passed: ClassVar[tuple[str, ...] | None] = None
    shown: ClassVar[tuple[str, ...] | None] = None
    options: ClassVar[tuple[str, ...]] = ()

    def __init_subclass__(cls) -> None:
        super().__init_subclass__()
        if "function" not in cls.__dict__:
            return
        cls.options = options = tuple(get_annotations(cls))
        defaults = {
            name: cls.__dict__[name] for name in options if name in cls.__dict__
        }
        for name in defaults:
            delattr(cls, name)
        passed = options if cls.passed is None else cls.passed
        names: dict[str, Any] = {
            "function": cls.function,
            "defaults": defaults,
            "Module": Module,
        }
        exec(source(cls.inputs, options, passed, defaults), names)
        for method in ("__init__", "forward"):
            if method not in cls.__dict__:
                written = names[method]
                written.__qualname__ = f"{cls.__qualname__}.{method}"
                written.__module__ = cls.__module__
                setattr(cls, method, written)
        cls.forward.__doc__ = "Call the function."

    def settle(self) -> None:
        """Check the options, or complete them: called when they are set."""

    def extra_repr(self) -> str:
        shown = self.options if self.shown is None else self.shown
        return ", ".join(
            [
                f"{name}={getattr(self, name)!r}"
                for name in shown
                if name != "inplace" or self.inplace
            ]
        )


def source(
    inputs: tuple[str, ...],
    options: tuple[str, ...],
    passed: tuple[str, ...],
    defaults: dict[str, Any],
) -> str:
    """Return the text of the methods of `OfFunction`."""
    parameters = [
        f"{name}=defaults[{name!r}]" if name in defaults else name for name in options
    ]
    given = [
        f"{name}={name}" if default else name
        for name, default, _ in [text.partition("=") for text in inputs]
    ]
    arguments = [*given, *[f"{name}=self.{name}" for name in passed]]
    return "\n".join(
        [
            f"def __init__({', '.join(['self', *parameters])}):",
            "    Module.__init__(self)",
            *[f"    self.{name} = {name}" for name in options],
            "    self.settle()",
            f"def forward({', '.join(['self', *inputs])}):",
            f"    return function({', '.join(arguments)})",
        ]
    )
