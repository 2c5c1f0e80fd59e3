"""Layers of networks under vmap and in forward mode, beside PyTorch."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch

import wengert

IMAGES = np.random.default_rng(0).standard_normal((3, 2, 2, 4, 4))
SERIES = np.random.default_rng(1).standard_normal((3, 2, 2, 5))
STATISTICS = np.array([0.5, -0.25]), np.array([1.5, 0.75])


def resized(mode: str, **options: Any) -> Callable[[Any, Any], Any]:
    def program(t: Any, images: Any) -> Any:
        return t.nn.functional.interpolate(images, size=(3, 6), mode=mode, **options)

    return program


def normalized(t: Any, images: Any) -> Any:
    mean, variance = [t.tensor(array) for array in STATISTICS]
    return t.nn.functional.batch_norm(images, mean, variance)


PROGRAMS: dict[str, Callable[[Any, Any], Any]] = {
    "bilinear": resized("bilinear"),
    "bicubic": resized("bicubic", align_corners=True),
    "nearest": resized("nearest"),
    "batch_norm": normalized,
    "dropout of all": lambda t, x: t.nn.functional.dropout2d(x, 1.0),
    "alpha_dropout of all": lambda t, x: t.nn.functional.feature_alpha_dropout(
        x, 1.0, training=True
    ),
    "adaptive_avg_pool2d": lambda t, x: t.nn.functional.adaptive_avg_pool2d(x, 1),
}


@pytest.mark.parametrize("name", PROGRAMS)
def test_vmap(name: str) -> None:
    ours, theirs = [
        t.func.vmap(lambda x, t=t: PROGRAMS[name](t, x))(t.tensor(IMAGES))
        for t in (wengert, torch)
    ]
    np.testing.assert_allclose(ours.numpy(), theirs.numpy(), rtol=1e-6, atol=1e-7)


@pytest.mark.parametrize("name", PROGRAMS)
def test_forward_mode(name: str) -> None:
    point, direction = IMAGES[0], IMAGES[1]
    ours, theirs = [
        t.func.jvp(
            lambda x, t=t: PROGRAMS[name](t, x),
            (t.tensor(point),),
            (t.tensor(direction),),
        )[1]
        for t in (wengert, torch)
    ]
    ours, theirs = ours.numpy(), theirs.numpy(force=True)
    np.testing.assert_allclose(ours, theirs, rtol=1e-6, atol=1e-7)


def test_linear_interpolation_under_vmap() -> None:
    ours, theirs = [
        t.func.vmap(lambda x, t=t: t.nn.functional.interpolate(x, 3, mode="linear"))(
            t.tensor(SERIES)
        )
        for t in (wengert, torch)
    ]
    np.testing.assert_allclose(ours.numpy(), theirs.numpy(), rtol=1e-6)


def test_dropping_in_place_returns_the_input() -> None:
    for probability in (0.0, 0.5, 1.0):
        for shape in ((2, 3, 3), (4, 2, 3, 3)):
            images = wengert.ones(shape)
            dropped = wengert.nn.functional.dropout2d(images, probability, inplace=True)
            assert dropped is images


def test_nothing_to_normalize() -> None:
    """PyTorch takes the first weight and bias for an empty batch."""
    for shape in ((0,), (0, 2, 3)):
        results = []
        for t in (wengert, torch):
            x, weight, bias = t.zeros(shape), t.ones(2) * 3, t.ones(2)
            leaves = [tensor.requires_grad_() for tensor in (x, weight, bias)]
            batch_norm = t.nn.functional.batch_norm
            value = batch_norm(x, None, None, weight, bias, training=True)
            grads = t.autograd.grad(value.sum(), leaves)
            results.append([value.detach().numpy(), *[g.numpy() for g in grads]])
        for ours, theirs in zip(*results, strict=True):
            np.testing.assert_array_equal(ours, theirs)


REFUSED = {
    "too few dimensions": lambda t: t.nn.functional.adaptive_avg_pool2d(
        t.ones(2, 2), (2, 2)
    ),
    "too few sizes": lambda t: t.nn.functional.adaptive_max_pool3d(
        t.ones(1, 2, 3, 4), ()
    ),
    "negative sizes": lambda t: t.nn.functional.adaptive_avg_pool2d(
        t.ones(1, 1, 1, 1), (-1, 0)
    ),
    "weights of prelu": lambda t: t.nn.functional.prelu(t.ones(2, 8, 3), t.ones(2, 4)),
    "margin's reduction": lambda t: t.nn.functional.multi_margin_loss(
        t.ones(5, 4), t.ones(5).long(), reduction="abc"
    ),
    "margin's weight": lambda t: t.nn.functional.multi_margin_loss(
        t.ones(5, 4), t.ones(5).long(), weight=t.ones(())
    ),
    "margin's target": lambda t: t.nn.functional.multi_margin_loss(
        t.ones(5, 4), t.ones(5)
    ),
    "multinomial of three dimensions": lambda t: t.multinomial(t.ones(1, 2, 3), 2),
    "multinomial of integers": lambda t: t.multinomial(t.ones(1, 2).long(), 2),
    "steps that are no integer": lambda t: t.linspace(0, 3, 1.0),
    "a negative number of columns": lambda t: t.eye(0, -3),
    "aminmax of nothing": lambda t: t.aminmax(t.ones(5, 0, 5), dim=1),
}


@pytest.mark.parametrize("name", REFUSED)
def test_refused(name: str) -> None:
    with pytest.raises(Exception) as theirs:
        REFUSED[name](torch)
    with pytest.raises(theirs.type) as ours:
        REFUSED[name](wengert)
    assert str(ours.value)[:10] == str(theirs.value)[:10]


def test_bags_scale_rows_that_do_not_count() -> None:
    """With `max_norm`, the padding's row is scaled down as well."""
    tables = []
    for t in (wengert, torch):
        table = t.arange(12.0).reshape(4, 3)
        bag = t.nn.functional.embedding_bag
        index = t.tensor([[1, 3], [3, 2]])
        value = bag(index, table, max_norm=1.0, padding_idx=3, mode="sum")
        tables.append((table.numpy(), value.numpy()))
    for ours, theirs in zip(*tables, strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-6)


