"""Gradient clipping, parameters as vectors, padded sequences: beside PyTorch's."""

import numpy as np
import pytest
import torch

import wengert

LIBRARIES = (wengert, torch)
GRADS = [[3.0, -4.0], None, [[1.0], [0.0]], [2.5]]


def parameters(library, grads=GRADS, dtype="float64"):
    kind = getattr(library, dtype)
    found = []
    for grad in grads:
        values = library.zeros(2) if grad is None else library.tensor(grad)
        param = library.nn.Parameter(library.zeros_like(values, dtype=kind))
        param.grad = None if grad is None else values.to(kind)
        found.append(param)
    return found


def grads_of(params):
    return [None if p.grad is None else p.grad.tolist() for p in params]


@pytest.mark.parametrize("norm_type", [2.0, 1, 3.5, "inf", float("inf"), -1, 0])
@pytest.mark.parametrize("limit", [0.5, 100.0])
def test_clip_grad_norm_(norm_type, limit):
    found = []
    for library in LIBRARIES:
        params = parameters(library)
        with np.errstate(divide="ignore"):
            total = library.nn.utils.clip_grad_norm_(params, limit, norm_type)
        found.append((total.item(), grads_of(params), str(total.dtype)))
    assert found[0][0] == pytest.approx(found[1][0], rel=1e-12)
    for mine, theirs in zip(found[0][1], found[1][1], strict=True):
        if theirs is None:
            assert mine is None
        else:
            np.testing.assert_allclose(mine, theirs, rtol=1e-10)
    assert found[0][2] == found[1][2]


@pytest.mark.parametrize("dtype", ["float32", "complex64"])
def test_clip_grad_norm_of_dtypes(dtype):
    found = []
    for library in LIBRARIES:
        params = parameters(library, [[3.0, 4.0], [1.0]], dtype)
        total = library.nn.utils.clip_grad_norm_(params, 1.0)
        found.append((total.item(), str(total.dtype), np.array(grads_of(params)[0])))
    assert found[0][0] == pytest.approx(found[1][0], rel=1e-6)
    assert found[0][1] == found[1][1]
    np.testing.assert_allclose(found[0][2], found[1][2], rtol=1e-6)


@pytest.mark.parametrize(
    "take",
    [lambda p: p[0], iter, lambda p: [], lambda p: (x for x in p)],
    ids=["one", "iterator", "none", "generator"],
)
def test_clip_grad_norm_of_what_is_given(take):
    found = []
    for library in LIBRARIES:
        params = parameters(library)
        total = library.nn.utils.clip_grad_norm_(take(params), 1.0)
        found.append(total.item())
    assert found[0] == pytest.approx(found[1], rel=1e-12)


def test_norms_that_are_not_finite():
    for library in LIBRARIES:
        params = parameters(library, [[float("inf")], [1.0]])
        with pytest.raises(
            RuntimeError, match="is non-finite, so it cannot be clipped"
        ):
            library.nn.utils.clip_grad_norm_(params, 1.0, error_if_nonfinite=True)
        total = library.nn.utils.clip_grad_norm_(params, 1.0)
        assert total.item() == float("inf")
        assert np.isnan(params[0].grad.item())
        assert params[1].grad.item() == 0.0


def test_clip_grad_value_():
    found = []
    for library in LIBRARIES:
        params = parameters(library)
        library.nn.utils.clip_grad_value_(params, 2)
        found.append(grads_of(params))
    assert found[0] == found[1]


def test_total_norm_and_scaling():
    params = parameters(wengert, [[3.0], [4.0]])
    utils = wengert.nn.utils
    total = utils.get_total_norm([p.grad for p in params])
    assert total.item() == 5.0
    utils.clip_grads_with_norm_(params, 1.0, total)
    np.testing.assert_allclose(grads_of(params), [[0.6], [0.8]], rtol=1e-6)


def test_the_older_name_warns():
    with pytest.warns(FutureWarning, match="clip_grad_norm_"):
        wengert.nn.utils.clip_grad_norm(parameters(wengert), 1.0)


def test_parameters_and_vectors():
    utils = wengert.nn.utils
    model = wengert.nn.Sequential(wengert.nn.Linear(2, 3), wengert.nn.Linear(3, 1))
    vector = utils.parameters_to_vector(model.parameters())
    assert vector.shape == (13,)
    assert vector.requires_grad
    utils.vector_to_parameters(wengert.arange(13.0), model.parameters())
    assert model[0].weight.tolist() == [[0, 1], [2, 3], [4, 5]]
    assert model[1].bias.tolist() == [12]
    assert model[0].weight.requires_grad
    with pytest.raises(TypeError, match=r"expected torch\.Tensor, but got: list"):
        utils.vector_to_parameters([1.0], model.parameters())


SEQUENCES = [[[1.0, 2.0]], [[3.0, 4.0], [5.0, 6.0]], [[7.0, 8.0]]]


@pytest.mark.parametrize("side", ["left", "right"])
@pytest.mark.parametrize("batch_first", [True, False])
def test_pad_sequence(batch_first, side):
    found = []
    for library in LIBRARIES:
        sequences = [library.tensor(s, requires_grad=True) for s in SEQUENCES]
        rnn = library.nn.utils.rnn
        padded = rnn.pad_sequence(sequences, batch_first, -1.0, side)
        (padded * padded).sum().backward()
        found.append((padded.tolist(), [s.grad.tolist() for s in sequences]))
    assert found[0] == found[1]


def test_unpad_sequence():
    rnn = wengert.nn.utils.rnn
    sequences = [wengert.tensor(s) for s in SEQUENCES]
    lengths = wengert.tensor([len(s) for s in SEQUENCES])
    back = rnn.unpad_sequence(rnn.pad_sequence(sequences), lengths)
    assert [s.tolist() for s in back] == SEQUENCES


def test_pad_sequence_wants_sequences():
    with pytest.raises(RuntimeError, match="Expected iterable for input sequences"):
        wengert.nn.utils.rnn.pad_sequence(3)
    with pytest.raises(ValueError, match="padding_side"):
        wengert.nn.utils.rnn.pad_sequence([wengert.ones(1)], padding_side="top")
