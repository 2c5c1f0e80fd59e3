import itertools

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from wengert.kernels import normalization, sums, windows

EXACT = {"rtol": 1e-11, "atol": 1e-11}
NEEDS = list(itertools.product((True, False), repeat=3))
ALL = (True, True, True)


def leaf(*shape, dtype=torch.float64):
    return torch.randn(*shape, dtype=dtype, requires_grad=True)


def array(tensor):
    return None if tensor is None else tensor.detach().numpy()


def check(ours, expected, **tolerance):
    for actual, want in zip(ours, expected, strict=True):
        if want is None:
            assert actual is None
        else:
            np.testing.assert_allclose(actual, array(want), strict=True, **tolerance)


def gradients(out, leaves, needs=ALL):
    """A cotangent, and torch's gradients of what is needed and there, else None."""
    grad = torch.randn_like(out)
    wanted = [
        x for x, need in zip(leaves, needs, strict=True) if need and x is not None
    ]
    found = iter(torch.autograd.grad(out, wanted, grad) if wanted else ())
    return grad, [
        next(found) if need and x is not None else None
        for x, need in zip(leaves, needs, strict=True)
    ]


def affine(*sizes, given):
    return (leaf(*sizes), leaf(*sizes)) if given else (None, None)


@pytest.fixture(params=["one block", "many blocks"])
def block_size(request, monkeypatch):
    if request.param == "many blocks":
        monkeypatch.setattr(windows, "BLOCK_BYTES", 1000)


SHAPES = [((3, 5), 1), ((2, 3, 4, 5), 2), ((2, 3, 4), 3), ((0, 5), 1), ((4, 1), 1)]


@pytest.mark.usefixtures("block_size")
@pytest.mark.parametrize(("shape", "dims"), SHAPES)
@pytest.mark.parametrize("given", [True, False])
@pytest.mark.parametrize("needs", [ALL, (True, False, False), (False, True, False)])
def test_layer_norm_equals_torch(shape, dims, given, needs):
    sizes = shape[len(shape) - dims :]
    x, (w, b) = leaf(*shape), affine(*sizes, given=given)
    out, mean, rstd = torch.native_layer_norm(x, sizes, w, b, 1e-3)
    ours = normalization.layer_norm(array(x), dims, array(w), array(b), 1e-3)
    check(ours, (out, mean, rstd), **EXACT)
    grad, expected = gradients(out, (x, w, b), needs)
    asked = tuple(e is not None for e in expected)
    ours = normalization.layer_norm_vjp(
        array(grad), array(x), *ours[1:], array(w), dims, asked
    )
    check(ours, expected, **EXACT)


@pytest.mark.usefixtures("block_size")
@pytest.mark.parametrize(("shape", "dims"), SHAPES)
@pytest.mark.parametrize("given", [True, False])
def test_rms_norm_equals_torch(shape, dims, given):
    sizes = shape[len(shape) - dims :]
    x, w = leaf(*shape), leaf(*sizes) if given else None
    out = F.rms_norm(x, sizes, w, 1e-3)
    ours, rstd = normalization.rms_norm(array(x), dims, array(w), 1e-3)
    np.testing.assert_allclose(ours, array(out), strict=True, **EXACT)
    grad, expected = gradients(out, (x, w), (True, True))
    asked = tuple(e is not None for e in expected)
    ours = normalization.rms_norm_vjp(
        array(grad), array(x), rstd, array(w), dims, asked
    )
    check(ours, expected, **EXACT)


@pytest.mark.usefixtures("block_size")
@pytest.mark.parametrize("shape", [(3, 6), (2, 6, 5), (3, 6, 4, 5), (2, 6, 2, 3, 2)])
@pytest.mark.parametrize("groups", [1, 3, 6])
@pytest.mark.parametrize("given", [True, False])
def test_group_norm_equals_torch(shape, groups, given):
    x, (w, b) = leaf(*shape), affine(shape[1], given=given)
    out = F.group_norm(x, groups, w, b, 1e-3)
    ours, mean, rstd = normalization.group_norm(
        array(x), groups, array(w), array(b), 1e-3
    )
    np.testing.assert_allclose(ours, array(out), strict=True, **EXACT)
    assert mean.shape == rstd.shape == (shape[0], groups)
    for needs in NEEDS:
        grad, expected = gradients(
            F.group_norm(x, groups, w, b, 1e-3), (x, w, b), needs
        )
        asked = tuple(e is not None for e in expected)
        ours = normalization.group_norm_vjp(
            array(grad), array(x), mean, rstd, array(w), groups, asked
        )
        check(ours, expected, **EXACT)


