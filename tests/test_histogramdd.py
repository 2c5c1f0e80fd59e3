"""Histograms of points, against PyTorch's."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

import wengert

# Expressions of y, points of shape (5, 2), w, their weights, and `edges`.
SAME = """
torch.histogramdd(y, [2, 3])
torch.histogramdd(y, 3)
torch.histogramdd(y, [2, 3], range=[0.0, 1.0, 0.0, 2.0])
torch.histogramdd(y, [2, 3], weight=w, density=True)
torch.histogramdd(y, [edges, edges * 2])
torch.histogramdd(y.reshape(1, 5, 2), [2, 1])
torch.histogramdd(y, [2])
torch.histogramdd(y.long(), [2, 2])
torch.histogramdd(y, [2, 3], weight=w[1:])
torch.histogramdd(y, [2, 0])
torch.histogramdd(y, [2, 3], range=[1.0, 0.0, 0.0, 2.0])
torch.histogramdd(y, [2, 3], range=[1.0])
"""


@pytest.mark.parametrize("expression", SAME.strip().split("\n"))
def test_as_in_pytorch(expression: str) -> None:
    points = np.random.default_rng(0).random((5, 2)).astype(np.float32)
    found: list[Any] = []
    for t in (wengert, torch):
        names = {"torch": t, "y": t.from_numpy(points.copy()), "w": t.arange(5.0)}
        names["edges"] = t.tensor([0.0, 0.25, 0.75, 1.0])
        try:
            counts, edges = eval(expression, names)
            found.append([counts.numpy(), *[edge.numpy() for edge in edges]])
        except Exception as error:
            found.append((type(error), str(error).split("\n")[0]))
    ours, theirs = found
    if isinstance(theirs, tuple):
        assert ours == theirs
    else:
        for our, their in zip(ours, theirs, strict=True):
            assert our.dtype == their.dtype
            np.testing.assert_allclose(our, their, rtol=1e-5)
