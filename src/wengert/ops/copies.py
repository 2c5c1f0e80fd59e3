"""The copying twins of views: `expand_copy` is `expand` in memory of its own."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ..primitives import shape as S
from ..primitives.copying import clone
from ..primitives.indexing import basic_slice
from ..tensor import Tensor
from . import broadcasting, complex, indexing, joining, shape, strided
from .arguments import normalize_dim
from .public import publish


def alias(input: Tensor) -> Tensor:
    """Return a view of the whole tensor."""
    result: Tensor = S.alias(input)
    return result


def slice_(
    input: Tensor,
    dim: int = 0,
    start: int | None = None,
    end: int | None = None,
    step: int = 1,
) -> Tensor:
    """Return a view of a slice of one dimension."""
    dim = normalize_dim(dim, len(input.shape))
    index = (*(slice(None),) * dim, slice(start, end, step), ...)
    result: Tensor = basic_slice(input, index=index)
    return result


def copying(name: str, view: Callable[..., Any]) -> Callable[..., Any]:
    """Return the copying twin of an op whose result is a view, or several."""

    def copied(input: Tensor, *args: Any, **kwargs: Any) -> Any:
        shown = view(input, *args, **kwargs)
        if isinstance(shown, tuple):
            return tuple([clone(part) for part in shown])
        return clone(shown)

    copied.__name__ = copied.__qualname__ = f"{name}_copy"
    copied.__doc__ = f"Return a copy of what `{name}` shows."
    return copied


for _name, _view in {
    "alias": alias,
    "view_as_complex": complex.view_as_complex,
    "view_as_real": complex.view_as_real,
    "as_strided": strided.as_strided,
    "diagonal": strided.diagonal,
    "expand": broadcasting.expand,
    "narrow": indexing.narrow,
    "permute": shape.permute,
    "select": indexing.select,
    "slice": slice_,
    "split": joining.split,
    "split_with_sizes": joining.split_with_sizes,
    "squeeze": shape.squeeze,
    "t": shape.t,
    "transpose": shape.transpose,
    "unbind": joining.unbind,
    "unfold": strided.unfold,
    "unsqueeze": shape.unsqueeze,
    "view": shape.view,
}.items():
    publish(copying(_name, _view), (f"{_name}_copy",), method=_name == "narrow")
