"""Samples of the ops that take dimensions away."""

from __future__ import annotations

from typing import Any

import numpy as np

from . import Sample


def whole(name: str, label: str = "", **settings: Any) -> Sample:
    """Return a sample of an op of all elements."""
    return Sample(
        label or f"{name}_whole", lambda t, x: getattr(t, name)(x), **settings
    )


def along(name: str, *args: Any, label: str = "", **settings: Any) -> Sample:
    """Return a sample of an op with positional arguments."""
    label = label or "_".join([name, *map(str, args)])
    return Sample(label, lambda t, x: getattr(t, name)(x, *args), **settings)


def keyword(name: str, settings: dict[str, Any], **kwargs: Any) -> Sample:
    """Return a sample of an op with keyword arguments."""
    label = "_".join([name, *[f"{k}={v}" for k, v in kwargs.items()]])
    return Sample(label, lambda t, x: getattr(t, name)(x, **kwargs), **settings)


def ties(rng: np.random.Generator) -> np.ndarray:
    """Return floats of which many are equal."""
    return rng.integers(-1, 2, (4, 5)).astype(float)


def zeros(rng: np.random.Generator) -> np.ndarray:
    """Return rows without zeros, with one, and with several."""
    array = rng.uniform(0.5, 2, (4, 5))
    array[1, 2] = array[2, 0] = array[2, 3] = array[3] = 0
    return array


def with_nan(rng: np.random.Generator) -> np.ndarray:
    array = rng.uniform(-1, 1, (4, 5))
    array[1, 2] = array[3, 0] = np.nan
    array[2] = np.nan
    return array


def one_zero(rng: np.random.Generator) -> np.ndarray:
    array = rng.uniform(0.5, 2, (2, 3))
    array[1, 1] = 0
    return array


THREE: dict[str, Any] = {"inputs": [(2, 3, 4)]}
SCALAR: dict[str, Any] = {"inputs": [()]}
TIES: dict[str, Any] = {"inputs": [ties], "smooth": False}
NAN: dict[str, Any] = {"inputs": [with_nan], "smooth": False}


def sums(name: str, dtypes: str) -> list[Sample]:
    def method(
        label: str, call: Any, shape: tuple[int, ...], **settings: Any
    ) -> Sample:
        return Sample(
            f"{name}_{label}",
            lambda t, x: call(getattr(x, name), t),
            [shape],
            **settings,
        )

    return [
        whole(name, dtypes=dtypes),
        along(name, 0, dtypes=dtypes),
        along(name, -1, True, dtypes=dtypes),
        along(name, (0, 2), **THREE, dtypes=dtypes),
        along(name, [2, 0], True, **THREE),
        along(name, (), dtypes=dtypes),
        along(name, 0, label=f"{name}_of_scalar", **SCALAR),
        keyword(name, {}, dim=1, keepdim=True),
        keyword(name, {}, axis=1, keepdims=True),
        along(
            name, 0, label=f"{name}_empty", inputs=[(0, 3)], dtypes=dtypes, smooth=False
        ),
        along(name, 0, label=f"{name}_large", inputs=[(120, 90)], second=False),
        method("dtype", lambda f, t: f(0, dtype=t.float64), (3, 4), dtypes="fhib"),
    ]


def extremes(name: str) -> list[Sample]:
    return [
        whole(name, dtypes="fhib"),
        along(name, 0, dtypes="fhib"),
        along(name, (0, 2), True, **THREE),
        along(name, 1, label=f"{name}_ties", **TIES),
        along(name, 0, label=f"{name}_of_scalar", **SCALAR),
    ]


