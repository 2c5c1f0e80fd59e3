"""Ops that write one array over a view of another: `select_scatter` and its like."""

from __future__ import annotations

from typing import Any

from numpy import ndarray

from .indexing import basic_select, basic_slice
from .joining import new_zeros
from .op import Function, fused, with_names
from .strided import as_strided, diagonal, strided_forward


def overwriting(
    name: str, view: Function, params: tuple[str, ...], shown: Function | None = None
) -> Function:
    """Declare the op that writes `src` over what a view shows.

    Args:
        params: the names of the view's parameters.
        shown: the view as a function of a gradient, if that is another one.
    """
    shown = shown or view

    def forward(self: ndarray, src: ndarray, **given: Any) -> ndarray:
        result = self.copy()
        view(result, **given)[...] = src
        return result

    def by_self(grad: Any, src_shape: Any, *values: Any) -> Any:
        given = dict(zip(params, values, strict=True))
        return declared(grad, new_zeros(grad, shape=tuple(src_shape)), **given)

    def by_src(grad: Any, *values: Any) -> Any:
        return shown(grad, **dict(zip(params, values, strict=True)))

    def tangent(self_t: Any, src_t: Any, *values: Any) -> Any:
        return declared(self_t, src_t, **dict(zip(params, values, strict=True)))

    declared = fused(
        name,
        forward,
        inputs=("self", "src"),
        vjp_self=with_names(by_self, ("grad", "src_shape", *params)),
        vjp_src=with_names(by_src, ("grad", *params)),
        jvp=with_names(tangent, ("self_t", "src_t", *params)),
    )
    return declared


select_scatter = overwriting("select_scatter", basic_select, ("index",))
slice_scatter = overwriting("slice_scatter", basic_slice, ("index",))
diagonal_scatter = overwriting("diagonal_scatter", diagonal, ("offset", "dim1", "dim2"))
as_strided_scatter = overwriting(
    "as_strided_scatter",
    as_strided,
    ("size", "stride", "offset", "own"),
    shown=strided_forward,
)
