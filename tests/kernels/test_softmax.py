import math

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from wengert.kernels import cross_entropy, softmax, windows

EXACT = {"rtol": 1e-12, "atol": 1e-13}
FORMS = {
    "softmax": (softmax.softmax, softmax.softmax_vjp, torch.softmax),
    "log_softmax": (softmax.log_softmax, softmax.log_softmax_vjp, torch.log_softmax),
}
SHAPES = [
    ((7,), 0),
    ((5, 10), 1),
    ((5, 50), -1),
    ((5, 10), 0),
    ((2, 3, 4), 1),
    ((2, 3, 40), 2),
    ((0, 4), 1),
    ((3, 1), 1),
    ((), 0),
]


def array(tensor):
    return tensor.detach().numpy()


@pytest.fixture(params=["one block", "many blocks"])
def block_size(request, monkeypatch):
    if request.param == "many blocks":
        monkeypatch.setattr(windows, "BLOCK_BYTES", 1000)
        monkeypatch.setattr(softmax, "SMALL", 0)


@pytest.mark.usefixtures("block_size")
@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize(("shape", "dim"), SHAPES)
@pytest.mark.parametrize("scale", [1, 100])
def test_softmax_equals_torch(form, shape, dim, scale):
    forward, vjp, theirs = FORMS[form]
    x = (scale * torch.randn(shape, dtype=torch.float64)).requires_grad_()
    out = theirs(x, dim)
    grad = torch.randn_like(out)
    (expected,) = torch.autograd.grad(out, x, grad)
    ours = forward(array(x), dim)
    np.testing.assert_allclose(ours, array(out), strict=True, **EXACT)
    ours = vjp(array(grad), ours, dim)
    np.testing.assert_allclose(ours, expected, strict=True, **EXACT)


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("columns", [4, 40])
def test_rows_with_infinities_and_nan(form, columns):
    forward, _, theirs = FORMS[form]
    x = torch.randn(7, columns)
    x[0], x[1, :2], x[2, 1] = -math.inf, -math.inf, math.inf
    x[3, 0], x[4], x[5] = math.nan, -1e30, x[5] - 500
    ours = forward(x.numpy(), 1)
    np.testing.assert_allclose(ours, theirs(x, 1), rtol=1e-5, atol=1e-6, strict=True)


@pytest.mark.parametrize("form", FORMS)
def test_transposed_and_half(form):
    forward, _, theirs = FORMS[form]
    x = torch.randn(6, 5, 4).permute(2, 0, 1)
    ours = forward(x.numpy(), 1)
    np.testing.assert_allclose(ours, theirs(x, 1), rtol=1e-5, atol=1e-6, strict=True)
    ours = forward(x.half().numpy(), 1)
    expected = theirs(x.half(), 1)
    np.testing.assert_allclose(ours, expected, rtol=2e-3, atol=1e-3, strict=True)


def test_log_softmax_is_exact_close_to_zero():
    x = np.array([[50.0, 0.0], [0.0, 50.0]], np.float32)
    exact = softmax.log_softmax(x.astype(np.float64), 1)
    np.testing.assert_allclose(softmax.log_softmax(x, 1), exact, rtol=1e-6)


def check_cross_entropy(x, target, weight, **options):
    out = F.cross_entropy(x, target, weight, **options)
    grad = torch.randn_like(out)
    (expected,) = torch.autograd.grad(out, x, grad)
    given = (
        array(target),
        None if weight is None else array(weight),
        options.get("reduction", "mean"),
        options.get("ignore_index", -100),
        options.get("label_smoothing", 0.0),
    )
    ours, exps, sums = cross_entropy.cross_entropy(array(x), *given)
    np.testing.assert_allclose(ours, array(out), strict=True, **EXACT)
    ours = cross_entropy.cross_entropy_vjp(array(grad), exps, sums, *given)
    np.testing.assert_allclose(ours.reshape(x.shape), expected, strict=True, **EXACT)


@pytest.mark.usefixtures("block_size")
@pytest.mark.parametrize("shape", [(6, 5), (4, 40), (2, 5, 3, 4), (5,)])
@pytest.mark.parametrize("reduction", ["mean", "sum", "none"])
@pytest.mark.parametrize("weighted", [True, False])
@pytest.mark.parametrize("label_smoothing", [0.0, 0.1])
@pytest.mark.parametrize("ignore_index", [-100, 2])
def test_cross_entropy_equals_torch(
    shape, reduction, weighted, label_smoothing, ignore_index
):
    torch.manual_seed(0)
    classes = shape[min(1, len(shape) - 1)]
    x = torch.randn(shape, dtype=torch.float64, requires_grad=True)
    target = torch.randint(0, classes, shape[:1] + shape[2:] if len(shape) > 1 else ())
    if len(shape) > 1:
        target.view(-1)[0], target.view(-1)[1] = ignore_index, 3
    weight = torch.rand(classes, dtype=torch.float64) if weighted else None
    check_cross_entropy(
        x,
        target,
        weight,
        reduction=reduction,
        ignore_index=ignore_index,
        label_smoothing=label_smoothing,
    )


def test_cross_entropy_of_large_scores():
    x = torch.tensor([[1000.0, 0.0], [-1000.0, 3.0]], dtype=torch.float64)
    check_cross_entropy(x.requires_grad_(), torch.tensor([1, 1]), None)


def test_cross_entropy_where_nothing_counts_is_nan():
    x, target = np.zeros((2, 3), np.float32), np.full(2, -100)
    loss, *_ = cross_entropy.cross_entropy(x, target, None, "mean", -100, 0.0)
    assert np.isnan(loss)
    loss, *_ = cross_entropy.cross_entropy(x, target, None, "sum", -100, 0.0)
    assert loss == 0


@pytest.mark.parametrize("wrong", [3, -1])
def test_cross_entropy_refuses_a_class_that_is_not_there(wrong):
    x, target = np.zeros((2, 3), np.float32), np.array([0, wrong])
    with pytest.raises(IndexError, match=f"Target {wrong} is out of bounds"):
        cross_entropy.cross_entropy(x, target, None, "mean", -100, 0.0)


def test_cross_entropy_in_single_precision():
    rng = np.random.default_rng(0)
    x, target = rng.standard_normal((500, 60)) * 5, rng.integers(0, 60, 500)
    given = (target, None, "mean", -100, 0.1)
    exact, *kept = cross_entropy.cross_entropy(x, *given)
    loss, *ours = cross_entropy.cross_entropy(x.astype(np.float32), *given)
    assert loss.dtype == np.float32
    np.testing.assert_allclose(loss, exact, rtol=1e-6)
    one = np.asarray(1.0)
    exact = cross_entropy.cross_entropy_vjp(one, *kept, *given)
    slope = cross_entropy.cross_entropy_vjp(one.astype(np.float32), *ours, *given)
    assert slope.dtype == np.float32
    np.testing.assert_allclose(slope, exact, rtol=1e-4, atol=1e-8)