@pytest.mark.parametrize("name", ["embedding", "embedding_bag"])
@pytest.mark.filterwarnings("ignore")
def test_rows_are_scaled_down_in_each_element_of_a_batch(name: str) -> None:
    tables = np.arange(36.0).reshape(3, 4, 3)
    found = []
    for t in (wengert, torch):
        stack, index = t.from_numpy(tables.copy()), t.tensor([[1, 3], [3, 2]])
        call = getattr(t.nn.functional, name)
        value = t.func.vmap(lambda table: call(index, table, max_norm=1.0))(stack)
        found.append((value.numpy(), stack.numpy()))
    for ours, theirs in zip(*found, strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-6)


SAMPLED = {
    "bernoulli": lambda t, p, q: t.bernoulli(p),
    "poisson": lambda t, p, q: t.poisson(p),
    "normal": lambda t, p, q: t.normal(p, q),
    "normal of means": lambda t, p, q: t.normal(p, 1.0),
    "normal of deviations": lambda t, p, q: t.normal(0.0, q),
}


@pytest.mark.parametrize("name", SAMPLED)
def test_drawn_numbers_have_zero_gradients(name: str) -> None:
    kinds = []
    for t in (wengert, torch):
        t.manual_seed(3)
        p, q = t.full((3, 1), 0.5), t.full((2,), 0.25)
        value = SAMPLED[name](t, p.requires_grad_(), q.requires_grad_())
        grads = t.autograd.grad(value.sum(), (p, q), allow_unused=True)
        shapes = [None if g is None else g.tolist() for g in grads]
        kinds.append((value.grad_fn.name(), value.tolist(), shapes))
    (our_name, ours, our_grads), (name_, theirs, their_grads) = kinds
    assert our_name == name_ and our_grads == their_grads
    np.testing.assert_allclose(ours, theirs, rtol=1e-6)


def test_probabilities_are_checked_over_whole_batches() -> None:
    target = [[0.0, 1.0], [1.0, 0.0]]
    for t in (wengert, torch):
        loss = t.func.vmap(t.nn.functional.binary_cross_entropy)
        good, bad = t.tensor([[0.1, 0.9], [0.3, 1.0]]), t.tensor([[0.1, 0.9], [2, 0]])
        assert loss(good, t.tensor(target)).shape == (2,)
        with pytest.raises(RuntimeError, match="all elements of input should be"):
            loss(bad, t.tensor(target))
