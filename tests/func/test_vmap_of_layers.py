"""vmap over what convolutional networks are made of, compared with torch.func."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
import torch.func
import torch.nn.functional

import wengert
import wengert.func
import wengert.nn.functional
from wengert.layers import batching

rng = np.random.default_rng(0)
IMAGES = rng.standard_normal((5, 2, 6, 6))
WEIGHT = rng.standard_normal((3, 2, 3, 3))
BIAS = rng.standard_normal(3)
WEIGHTS = rng.standard_normal((5, 3, 2, 3, 3))


def per_sample_gradients(t: Any) -> Any:
    def loss(weight: Any, bias: Any, image: Any) -> Any:
        features = t.nn.functional.conv2d(image[None], weight, bias, padding=1)
        return t.nn.functional.max_pool2d(features.tanh(), 2).pow(2).sum()

    gradients = t.func.vmap(t.func.grad(loss, (0, 1)), (None, None, 0))
    return gradients(t.tensor(WEIGHT), t.tensor(BIAS), t.tensor(IMAGES))


def ensemble(t: Any) -> Any:
    convolve = t.func.vmap(
        lambda image, weight: t.nn.functional.conv2d(image[None], weight, stride=2)
    )
    return convolve(t.tensor(IMAGES), t.tensor(WEIGHTS))


def gradients_of_an_ensemble(t: Any) -> Any:
    def loss(image: Any, weight: Any) -> Any:
        features = t.nn.functional.conv2d(image[None], weight)
        return t.nn.functional.avg_pool2d(features, 2).sin().sum()

    gradients = t.func.vmap(t.func.grad(loss, (0, 1)))
    return gradients(t.tensor(IMAGES), t.tensor(WEIGHTS))


def jacobian(mode: str) -> Callable[[Any], Any]:
    def program(t: Any) -> Any:
        def features(weight: Any) -> Any:
            return t.nn.functional.conv2d(t.tensor(IMAGES[:1]), weight)[0, :, 0, 0]

        return getattr(t.func, mode)(features)(t.tensor(WEIGHT))

    return program


def adaptive_pooling(t: Any) -> Any:
    pool = t.nn.functional.adaptive_avg_pool2d
    return t.func.vmap(lambda image: pool(image, (3, 2)))(t.tensor(IMAGES))


def layer_norm_gradient(t: Any) -> Any:
    def loss(image: Any) -> Any:
        return t.nn.functional.layer_norm(image, (6,)).pow(3).sum()

    return t.func.vmap(t.func.grad(loss))(t.tensor(IMAGES))


@pytest.mark.parametrize(
    "program",
    [
        per_sample_gradients,
        ensemble,
        gradients_of_an_ensemble,
        jacobian("jacrev"),
        jacobian("jacfwd"),
        adaptive_pooling,
        layer_norm_gradient,
    ],
)
def test_as_pytorch_and_in_one_go(program: Callable[[Any], Any]) -> None:
    batching.looped.clear()
    ours, theirs = program(wengert), program(torch)
    several = isinstance(ours, tuple)
    for mine, reference in zip(
        ours if several else (ours,), theirs if several else (theirs,), strict=True
    ):
        np.testing.assert_allclose(mine.numpy(), reference.numpy(), atol=1e-12)
    assert not batching.looped


@pytest.mark.parametrize("mode", ["sum", "mean", "max"])
@pytest.mark.parametrize("padding", [None, 1])
def test_bags_that_differ_in_a_batch(mode, padding):
    indices = [[0, 1, 2, 1, 1], [3, 1, 0, 0, 2]]
    offsets = [[0, 3, 3], [0, 1, 4]]

    def each(library, over):
        table = library.arange(8.0, dtype=library.float64).reshape(4, 2).sin()
        chosen, starts = library.tensor(indices), library.tensor(offsets)

        def bags(table, chosen, starts):
            call = library.nn.functional.embedding_bag
            return call(chosen, table, starts, mode=mode, padding_idx=padding)

        both = [bags(table * (i + 1), chosen[i], starts[i]) for i in range(2)]
        if not over:
            return library.stack(both)
        tables = library.stack([table, table * 2])
        return library.func.vmap(bags)(tables, chosen, starts)

    wanted = each(torch, over=False).numpy()
    for over in (False, True):
        np.testing.assert_allclose(each(wengert, over).numpy(), wanted)
