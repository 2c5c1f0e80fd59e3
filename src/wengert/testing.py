"""`torch.testing`: comparing tensors in tests."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from .ops.data import as_tensor
from .tensor import Tensor

__all__ = ["assert_close"]

TOLERANCES = {
    "float16": (1e-3, 1e-5),
    "float32": (1.3e-6, 1e-5),
    "float64": (1e-7, 1e-7),
    "complex64": (1.3e-6, 1e-5),
    "complex128": (1e-7, 1e-7),
}
"""The relative and absolute tolerance for each dtype; integers must be equal."""


def assert_close(
    actual: Any,
    expected: Any,
    *,
    allow_subclasses: bool = True,
    rtol: float | None = None,
    atol: float | None = None,
    equal_nan: bool = False,
    check_device: bool = True,
    check_dtype: bool = True,
    check_layout: bool = True,
    check_stride: bool = False,
    msg: str | Callable[[str], str] | None = None,
) -> None:
    """Raise an error if ``|actual - expected| > atol + rtol |expected|`` anywhere.

    Args:
        actual, expected: tensors, arrays or numbers, or sequences and mappings of them.
        rtol, atol: the tolerances, given both or neither: they follow from the dtypes.
        equal_nan: whether NaN is close to NaN.
        check_dtype: whether the dtypes must be the same.
        check_stride: whether the strides must be.
        msg: the message, or a function that makes one of the usual message.

    Raises:
        AssertionError: they are not close.
        ValueError: one of the tolerances is given alone.

    >>> import wengert as torch
    >>> torch.testing.assert_close(torch.tensor([1.0]), torch.tensor([1.0 + 1e-7]))
    """
    if (rtol is None) != (atol is None):
        raise ValueError(
            "Both 'rtol' and 'atol' must be either specified or unspecified, but got "
            f"rtol={rtol} and atol={atol}"
        )
    for place, a, b in pairs(actual, expected, ""):
        found = difference(a, b, rtol, atol, equal_nan, check_dtype)
        if found is None and check_stride:
            found = differing("stride()", a.stride(), b.stride())
        if found is not None:
            where = f"\n\nThe failure occurred for item {place}" if place else ""
            text = found + where
            raise AssertionError(msg(text) if callable(msg) else msg or text)


def differing(name: str, a: Any, b: Any) -> str | None:
    """Return what is said of an attribute, if it is not the same."""
    if a == b:
        return None
    return f"The values for attribute '{name}' do not match: {a} != {b}."


def pairs(actual: Any, expected: Any, place: str) -> list[tuple[str, Tensor, Tensor]]:
    """Return the tensors that correspond, with their places in the containers."""
    if isinstance(actual, Mapping) and isinstance(expected, Mapping):
        if set(actual) != set(expected):
            raise AssertionError(
                "The keys of the mappings do not match: "
                f"{sorted(actual)} != {sorted(expected)}"
            )
        items = [(f"{place}[{key!r}]", actual[key], expected[key]) for key in actual]
    elif is_sequence(actual) and is_sequence(expected):
        if len(actual) != len(expected):
            raise AssertionError(
                f"The length of the sequences mismatch: {len(actual)} != "
                f"{len(expected)}"
            )
        both = enumerate(zip(actual, expected, strict=True))
        items = [(f"{place}[{i}]", a, b) for i, (a, b) in both]
    else:
        return [(place, as_tensor(actual), as_tensor(expected))]
    return [pair for where, a, b in items for pair in pairs(a, b, where)]


def is_sequence(value: Any) -> bool:
    return isinstance(value, Sequence) and not isinstance(value, str)


def difference(
    actual: Tensor,
    expected: Tensor,
    rtol: float | None,
    atol: float | None,
    equal_nan: bool,
    check_dtype: bool,
) -> str | None:
    """Return what is not the same of two tensors, if anything."""
    found = differing("shape", actual.shape, expected.shape)
    if found is None and check_dtype:
        found = differing("dtype", actual.dtype, expected.dtype)
    if found is not None:
        return found
    if rtol is None or atol is None:
        both = [TOLERANCES.get(t.dtype.name, (0.0, 0.0)) for t in (actual, expected)]
        rtol, atol = max(both[0][0], both[1][0]), max(both[0][1], both[1][1])
    a, b = [np.asarray(t.detach().numpy()) for t in (actual, expected)]
    close = np.isclose(a, b, rtol, atol, equal_nan)
    return None if close.all() else mismatch(a, b, close, rtol, atol)


def mismatch(a: Any, b: Any, close: Any, rtol: float, atol: float) -> str:
    """Return how much differs, and where most."""
    exact = rtol == atol == 0
    verdict = "not equal!" if exact else "not close!"
    if not a.ndim:
        a, b = a.item(), b.item()
        sizes = [("Absolute", abs(a - b), atol)]
        sizes += [("Relative", abs(a - b) / abs(b) if b else np.inf, rtol)]
        lines = [f"Scalars are {verdict}", "", f"Expected {b} but got {a}."]
        lines += [f"{name} difference: {x}{up_to(y, exact)}" for name, x, y in sizes]
        return "\n".join(lines)
    if a.dtype.kind in "biu":
        a, b = a.astype(np.int64), b.astype(np.int64)
    absolute = np.abs(a - b)
    with np.errstate(divide="ignore", invalid="ignore"):
        relative = absolute / np.abs(b)
    if a.dtype.kind in "iu":
        relative = relative.astype(np.float32)
    wrong = int((~close).sum())
    share = f"{wrong} / {close.size} ({100 * wrong / close.size:.1f}%)"
    lines = [f"Tensor-likes are {verdict}", "", f"Mismatched elements: {share}"]
    for name, values, limit in (
        ("absolute", absolute, atol),
        ("relative", relative, rtol),
    ):
        values = np.where(close, values.dtype.type(0), values)
        place = np.unravel_index(int(np.argmax(values)), values.shape)
        at = tuple([int(i) for i in place])
        most = f"Greatest {name} difference: {values[place].item()} at index {at}"
        lines.append(most + up_to(limit, exact))
    return "\n".join(lines)


def up_to(limit: float, exact: bool) -> str:
    return "" if exact else f" (up to {limit} allowed)"
