"""What the op samples of the tests show: how primitives are traced, which are complex.

Each sample, with its gradient, is captured by the compiler, and mapped over complex
numbers where it takes them; what becomes of every primitive on the way is noted.
"""

from __future__ import annotations

import functools
import warnings
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import Any

import numpy as np

import wengert as torch
from tests.samples import Sample, families
from wengert.compiler import capture
from wengert.compiler.symbol import Untraceable
from wengert.layers.batched import Batched
from wengert.primitive import Primitive

Seen = dict[str, set[str]]
COMPLEX = (torch.complex64, torch.complex128, np.complex64, np.complex128)


@functools.cache
def traced() -> Seen:
    """Return what the compiler makes of each primitive."""
    seen: Seen = defaultdict(set)
    with noting_captures(seen):
        for sample in samples_of("float64"):
            inputs = inputs_of(sample, "float64")
            torch.compile(with_gradient(sample), backend="numpy")(*inputs)
    return seen


@functools.cache
def complex_() -> set[str]:
    """Return the primitives that compute with complex numbers."""
    seen: set[str] = set()
    with noting_complex(seen):
        for sample in samples_of("complex128"):
            rows = [x.unsqueeze(0) for x in inputs_of(sample, "complex128")]
            # not every sample can be mapped, but what has been met by then counts
            with suppress(RuntimeError, TypeError, ValueError):
                torch.func.vmap(with_gradient(sample), randomness="same")(*rows)
    return seen


def samples_of(dtype: str) -> Iterator[Sample]:
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        for _, sample in families():
            if dtype in sample.names_of_dtypes():
                yield sample


def inputs_of(sample: Sample, dtype: str) -> list[Any]:
    inputs = [torch.from_numpy(array) for array in sample.arrays(dtype)]
    for x in inputs:
        differentiable = x.dtype.is_floating_point or x.dtype.is_complex
        x.requires_grad_(sample.grad and differentiable)
    return inputs


def with_gradient(sample: Sample) -> Callable[..., Any]:
    """Return a function that calls a sample, and records its gradient."""

    def call(*inputs: Any) -> Any:
        result = sample.call(torch, *inputs)
        results = result if isinstance(result, tuple | list) else (result,)
        leaves = [x for x in inputs if x.requires_grad]
        smooth = [x for x in results if isinstance(x, torch.Tensor) and x.requires_grad]
        if smooth and leaves:
            grads = [torch.ones_like(x).requires_grad_() for x in smooth]
            torch.autograd.grad(
                smooth, leaves, grads, allow_unused=True, create_graph=sample.second
            )
        return result

    return call


@contextmanager
def noting_captures(seen: Seen) -> Iterator[None]:
    """Note what becomes of the primitives that are captured inside."""
    lowered = capture.lowered

    def noted(primitive: Primitive, args: list[Any], params: dict[str, Any]) -> Any:
        try:
            results = lowered(primitive, args, params)
        except Untraceable:
            seen[primitive.name].add("composed" if primitive.decomposition else "call")
            raise
        seen[primitive.name].add("kernel")
        return results

    capture.lowered = noted
    try:
        yield
    finally:
        capture.lowered = lowered


@contextmanager
def noting_complex(seen: set[str]) -> Iterator[None]:
    """Note the primitives that compute with complex numbers under vmap inside."""
    process = Batched.process

    def noted(
        primitive: Primitive, level: int, args: Sequence[Any], params: Any
    ) -> Any:
        results = process(primitive, level, args, params)
        if any(getattr(arg, "dtype", None) in COMPLEX for arg in args):
            seen.add(primitive.name)
        return results

    Batched.process = noted
    try:
        yield
    finally:
        Batched.process = process
