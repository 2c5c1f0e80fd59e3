"""Recurrent layers against PyTorch's: first values, results, gradients, packing."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest
import torch

import wengert

LIBRARIES = (wengert, torch)
KINDS = ("RNN", "LSTM", "GRU")
OPTIONS: dict[str, dict[str, Any]] = {
    "plain": {},
    "layers": {"num_layers": 3},
    "no bias": {"bias": False},
    "batch first": {"batch_first": True, "num_layers": 2},
    "both ways": {"bidirectional": True, "num_layers": 2},
    "dropout": {"dropout": 0.5, "num_layers": 2},
}
CASES = [
    *itertools.product(KINDS, OPTIONS.values()),
    ("RNN", {"nonlinearity": "relu"}),
    ("LSTM", {"proj_size": 3}),
    ("LSTM", {"proj_size": 3, "bidirectional": True, "num_layers": 2}),
]
LENGTHS = [2, 5, 4]


def made(library: Any, kind: str, options: dict[str, Any]) -> Any:
    library.manual_seed(1)
    return getattr(library.nn, kind)(4, 6, dtype=library.float64, **options)


def numbers(*shape: int) -> np.ndarray:
    return np.random.default_rng(sum(shape)).standard_normal(shape)


def flat(result: Any) -> list[Any]:
    """Return all tensors of a result of tuples."""
    if isinstance(result, tuple | list):
        return [tensor for part in result for tensor in flat(part)]
    return [] if result is None else [result]


def outcome(library: Any, kind: str, options: dict[str, Any], run: Any) -> list[Any]:
    """Return what a layer's results and gradients are, as arrays."""
    layer = made(library, kind, options)
    x = library.tensor(numbers(5, 3, 4), requires_grad=True)
    library.manual_seed(2)
    outputs = flat(run(library, layer, x))
    floats = [out for out in outputs if out.dtype.is_floating_point]
    sum([(out * (i + 1)).sin().sum() for i, out in enumerate(floats)]).backward()
    gradients = [x.grad, *[p.grad for p in layer.parameters()]]
    return [tensor.detach().numpy() for tensor in [*outputs, *gradients]]


