"""Samples of the ops that put elements in order."""

from __future__ import annotations

from . import Sample
from .reduction import NAN, TIES, along, keyword, whole


def medians(name: str) -> list[Sample]:
    return [
        whole(name, dtypes="fi"),
        along(name, 0, dtypes="f"),
        along(name, 1, True, dtypes="f"),
        along(name, 0, label=f"{name}_of_many", inputs=[(101, 2)], second=False),
        whole(name, label=f"{name}_ties", **TIES),
        whole(name, label=f"{name}_nan", **NAN),
        along(name, 1, label=f"{name}_dim_nan", **NAN),
        along(name, 0, label=f"{name}_of_scalar", inputs=[()]),
    ]


SAMPLES = [
    along("sort", dtypes="fhib"),
    along("sort", 0, True, dtypes="fhib"),
    along("sort", 1, label="sort_of_three", inputs=[(2, 5, 3)]),
    along("sort", 1, label="sort_ties", **TIES),
    along("sort", 1, True, label="sort_ties_descending", **TIES),
    along("sort", 1, True, label="sort_nan_descending", **NAN),
    along("sort", 1, label="sort_nan", **NAN),
    along("sort", 0, label="sort_of_scalar", inputs=[()]),
    along("sort", 0, label="sort_empty", inputs=[(0, 3)]),
    keyword("sort", {**TIES, "grad_fn": False}, dim=0, stable=True),
    along("argsort", grad=False, dtypes="fhib"),
    along("argsort", 0, True, grad=False),
    along("msort", dtypes="fhib"),
    along("topk", 2, dtypes="fh"),
    along("topk", 2, 0, False),
    along("topk", 3, label="topk_of_many", inputs=[(2, 100)], second=False),
    along("topk", 3, -1, False, label="topk_smallest_of_many", inputs=[(2, 100)]),
    along("topk", 60, label="topk_many", inputs=[(2, 100)], second=False),
    along("topk", 1, label="topk_of_scalar", inputs=[()]),
    along("topk", 0, label="topk_none"),
    along("kthvalue", 2, dtypes="f"),
    along("kthvalue", 2, 0, True),
    along("kthvalue", 30, label="kthvalue_of_many", inputs=[(2, 100)], second=False),
    along("kthvalue", 1, label="kthvalue_of_scalar", inputs=[()]),
    *medians("median"),
    *medians("nanmedian"),
    along("mode", dtypes="fi"),
    along("mode", 0, True, dtypes="fi"),
    along("mode", 1, label="mode_ties", **TIES),
    along("mode", 0, label="mode_of_scalar", inputs=[()]),
]
