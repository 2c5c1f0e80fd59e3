"""The text of a tensor, character by character PyTorch's.

A tour. `format_array` turns an array into nested brackets in two steps: `_texts` gives
all numbers one style and one width, and `_nest` puts them into lines. Of an array with
more elements than `threshold`, both only see the edges, which `_edges` takes out.
`tensor_repr` puts the text between a prefix and what else there is to say: size, dtype,
grad_fn.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from typing import Any

import numpy as np

from . import dtypes


class PrintOptions:
    """What `set_printoptions` sets; see there."""

    __slots__ = ("precision", "threshold", "edgeitems", "linewidth", "sci_mode")

    def __init__(self) -> None:
        self.precision = 4
        self.threshold: float = 1000
        self.edgeitems = 3
        self.linewidth = 80
        self.sci_mode: bool | None = None


options = PrintOptions()

_PROFILES: dict[str, dict[str, float]] = {
    "default": {"precision": 4, "threshold": 1000, "edgeitems": 3, "linewidth": 80},
    "short": {"precision": 2, "threshold": 1000, "edgeitems": 2, "linewidth": 80},
    "full": {"precision": 4, "threshold": math.inf, "edgeitems": 3, "linewidth": 80},
}


def set_printoptions(
    precision: int | None = None,
    threshold: float | None = None,
    edgeitems: int | None = None,
    linewidth: int | None = None,
    profile: str | None = None,
    sci_mode: bool | None = None,
) -> None:
    """Set how tensors are printed. What is None keeps its value, except `sci_mode`.

    Args:
        precision: the digits after the point (at first 4).
        threshold: tensors of more elements are summarized (1000).
        edgeitems: the elements shown at both ends of a summarized dimension (3).
        linewidth: the characters of a line (80).
        profile: `"default"`, `"short"` or `"full"`: values for all of the above.
        sci_mode: whether floats are printed as `1.5000e+00`; None looks at the values.

    >>> set_printoptions(precision=2)
    >>> print(format_array(np.array([0.125, 3.0]), 0))
    [0.12, 3.00]
    >>> set_printoptions(profile="default")
    """
    chosen = {
        "precision": precision,
        "threshold": threshold,
        "edgeitems": edgeitems,
        "linewidth": linewidth,
    }
    if profile is not None:
        for name, value in _PROFILES.get(profile, {}).items():
            setattr(options, name, value)
    for name, choice in chosen.items():
        if choice is not None:
            setattr(options, name, choice)
    options.sci_mode = sci_mode


def tensor_repr(
    array: np.ndarray[Any, Any],
    *,
    prefix: str = "tensor(",
    device: str = "cpu",
    suffixes: Iterable[str] = (),
) -> str:
    """Return the text of a tensor.

    Args:
        array: the values.
        prefix: what the text opens with; further lines are indented by its length.
        device: where the tensor is; said, when it is not the CPU.
        suffixes: what follows the values, size and dtype: `"requires_grad=True"`,
            `"grad_fn=<AddBackward0>"`.

    >>> tensor_repr(np.array([1.5, 2.0]), suffixes=["requires_grad=True"])
    'tensor([1.5000, 2.0000], dtype=torch.float64, requires_grad=True)'
    """
    values = format_array(array, len(prefix))
    where = [] if device == "cpu" else [f"device='{device}'"]
    return join_suffixes(prefix, values, [*where, *_size_and_dtype(array), *suffixes])


def _size_and_dtype(array: np.ndarray[Any, Any]) -> Iterator[str]:
    """Say what the values do not show."""
    dtype = dtypes.from_numpy(array.dtype)
    default = dtypes.get_default_dtype()
    obvious: tuple[dtypes.dtype, ...] = (default,)
    if array.size:
        double = default is dtypes.float64
        default_complex = dtypes.complex128 if double else dtypes.complex64
        obvious = (default, default_complex, dtypes.int64, dtypes.bool_)
    elif array.ndim != 1:
        yield f"size={array.shape}"
    if array.size and options.edgeitems == 0:
        yield f"size={array.shape}"
    if dtype not in obvious:
        yield f"dtype={dtype}"


def join_suffixes(prefix: str, values: str, suffixes: Iterable[str]) -> str:
    """Return prefix, values and suffixes with the closing bracket.

    A suffix that does not fit into the line starts a new one below the values.
    """
    text = prefix + values
    indent = " " * len(prefix)
    column = len(text) - text.rfind("\n") + 1
    for suffix in suffixes:
        if column + len(suffix) + 2 > options.linewidth:
            text += f",\n{indent}{suffix}"
            column = len(indent) + len(suffix)
        else:
            text += f", {suffix}"
            column += len(suffix) + 2
    return text + ")"


def format_array(array: np.ndarray[Any, Any], indent: int) -> str:
    """Return an array's values in brackets.

    Args:
        array: booleans, integers, floats or complex numbers.
        indent: by how many characters lines after the first are indented.

    >>> print(format_array(np.array([[1.0, -2.5], [np.nan, 300.0]]), 0))
    [[  1.0000,  -2.5000],
     [     nan, 300.0000]]
    """
    if array.size == 0:
        return "[]"
    summarized = array.size > options.threshold
    shown = _edges(array) if summarized else array
    texts, width = _texts(shown.ravel().tolist(), array.dtype.kind)
    return _nest(array.shape, iter(texts), indent, width, summarized)


def _edges(array: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    edge = options.edgeitems
    for axis, size in enumerate(array.shape):
        if size > 2 * edge:
            array = array.take([*range(edge), *range(size - edge, size)], axis)
    return array


# --- the numbers ----------------------------------------------------------------------


def _texts(values: list[Any], kind: str) -> tuple[list[str], int]:
    """Return all values in one style, and the width that a line counts for each."""
    if kind == "c":
        return _complex_texts(values)
    if kind == "f":
        write, width = _float_style(values)
        return [write(value).rjust(width) for value in values], width
    texts = [str(value) for value in values]
    width = max(map(len, texts), default=0)
    return [text.rjust(width) for text in texts], width


def _complex_texts(values: list[complex]) -> tuple[list[str], int]:
    """Give the real and the imaginary parts a style each, and align the real parts."""
    reals, real_width = _texts([value.real for value in values], "f")
    imaginaries, imaginary_width = _texts([value.imag for value in values], "f")
    texts = []
    for real, padded in zip(reals, imaginaries, strict=True):
        imaginary = padded.lstrip()
        sign = "" if imaginary.startswith("-") else "+"
        texts.append(f"{real}{sign}{imaginary}j")
    return texts, real_width + imaginary_width + 1


def _float_style(values: list[float]) -> tuple[Callable[[float], str], int]:
    """Return the way to write these floats, and the width of the longest.

    Zeros and what is not finite have no say in it, and may be longer.
    """
    telling = [value for value in values if value and math.isfinite(value)]
    if not telling:
        return _write_integral, 1
    write = _float_writer(list(map(abs, telling)))
    return write, max(len(write(value)) for value in telling)


def _float_writer(sizes: list[float]) -> Callable[[float], str]:
    low, high = min(sizes), max(sizes)
    integral = all(map(float.is_integer, sizes))
    scientific = options.sci_mode
    if scientific is None:
        too_small = low < 1e-4 and not integral
        scientific = high / low > 1000 or high > 1e8 or too_small
    if integral and not scientific:
        return _write_integral
    return f"{{:.{options.precision}{'e' if scientific else 'f'}}}".format


def _write_integral(value: float) -> str:
    return f"{value:.0f}." if math.isfinite(value) else str(value)


# --- the lines ------------------------------------------------------------------------


def _nest(
    shape: tuple[int, ...],
    texts: Iterator[str],
    indent: int,
    width: int,
    summarized: bool,
) -> str:
    """Return the next texts in the brackets of an array of this shape."""
    if not shape:
        return next(texts)
    size, *inner = shape
    edge = options.edgeitems
    cut = summarized and size > 2 * edge
    count = 2 * edge if cut else size
    if not inner:
        items = list(islice(texts, count))
        if cut:
            items.insert(edge, " ..." if edge else "...")
        return f"[{_wrap(items, indent, width)}]"
    shape = tuple(inner)
    rows = [_nest(shape, texts, indent + 1, width, summarized) for _ in range(count)]
    if cut:
        rows.insert(edge, "...")
    gap = "," + "\n" * len(shape) + " " * (indent + 1)
    return f"[{gap.join(rows)}]"


def _wrap(items: list[str], indent: int, width: int) -> str:
    per_line = max(1, (options.linewidth - indent) // (width + 2))
    if len(items) <= per_line:
        return ", ".join(items)
    starts = range(0, len(items), per_line)
    lines = [", ".join(items[start : start + per_line]) for start in starts]
    return f",\n{' ' * (indent + 1)}".join(lines)