@pytest.mark.usefixtures("block_size")
@pytest.mark.parametrize("shape", [(5, 3), (4, 3, 5), (3, 2, 4, 5), (2, 3, 2, 3, 2)])
@pytest.mark.parametrize("given", [True, False])
@pytest.mark.parametrize("training", [True, False])
def test_batch_norm_equals_torch(shape, given, training):
    x, (w, b) = leaf(*shape), affine(shape[1], given=given)
    running = torch.randn(shape[1]).double(), torch.rand(shape[1]).double() + 0.5

    def norm():
        kept = [r.clone() for r in running]
        return F.batch_norm(x, *kept, w, b, training, 1.0, 1e-3), kept

    out, kept = norm()
    if training:
        ours, mean, rstd, variance = normalization.batch_norm(
            array(x), array(w), array(b), 1e-3
        )
        # with momentum 1 the running statistics are those of the batch
        check((mean, variance), kept, **EXACT)
    else:
        mean = array(running[0])
        ours, rstd = normalization.batch_norm_with(
            array(x), mean, array(running[1]), array(w), array(b), 1e-3
        )
    np.testing.assert_allclose(ours, array(out), strict=True, **EXACT)
    for needs in NEEDS:
        grad, expected = gradients(norm()[0], (x, w, b), needs)
        asked = tuple(e is not None for e in expected)
        vjp = (
            normalization.batch_norm_vjp
            if training
            else normalization.batch_norm_with_vjp
        )
        ours = vjp(array(grad), array(x), mean, rstd, array(w), asked)
        check(ours, expected, **EXACT)


def test_arrays_need_not_be_contiguous():
    x = leaf(3, 4, 5, 6).permute(0, 3, 1, 2)
    out = F.batch_norm(x, None, None, None, None, True)
    ours = normalization.batch_norm(array(x), None, None, 1e-5)
    np.testing.assert_allclose(ours[0], array(out), **EXACT)
    ones = np.broadcast_to(1.0, x.shape)
    d_input, *_ = normalization.batch_norm_vjp(ones, array(x), *ours[1:3], None, ALL)
    np.testing.assert_allclose(d_input, 0, atol=1e-12)


FORMS = {
    "layer": (
        lambda x, w, b: normalization.layer_norm(x, 3, w, b, 1e-5),
        lambda g, x, kept, w: normalization.layer_norm_vjp(g, x, *kept, w, 3, ALL),
        lambda shape: shape[1:],
    ),
    "group": (
        lambda x, w, b: normalization.group_norm(x, 4, w, b, 1e-5),
        lambda g, x, kept, w: normalization.group_norm_vjp(g, x, *kept, w, 4, ALL),
        lambda shape: shape[1:2],
    ),
    "batch": (
        lambda x, w, b: normalization.batch_norm(x, w, b, 1e-5)[:3],
        lambda g, x, kept, w: normalization.batch_norm_vjp(g, x, *kept, w, ALL),
        lambda shape: shape[1:2],
    ),
}


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("mean", [0, 100])
def test_single_precision_is_close_to_double(form, mean):
    forward, backward, sizes = FORMS[form]
    rng = np.random.default_rng(0)
    shape = (6, 8, 40, 40)
    x, g = rng.standard_normal((2, *shape))
    x = (x + mean).astype(np.float32)
    w, b = rng.standard_normal((2, *sizes(shape)))

    def all_of(dtype):
        xs, gs, ws = (a.astype(dtype) for a in (x, g, w))
        out, *kept = forward(xs, ws, b.astype(dtype))
        return out, *backward(gs, xs, kept, ws)

    single, double = all_of(np.float32), all_of(np.float64)
    for ours, exact in zip(single, double, strict=True):
        assert ours.dtype == np.float32
        scale = np.abs(exact).max()
        assert np.abs(ours - exact).max() < 2e-6 * scale * max(1, mean / 10)


@pytest.mark.parametrize("form", FORMS)
def test_half_keeps_statistics_in_single_precision(form):
    forward, backward, sizes = FORMS[form]
    x = np.random.default_rng(0).standard_normal((3, 8, 4, 5)).astype(np.float16)
    w = np.ones(sizes(x.shape), np.float16)
    out, *kept = forward(x, w, w)
    assert out.dtype == np.float16 and {k.dtype for k in kept} == {np.dtype(np.float32)}
    exact, *exact_kept = forward(x.astype(np.float64), w, w)
    np.testing.assert_allclose(out, exact, rtol=1e-3, atol=1e-3)
    ours = backward(x, x, kept, w)
    wide = x.astype(np.float64)
    exact = backward(wide, wide, exact_kept, w)
    for a, e in zip(ours, exact, strict=True):
        assert a.dtype == np.float16
        np.testing.assert_allclose(a, e, rtol=1e-2, atol=1e-2)


def test_long_sums_keep_their_digits():
    x = np.full((2, 300_001), 0.1, np.float32)
    np.testing.assert_allclose(sums.row_sums(x), 30000.1, rtol=1e-6)
    np.testing.assert_allclose(sums.column_sums(x.T), 30000.1, rtol=1e-6)
