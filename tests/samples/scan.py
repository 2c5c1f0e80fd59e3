"""Samples of the ops that run along a dimension."""

from __future__ import annotations

from typing import Any

import numpy as np

from . import Sample
from .reduction import NAN, TIES, along, keyword, one_zero, zeros


def rising(rng: np.random.Generator) -> np.ndarray:
    return np.cumsum(rng.uniform(0.1, 1, 5))


def cumulative_extremes(name: str) -> list[Sample]:
    return [
        along(name, 0, dtypes="fhib"),
        along(name, 1, inputs=[(2, 5, 3)]),
        along(name, 1, label=f"{name}_ties", **TIES),
        along(name, 1, label=f"{name}_nan", **NAN),
        along(name, 0, label=f"{name}_of_scalar", inputs=[()]),
    ]


def trapezoid(name: str, y: Any, x: Any, dim: int = -1) -> Sample:
    """Return a sample with the points' places, whose last node is PyTorch's own."""
    return Sample(
        f"{name}_x_{y}_{'vector' if callable(x) else x}_{dim}",
        lambda t, y, x: getattr(t, name)(y, x, dim=dim),
        [y, x],
        grad_fn=False,
    )


def slope(label: str, **kwargs: Any) -> Sample:
    return Sample(
        f"gradient_{label}", lambda t, x: t.gradient(x, **kwargs), grad_fn=False
    )


SAMPLES = [
    along("cumsum", 0, dtypes="fhibc"),
    along("cumsum", -1, dtypes="fhibc", inputs=[(2, 3, 4)]),
    along("cumsum", 0, label="cumsum_of_scalar", inputs=[()], dtypes="fi"),
    along("cumsum", 0, label="cumsum_empty", inputs=[(0, 3)]),
    keyword("cumsum", {}, axis=1),
    Sample("cumsum_dtype", lambda t, x: x.cumsum(0, dtype=t.float64), dtypes="fi"),
    along("cumsum", 1, label="cumsum_wide", inputs=[(2, 5, 70)], dtypes="fhibc"),
    along("cumsum", 0, label="cumsum_long", inputs=[(5000,)], second=False),
    along("cumprod", 0, dtypes="fhibc"),
    along("cumprod", 1, dtypes="fhibc", inputs=[(2, 3, 4)]),
    along("cumprod", 0, label="cumprod_of_scalar", inputs=[()]),
    along("cumprod", 0, label="cumprod_empty", inputs=[(0, 3)]),
    Sample("cumprod_one_zero", lambda t, x: x.cumprod(1), [one_zero], dtypes="fc"),
    Sample("cumprod_zeros", lambda t, x: x.cumprod(1), [zeros], dtypes="fc"),
    Sample("cumprod_long", lambda t, x: x.cumprod(0), [(50,)], domain=(0.8, 1.2)),
    along("logcumsumexp", 0, dtypes="fc"),
    along("logcumsumexp", 1, inputs=[(2, 3, 4)]),
    along("logcumsumexp", 0, label="logcumsumexp_of_scalar", inputs=[()]),
    along("logcumsumexp", 0, label="logcumsumexp_large", domain=(-1000, 1000)),
    *cumulative_extremes("cummax"),
    *cumulative_extremes("cummin"),
    along("diff", dtypes="fhib"),
    along("diff", 2, 0, dtypes="fi"),
    Sample(
        "diff_none",
        lambda t, x, y: t.diff(x, 0, prepend=y),
        [(3, 4), (3, 4)],
        grad_fn=False,
    ),
    along("diff", 9, label="diff_to_nothing"),
    Sample(
        "diff_extended",
        lambda t, x, y, z: t.diff(x, prepend=y, append=z),
        [(3, 4), (3, 1), (3, 2)],
    ),
    along("trapezoid", grad_fn=False),
    keyword("trapezoid", {"grad_fn": False}, dx=0.5, dim=0),
    trapezoid("trapezoid", (3, 5), rising),
    trapezoid("trapezoid", (5, 3), rising, dim=0),
    trapezoid("trapezoid", (3, 5), (3, 5)),
    along("cumulative_trapezoid", grad_fn=False),
    keyword("cumulative_trapezoid", {"grad_fn": False}, dx=0.5, dim=0),
    trapezoid("cumulative_trapezoid", (3, 5), rising),
    trapezoid("cumulative_trapezoid", (3, 5), (3, 5)),
    slope("plain"),
    slope("spaced", spacing=[0.5, 2.0]),
    slope("along", dim=1, spacing=0.5),
    slope("quadratic_edges", edge_order=2),
    Sample(
        "gradient_places",
        lambda t, y, x: t.gradient(y, spacing=(x,), dim=1, edge_order=2),
        [(3, 5), np.array([0.0, 1, 3, 4, 8])],
        second=False,
        grad_fn=False,
    ),
]