def agree(kind: str, options: dict[str, Any], run: Any) -> None:
    mine, theirs = [outcome(t, kind, options, run) for t in LIBRARIES]
    assert len(mine) == len(theirs)
    for a, b in zip(mine, theirs, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize(("kind", "options"), CASES)
def test_like_pytorchs(kind, options):
    agree(kind, options, lambda library, layer, x: layer(x))
    mine, theirs = [made(library, kind, options) for library in LIBRARIES]
    assert repr(mine) == repr(theirs)
    state, expected = mine.state_dict(), theirs.state_dict()
    assert list(state) == list(expected)
    for name, value in expected.items():
        np.testing.assert_array_equal(state[name].numpy(), value.numpy())


@pytest.mark.parametrize(("kind", "options"), CASES)
@pytest.mark.parametrize("sort", [True, False])
def test_packed(kind, options, sort):
    lengths = sorted(LENGTHS, reverse=True) if sort else LENGTHS

    def run(library, layer, x):
        rnn = library.nn.utils.rnn
        packed = rnn.pack_padded_sequence(x, lengths, enforce_sorted=sort)
        output, last = layer(packed)
        return rnn.pad_packed_sequence(output, batch_first=True), last

    agree(kind, options, run)


@pytest.mark.parametrize("kind", KINDS)
def test_first_state(kind):
    def run(library, layer, x):
        first = library.tensor(numbers(2, 3, 6))
        return layer(x, (first, first * 2) if kind == "LSTM" else first)

    agree(kind, {"bidirectional": True}, run)


@pytest.mark.parametrize("kind", KINDS)
def test_without_batch(kind):
    def run(library, layer, x):
        first = library.tensor(numbers(1, 6))
        return layer(x[:, 0]), layer(
            x[:, 1], (first, first) if kind == "LSTM" else first
        )

    agree(kind, {}, run)


@pytest.mark.parametrize("kind", ["RNNCell", "LSTMCell", "GRUCell"])
@pytest.mark.parametrize("options", [{}, {"bias": False}])
def test_cells(kind, options):
    def run(library, cell, x):
        state = cell(x[0])
        return cell(x[1], state), cell(x[0, 0])

    agree(kind, options, run)
    cells = [made(library, kind, options) for library in LIBRARIES]
    assert repr(cells[0]) == repr(cells[1])
    inputs = [library.ones(2, 4, dtype=library.float64) for library in LIBRARIES]
    nodes = [
        [state.grad_fn.name() for state in flat(cell(x))]
        for cell, x in zip(cells, inputs, strict=True)
    ]
    assert nodes[0] == nodes[1]


@pytest.mark.parametrize("kind", KINDS)
def test_every_mode(kind):
    """Reverse, forward, both under vmap, and second derivatives."""
    layer = made(wengert, kind, {})
    x = wengert.tensor(numbers(2, 2, 4), requires_grad=True)

    def run(x, weight):
        parameters = {**dict(layer.named_parameters()), "weight_hh_l0": weight}
        return wengert.func.functional_call(layer, parameters, (x,))[0]

    weight = layer.weight_hh_l0.detach().clone().requires_grad_()
    check = wengert.autograd.gradcheck
    assert check(run, (x, weight), check_forward_ad=True, check_batched_grad=True)
    assert wengert.autograd.gradgradcheck(run, (x, weight), check_fwd_over_rev=True)


@pytest.mark.parametrize("options", [{}, {"bidirectional": True, "num_layers": 2}])
@pytest.mark.parametrize("kind", KINDS)
def test_second_derivatives(kind, options):
    found = []
    for library in LIBRARIES:
        layer = made(library, kind, options)
        x = library.tensor(numbers(5, 3, 4), requires_grad=True)
        leaves = [x, *layer.parameters()]
        loss = sum([out.sin().sum() for out in flat(layer(x))])
        first = library.autograd.grad(loss, leaves, create_graph=True)
        second = library.autograd.grad(sum([g.pow(2).sum() for g in first]), leaves)
        found.append([tensor.detach().numpy() for tensor in [*first, *second]])
    for mine, theirs in zip(*found, strict=True):
        np.testing.assert_allclose(mine, theirs, rtol=1e-8, atol=1e-10)


@pytest.mark.parametrize("used", ["outputs", "h", "c"])
def test_any_of_an_lstms_results_alone(used):
    def run(library, layer, x):
        outputs, (h, c) = layer(x)
        return {"outputs": outputs[2:], "h": h, "c": c}[used]

    for options in ({}, {"bidirectional": True}):
        agree("LSTM", options, run)


@pytest.mark.filterwarnings("error")
def test_gates_that_are_shut():
    """Exponentials overflow, and the gates' values are zero and one all the same."""
    agree("LSTM", {}, lambda library, layer, x: layer(x * 1e6))
    lstm = wengert.nn.LSTM(4, 6)
    outputs, _ = lstm(wengert.full((5, 3, 4), -1e30))
    assert outputs.isfinite().all()


def test_nodes_of_an_lstm():
    names = []
    for library in LIBRARIES:
        x = library.zeros(5, 3, 4)
        for options in ({}, {"batch_first": True}, {"bidirectional": True}):
            outputs, (h, c) = library.nn.LSTM(4, 6, **options)(x)
            names.append([t.grad_fn.name() for t in (outputs, h, c)])
    assert names[:3] == names[3:]


@pytest.mark.parametrize("kind", KINDS)
def test_compiled(kind):
    layer = made(wengert, kind, {})
    x = wengert.tensor(numbers(3, 2, 4))

    def gradient(x):
        x = x.detach().requires_grad_()
        (found,) = wengert.autograd.grad(layer(x)[0].sin().sum(), x)
        return found

    compiled = wengert.compile(gradient)
    for _ in range(3):
        np.testing.assert_allclose(compiled(x).numpy(), gradient(x).numpy(), rtol=1e-9)


def test_packing_sequences():
    def packed(library):
        rnn = library.nn.utils.rnn
        sequences = [library.arange(float(n)) for n in LENGTHS]
        packed = rnn.pack_sequence(sequences, enforce_sorted=False)
        return [part.tolist() for part in [*packed, *rnn.unpack_sequence(packed)]]

    assert packed(wengert) == packed(torch)


REFUSED = {
    "input": lambda t: t.nn.GRU(4, 6)(t.ones(2, 3, 5)),
    "dims": lambda t: t.nn.LSTM(4, 6)(t.ones(1, 2, 3, 4)),
    "state": lambda t: t.nn.GRU(4, 6)(t.ones(2, 3, 4), t.ones(1, 2, 6)),
    "state of LSTM": lambda t: t.nn.LSTM(4, 6)(
        t.ones(2, 3, 4), (t.ones(1, 3, 6), t.ones(1, 2, 6))
    ),
    "batch of state": lambda t: t.nn.RNN(4, 6)(t.ones(2, 3, 4), t.ones(1, 6)),
    "hidden size": lambda t: t.nn.RNN(4, 0),
    "layers": lambda t: t.nn.RNN(4, 2, 0),
    "dropout": lambda t: t.nn.LSTM(4, 2, dropout=2),
    "projection": lambda t: t.nn.LSTM(4, 2, proj_size=2),
    "projection of GRU": lambda t: t.nn.GRU(4, 2, proj_size=1),
    "nonlinearity": lambda t: t.nn.RNN(4, 2, nonlinearity="sin"),
    "cell": lambda t: t.nn.GRUCell(4, 2)(t.ones(1, 2, 4)),
    "order": lambda t: t.nn.utils.rnn.pack_padded_sequence(t.ones(3, 2), [1, 3]),
    "lengths": lambda t: t.nn.utils.rnn.pack_padded_sequence(t.ones(3, 2), [3, 0]),
}


@pytest.mark.parametrize("call", REFUSED.values(), ids=REFUSED)
def test_refused(call):
    errors = []
    for library in LIBRARIES:
        with pytest.raises((RuntimeError, ValueError)) as caught:
            call(library)
        errors.append((caught.type, str(caught.value)))
    assert errors[0] == errors[1]
