"""Samples of the ops that work element by element."""

from __future__ import annotations

from typing import Any

from . import Sample


def unary(name: str, **settings: Any) -> Sample:
    """Return a sample of a function of one tensor."""
    settings = {"pointwise": True, **settings}
    return Sample(name, lambda t, x: getattr(t, name)(x), **settings)


def binary(name: str, **settings: Any) -> Sample:
    """Return a sample of a function of two tensors."""
    settings = {"pointwise": True, "inputs": ((3, 4), (3, 4)), **settings}
    return Sample(name, lambda t, x, y: getattr(t, name)(x, y), **settings)


SAMPLES = [
    binary("add", dtypes="fhibc"),
    binary("sub", dtypes="fhic"),
    binary("mul", dtypes="fhibc"),
    binary("div", dtypes="fhic", domain=(1, 3)),
    unary("exp", dtypes="fhibc"),
    unary("tanh", dtypes="fhibc"),
]
