"""One table of op samples: a row is an op called once, and gets every check.

A family's file holds ``SAMPLES``, a list of `Sample`. `test_ops.py` calls each with
PyTorch and with Wengert and compares values, dtypes, gradients, second derivatives and
names.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from importlib import import_module
from pkgutil import iter_modules
from typing import Any

import numpy as np

Make = Callable[[np.random.Generator], np.ndarray]

KINDS = {
    "f": ("float32", "float64"),
    "h": ("float16",),
    "i": ("int64", "uint8"),
    "b": ("bool",),
    "c": ("complex64", "complex128"),
}
"""What the letters of `Sample.dtypes` stand for."""


@dataclass(frozen=True)
class Sample:
    """A call of an op and what to check of it.

    Attributes:
        name: unique in its family; begins with the op's name.
        call: takes ``torch`` (the oracle or Wengert) and a tensor for each input.
        inputs: for each input a shape, or an array, or a function of a random generator
            that makes one. Arrays of floats (and of shapes) take the dtypes under test;
            those of integers and bools (indices, masks) stay as they are.
        domain: the bounds between which elements are drawn.
        dtypes: letters of `KINDS`: the dtypes that the forward is tested in.
        grad: whether first derivatives are checked, in double precision.
        second: whether second derivatives are.
        smooth: whether finite differences are compared, too.
        pointwise: whether the op works element by element, so that it can be checked
            with empty, dimensionless and broadcast inputs.
        grad_fn: whether the name of the result's node is PyTorch's.
        tolerance: multiplies the tolerances.
    """

    name: str
    call: Callable[..., Any]
    inputs: Sequence[Any] = ((3, 4),)
    domain: tuple[float, float] = (-2.0, 2.0)
    dtypes: str = "f"
    grad: bool = True
    second: bool = True
    smooth: bool = True
    pointwise: bool = False
    grad_fn: bool = True
    tolerance: float = 1.0

    def arrays(
        self, dtype: str, shapes: Sequence[tuple[int, ...]] | None = None
    ) -> list[np.ndarray]:
        """Return the inputs in a dtype, always the same ones."""
        rng = np.random.default_rng(zlib.crc32(self.name.encode()))
        made = []
        for index, item in enumerate(self.inputs):
            if shapes is not None and isinstance(item, tuple):
                item = shapes[index]
            made.append(self.array(item, np.dtype(dtype), rng))
        return made

    def array(
        self, item: Any, dtype: np.dtype[Any], rng: np.random.Generator
    ) -> np.ndarray:
        """Return one input."""
        if isinstance(item, tuple):
            return self.draw(item, dtype, rng)
        array = np.asarray(item(rng) if callable(item) else item)
        return array.astype(dtype) if array.dtype.kind in "fc" else array

    def draw(
        self, shape: tuple[int, ...], dtype: np.dtype[Any], rng: np.random.Generator
    ) -> np.ndarray:
        """Return random elements of the domain."""
        low, high = self.domain
        if dtype.kind == "b":
            return rng.integers(0, 2, shape).astype(bool)
        if dtype.kind in "iu":
            low = 0 if dtype.kind == "u" and low < 0 else low
            first, last = np.ceil(low * 2), np.floor(high * 2)
            return rng.integers(int(first), int(last) + 1, shape).astype(dtype)
        array = rng.uniform(low, high, shape)
        if dtype.kind == "c":
            array = array + 1j * rng.uniform(low, high, shape)
        return np.asarray(array).astype(dtype)

    def names_of_dtypes(self) -> list[str]:
        """Return the dtypes that the forward is tested in."""
        return [name for kind in self.dtypes for name in KINDS[kind]]


def families() -> Iterator[tuple[str, Sample]]:
    """Yield every sample with the name of its family."""
    for module in sorted(info.name for info in iter_modules(__path__)):
        samples: list[Sample] = import_module(f"{__name__}.{module}").SAMPLES
        names = [sample.name for sample in samples]
        twice = {name for name in names if names.count(name) > 1}
        if twice:
            raise ValueError(f"samples of {module} with the same name: {sorted(twice)}")
        for sample in samples:
            yield module, sample
