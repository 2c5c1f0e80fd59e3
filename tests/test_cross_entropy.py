"""Cross-entropy of classes with every option, against PyTorch."""

import numpy as np
import pytest
import torch

import wengert


def results(t, scores, target, weight, **options):
    """The loss and the gradient of the scores, as arrays, in one of the libraries."""
    x = t.tensor(scores, requires_grad=True)
    weight = None if weight is None else t.tensor(weight)
    loss = t.nn.functional.cross_entropy(x, t.tensor(target), weight, **options)
    loss.sum().backward()
    return loss.detach().numpy(), x.grad.numpy()


def check(*args, rtol=1e-12, **options):
    ours, theirs = (results(t, *args, **options) for t in (wengert, torch))
    for found, expected in zip(ours, theirs, strict=True):
        np.testing.assert_allclose(found, expected, rtol=rtol, atol=rtol, strict=True)


@pytest.mark.parametrize("shape", [(6, 5), (4, 40), (2, 5, 3, 4), (5,)])
@pytest.mark.parametrize("reduction", ["mean", "sum", "none"])
@pytest.mark.parametrize("weighted", [True, False])
@pytest.mark.parametrize("label_smoothing", [0.0, 0.1])
@pytest.mark.parametrize("ignore_index", [-100, 2])
def test_equals_torch(shape, reduction, weighted, label_smoothing, ignore_index):
    rng = np.random.default_rng(0)
    classes = shape[min(1, len(shape) - 1)]
    target = rng.integers(0, 5, shape[:1] + shape[2:] if len(shape) > 1 else ())
    if target.ndim:
        target.flat[0] = ignore_index
    check(
        rng.standard_normal(shape),
        target,
        rng.random(classes) + 0.5 if weighted else None,
        reduction=reduction,
        label_smoothing=label_smoothing,
        ignore_index=ignore_index,
    )


def test_large_scores():
    check(np.array([[1e4, 0.0, -1e4], [0.0, 800.0, 0.0]]), np.array([1, 1]), None)


def test_where_nothing_counts_the_mean_is_nan():
    scores, target = np.zeros((2, 3)), np.array([-100, -100])
    check(scores, target, None, reduction="sum")
    check(scores, target, None)


def test_targets_of_pixels():
    rng = np.random.default_rng(0)
    scores, target = (
        rng.standard_normal((2, 5, 70, 70)),
        rng.integers(0, 5, (2, 70, 70)),
    )
    check(scores, target, None)


@pytest.mark.parametrize("wrong", [3, -1])
def test_a_class_that_is_not_there_is_refused(wrong):
    with pytest.raises(IndexError, match=f"Target {wrong} is out of bounds"):
        results(wengert, np.zeros((2, 3)), np.array([0, wrong]), None)
