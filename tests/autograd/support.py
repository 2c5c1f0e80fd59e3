"""Running one program with Wengert and with PyTorch, and comparing what it logs."""

from __future__ import annotations

import functools
import inspect
import re
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch

import wengert

ADDRESS = re.compile(r" object at 0x[0-9a-f]+")
MODULES = re.compile(r"\b(torch|wengert)(\.[a-z_]+)*\.(?=[A-Z])")


class Log:
    """What a program has to say, in a form that does not tell which library ran it."""

    def __init__(self) -> None:
        self.entries: list[Any] = []

    def __call__(self, *values: Any) -> None:
        self.entries += [neutral(value) for value in values]

    def error(self, function: Callable[..., Any], *args: Any) -> None:
        """Log the exception that a call raises, or else its result."""
        try:
            result = function(*args)
        except Exception as error:
            self(type(error).__name__, str(error))
        else:
            self("no error", result)


def neutral(value: Any) -> Any:
    """Return a value without what differs between the libraries by nature."""
    if isinstance(value, torch.Tensor | wengert.Tensor):
        plain = value.detach()
        if isinstance(plain, torch.Tensor):
            plain = plain.resolve_conj().resolve_neg()
        array = np.array(plain.tolist(), dtype=object)
        dtype = str(value.dtype).rpartition(".")[2]
        return dtype, tuple(value.shape), value.requires_grad, array.tolist()
    if isinstance(value, str):
        first = value.partition("\nException raised from")[0]
        return MODULES.sub("", ADDRESS.sub("", first))
    if isinstance(value, type):
        return value.__name__
    if isinstance(value, tuple | list):
        return [neutral(item) for item in value]
    if isinstance(value, dict):
        return {key: neutral(item) for key, item in value.items()}
    if isinstance(value, torch.Size | wengert.Size):
        return tuple(value)
    if isinstance(value, torch.dtype | wengert.dtype):
        return str(value).rpartition(".")[2]
    if value is None or isinstance(value, int | float | complex):
        return value
    return neutral(repr(value))


def side_by_side(program: Callable[..., None]) -> Callable[..., None]:
    """Turn ``program(t, log, ...)`` into a test that runs it with both libraries."""

    @functools.wraps(program)
    def test(**arguments: Any) -> None:
        ours, theirs = Log(), Log()
        program(torch, theirs, **arguments)
        try:
            program(wengert, ours, **arguments)
        except Exception as error:
            error.add_note(f"after {ours.entries}, where PyTorch says {theirs.entries}")
            raise
        assert_same(ours.entries, theirs.entries)

    signature = inspect.signature(program)
    parameters = list(signature.parameters.values())[2:]
    test.__signature__ = signature.replace(parameters=parameters)  # type: ignore[attr-defined]
    del test.__wrapped__  # type: ignore[attr-defined]
    return test


def assert_same(ours: Any, theirs: Any, where: str = "log") -> None:
    """Compare logs entry by entry; numbers may differ by rounding."""
    if isinstance(theirs, list | tuple) and isinstance(ours, list | tuple):
        for index, pair in enumerate(zip(ours, theirs, strict=False)):
            assert_same(*pair, f"{where}[{index}]")
        same = len(ours) == len(theirs)
    elif isinstance(theirs, float | complex) and isinstance(ours, float | complex):
        same = bool(np.isclose(ours, theirs, rtol=1e-5, atol=1e-7, equal_nan=True))
    else:
        same = ours == theirs
    if not same:
        pytest.fail(f"{where}: ours {ours!r}, theirs {theirs!r}", pytrace=False)