def largest_or_smallest(name: str) -> list[Sample]:
    def pairs(t: Any, x: Any, y: Any) -> Any:
        return getattr(t, name)(x, y)

    return [
        whole(name, dtypes="fhib"),
        whole(name, label=f"{name}_ties", **TIES),
        whole(name, label=f"{name}_nan", **NAN),
        along(name, 0, dtypes="fhib"),
        along(name, -1, True, dtypes="fhib"),
        along(name, 1, label=f"{name}_dim_ties", **TIES),
        along(name, 1, label=f"{name}_dim_nan", **NAN),
        along(name, 0, label=f"{name}_of_scalar", **SCALAR),
        along(name, 1, True, label=f"{name}_of_three", **THREE),
        Sample(f"{name}_of_pairs", pairs, [(3, 4), (4,)]),
    ]


def indices(name: str) -> list[Sample]:
    return [
        whole(name, dtypes="fhi", grad=False),
        along(name, 1, dtypes="fhi", grad=False),
        along(name, 0, True, dtypes="fhi", grad=False),
        along(name, None, True, dtypes="fhi", grad=False),
        along(name, 1, label=f"{name}_nan", grad=False, **NAN),
        along(name, 1, label=f"{name}_ties", grad=False, **TIES),
        along(name, 0, label=f"{name}_of_scalar", grad=False, **SCALAR),
    ]


def truths(name: str) -> list[Sample]:
    return [
        whole(name, dtypes="fhibc", grad=False),
        along(name, 1, dtypes="fhibc", grad=False),
        along(name, (0, 1), True, grad=False, dtypes="fb"),
        along(name, (), grad=False, dtypes="fb"),
    ]


SAMPLES = [
    *sums("sum", "fhibc"),
    *sums("mean", "fhc")[:-1],
    *sums("nansum", "fhib"),
    Sample("mean_dtype", lambda t, x: x.mean(0, dtype=t.float64), dtypes="fhib"),
    Sample("sum_transposed", lambda t, x: x.transpose(0, 2)[:, 1:].sum(1), [(2, 3, 4)]),
    whole("nanmean", **NAN),
    along("nanmean", 0, **NAN),
    along("nansum", 1, label="nansum_of_nan", **NAN),
    Sample("sum_to_size", lambda t, x: x.sum_to_size(1, 4), [(2, 3, 4)]),
    Sample("sum_to_size_same", lambda t, x: x.sum_to_size((3, 4)) * 2),
    # products
    whole("prod", dtypes="fhibc"),
    along("prod", 0, dtypes="fhibc"),
    along("prod", 1, True, dtypes="fhibc"),
    along("prod", 0, label="prod_of_scalar", **SCALAR),
    whole("prod", label="prod_one_zero", inputs=[one_zero], dtypes="fc"),
    along("prod", 1, label="prod_zeros", inputs=[zeros], dtypes="fc"),
    along("prod", 0, label="prod_long", inputs=[(40, 2)], domain=(0.8, 1.2)),
    Sample("prod_dtype", lambda t, x: x.prod(0, dtype=t.float64), dtypes="fi"),
    # extremes
    *extremes("amax"),
    *extremes("amin"),
    *largest_or_smallest("max"),
    *largest_or_smallest("min"),
    whole("aminmax", dtypes="fhib"),
    keyword("aminmax", {"dtypes": "fhib"}, dim=1, keepdim=True),
    keyword("aminmax", TIES, dim=0),
    *indices("argmax"),
    *indices("argmin"),
    # truth
    *truths("any"),
    *truths("all"),
    whole("count_nonzero", dtypes="fhibc", grad=False),
    along("count_nonzero", (0, 1), dtypes="fhibc", grad=False),
    along("count_nonzero", 1, dtypes="fhibc", grad=False),
    # log of a sum of exponentials
    along("logsumexp", 0, dtypes="fhibc"),
    along("logsumexp", (0, 1), True, dtypes="fhi"),
    along("logsumexp", 1, label="logsumexp_large", domain=(900, 1100)),
    along("logsumexp", 0, label="logsumexp_of_scalar", **SCALAR),
    along("logsumexp", 0, label="logsumexp_empty", inputs=[(0, 3)], smooth=False),
]
