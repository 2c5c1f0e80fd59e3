"""Samples of masked ops."""

from __future__ import annotations

from typing import Any

import numpy as np

from . import Sample

MASK = np.array([[True, False, True, True], [False, True, True, False], [True] * 4])
ROW = np.array([True, False, True, True])


def masked(name: str, *args: Any, **settings: Any) -> list[Sample]:
    """Return samples of a function without a mask, with one, and with one broadcast."""
    options = settings.pop("options", {})
    label = "_".join([name, *map(str, args), *[f"{k}={v}" for k, v in options.items()]])

    def call(t: Any, x: Any, mask: Any = None) -> Any:
        return getattr(t.masked, name)(x, *args, mask=mask, **options)

    settings = {"grad_fn": False, **settings}
    return [
        Sample(f"{label}_unmasked", call, **settings),
        Sample(label, call, [(3, 4), MASK], **settings),
        Sample(f"{label}_row", call, [(3, 4), ROW], **settings),
    ]


SAMPLES = [
    *masked("sum", dtypes="fib"),
    *masked("sum", 1, options={"keepdim": True}),
    *masked("prod", (0, 1), dtypes="fi"),
    *masked("prod", 0),
    *masked("amax", 1, dtypes="fi"),
    *masked("amin", dtypes="fi"),
    *masked("argmax", 1, dtypes="fi", grad=False),
    *masked("argmin", dtypes="fi", grad=False),
    *masked("mean", 1, dtypes="fc"),
    *masked("mean", options={"keepdim": True}),
    *masked("median", 1, dtypes="f"),
    *masked("logsumexp", 1),
    *masked("norm", 2, 1),
    *masked("norm", float("-inf"), 1),
    *masked("norm", 1),
    *masked("var", 1, dtypes="fci"),
    *masked("var", (0, 1), False),
    *masked("std", 0, options={"correction": 0, "keepdim": True}),
    *masked("cumsum", 1, dtypes="f"),
    *masked("cumprod", 0),
    *masked("softmax", 1),
    *masked("log_softmax", 1, smooth=False),
    *masked("softmin", 1),
    *masked("normalize", 2.0, 1),
    Sample(
        "logaddexp",
        lambda t, x, y, m, n: t.masked.logaddexp(x, y, input_mask=m, other_mask=n),
        [(3, 4), (3, 4), MASK, ~MASK],
        grad_fn=False,
        smooth=False,
    ),
]
