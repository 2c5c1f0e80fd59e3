"""Functions that are both in torch and in torch.nn.functional, against PyTorch's."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

import wengert

pytestmark = pytest.mark.filterwarnings("ignore")

# Expressions of x and y of shape (2, 4, 6), p, the probabilities of x, s, signs, v, a
# vector of 4, and w, a matrix of 4 × 4.
SAME = """
torch.hardshrink(x, 0.3)
x.hardshrink()
torch.prelu(x, v)
x.prelu(v[:1])
torch.bilinear(x[0].T, y[0].T, w[None], v[:1])
torch.pdist(w)
torch.threshold(x, 0.1, 5)
torch.threshold_(x.clone(), 0.1, 5)
torch.rrelu(x)
torch.rrelu_(x.clone(), 0.1, 0.2)
torch.channel_shuffle(x, 2)
torch.pixel_shuffle(w[:, None], 2)
torch.pixel_unshuffle(x, 2)
torch.alpha_dropout(x, 0.5, False)
torch.alpha_dropout(x, 0.5, True)
torch.dropout_(x.clone(), 0.5, True)
torch.feature_dropout(x, 0.5, True)
torch.feature_alpha_dropout_(x.clone(), 0.5, True)
torch.batch_norm(x, v, v, None, None, True, 0.1, 1e-5, False)
torch.batch_norm(x, None, v, v, v.exp(), False, 0.1, 1e-5, False)
torch.instance_norm(x, v, v, None, None, True, 0.1, 1e-5, False)
torch.native_layer_norm(x, (4, 6), None, None, 1e-5)
torch.native_batch_norm(x, v, v, None, None, True, 0.1, 1e-5)
torch.native_batch_norm(x, v, v, v, v.exp(), False, 0.1, 1e-5)
torch.norm_except_dim(x)
torch.norm_except_dim(x, 2, 1)
torch.norm_except_dim(x, 1, -1)
torch.kl_div(x, p)
torch.kl_div(x, x, 2, log_target=True)
torch.binary_cross_entropy_with_logits(x, p)
torch.binary_cross_entropy_with_logits(x, p, None, p[0], 0)
torch.poisson_nll_loss(x, p, True, False, 1e-8, 1)
torch.hinge_embedding_loss(x, s, 0.5, 2)
torch.cosine_embedding_loss(w, w.T, s[0, :, 0], 0.2)
torch.margin_ranking_loss(x, y, s, reduction=0)
torch.triplet_margin_loss(x, y, p, 0.5)
torch.triplet_margin_loss(x, y, p, 1.0, 2.0, 1e-6, True, 2)
"""


@pytest.mark.parametrize("expression", SAME.strip().split("\n"))
def test_as_in_pytorch(expression: str) -> None:
    rng = np.random.default_rng(0)
    arrays = [rng.standard_normal(shape) for shape in [(2, 4, 6)] * 2 + [(4, 4), (4,)]]
    found = []
    for t in (wengert, torch):
        t.manual_seed(5)
        x, y, w, v = [t.from_numpy(array.copy()) for array in arrays]
        names: dict[str, Any] = {"torch": t, "x": x, "y": y, "w": w, "v": v}
        names |= {"p": x.sigmoid(), "s": y.sign()}
        value = eval(expression, names)
        found.append(value if isinstance(value, tuple) else (value,))
    for our, their in zip(*found, strict=True):
        np.testing.assert_allclose(our.numpy(), their.numpy(), rtol=1e-9, atol=1e-12)
