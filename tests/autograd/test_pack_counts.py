"""How often the hooks of saved tensors are called for each op, as in PyTorch or not.

Every sample of an op is checked; the tables name those whose number differs on purpose.
"""

from __future__ import annotations

import re
from typing import Any

import pytest
import torch

import wengert
from tests.samples import Sample, families

pytestmark = pytest.mark.filterwarnings("ignore")

SHAPE = "PyTorch keeps an input of which the gradient needs the shape alone"
INDEX = "arrays of indices and masks are kept as they are, not packed"
HIDDEN = "what only the forward knows, such as a mean, is kept as it is, not packed"
AGAIN = "what follows from the result is computed again"
COMPOSED = "composed of ops that keep values of their own"

LESS = {
    r"(i?fft|rfft|ihfft|stft|istft_of_stft)": SHAPE,
    r"(gather|take|index_add|put|masked_select|quantile|nanquantile)": SHAPE,
    r"(avg_pool|adaptive_(avg|max)_pool|max_pool|lp_pool|fractional_max_pool)": SHAPE,
    r"(pad_re|combinations|complex$|div (floor|trunc)|corrcoef|cov)": SHAPE,
    r"(cummax|cummin|cross_entropy|nll_loss|linear_cross_entropy)": SHAPE,
    r"(getitem|setitem|index_copy|index_put|gradient_places)": INDEX,
    r"(batch|group|instance|layer|rms|local_response)_(response_)?norm": HIDDEN,
    r"(det|slogdet|logdet|solve|tensorsolve|triangular_solve|lu)": AGAIN,
    r"(prod|cumprod|vander|log_ndtr|logsigmoid|multilabel_soft_margin_loss)": AGAIN,
    r"isclose at special|isfinite at special": "the results are no floats",
}
"""Ops that keep less than PyTorch, and why."""

MORE = {
    r"(affine_grid|grid_sample|ctc_loss|renorm|multi_margin_loss|bilinear)": COMPOSED,
    r"(cholesky_(solve|inverse)|lstsq|lu_solve|householder|orgqr|ormqr)": COMPOSED,
    r"polar": "the angle: at 0, and for negative sizes, the result does not tell it",
}
"""Ops that keep more than PyTorch, and why."""


def known(table: dict[str, str], name: str) -> bool:
    return any(re.match(pattern, name) for pattern in table)


def samples() -> list[Any]:
    return [
        pytest.param(sample, id=f"{family}-{sample.name}")
        for family, sample in families()
        if sample.grad and ("f" in sample.dtypes or "c" in sample.dtypes)
    ]


def packed(library: Any, sample: Sample) -> int:
    """Return how often something is packed while an op is called."""
    dtype = "float64" if "f" in sample.dtypes else "complex128"
    inputs = [library.from_numpy(array.copy()) for array in sample.arrays(dtype)]
    inputs = [
        x.clone().requires_grad_() if x.is_floating_point() or x.is_complex() else x
        for x in inputs
    ]
    seen = []
    hooks = library.autograd.graph.saved_tensors_hooks
    with hooks(lambda x: seen.append(0) or x, lambda x: x):  # type: ignore[func-returns-value]
        sample.call(library, *inputs)
    return len(seen)


@pytest.mark.parametrize("sample", samples())
def test_as_many_values_are_packed_as_in_pytorch(sample: Sample) -> None:
    ours, theirs = packed(wengert, sample), packed(torch, sample)
    if known(LESS, sample.name) and ours < theirs:
        return
    if known(MORE, sample.name) and ours > theirs:
        return
    assert ours == theirs
