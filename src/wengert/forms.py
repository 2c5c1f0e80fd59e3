"""Forms: the dtype and shape of an array, as one object that two arrays can share.

Note [One look at two arrays]
    Most ops on small arrays take less time than asking NumPy for the dtype and shape of
    an input, which makes a new tuple each time. So a tensor may carry the form of its
    array, and the quick calls compare the forms of two tensors by a look, and give
    their result the same one. It costs a third of the time of a recorded sum otherwise.

    Only plain tensors (Note [Plain tensors]) of floats have a form, and only once a
    quick call has wanted to know it; `tensor.rebind` takes it away when a tensor gets
    another array. Two arrays of one form may have two objects for it, when too many
    shapes were in use; that is slower and not wrong.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from .constants import Table, table_of

LIMIT = 4096
"""How many are kept of a dtype."""


class Form:
    """The dtype and shape of arrays of floats.

    `numbers` has the known constants of the dtype, see `constants`.
    """

    __slots__ = ("dtype", "numbers")

    def __init__(self, dtype: np.dtype[Any]) -> None:
        self.dtype = dtype
        self.numbers: Table = table_of(dtype)


Shape = tuple[int, ...]

forms: dict[np.dtype[Any], dict[Shape, Form]] = {
    np.dtype(code): {} for code in ("f2", "f4", "f8")
}


def form_of(array: np.ndarray) -> Form | None:
    """Return the form of an array of floats; None for any other array."""
    dtype = array.dtype
    known = forms.get(dtype)
    if known is None:
        return None
    shape = array.shape
    form = known.get(shape)
    if form is None:
        if len(known) >= LIMIT:
            known.clear()
        form = known.setdefault(shape, Form(dtype))
    return form
