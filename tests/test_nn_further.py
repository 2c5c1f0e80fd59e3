"""Layers that few programs need, against PyTorch's."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

import wengert
import wengert.nn

pytestmark = pytest.mark.filterwarnings("ignore")


def loss_of_sequences(t: Any) -> Any:
    logs = t.arange(48.0).reshape(6, 2, 4).sin().log_softmax(2)
    labels = t.tensor([[1, 2, 2], [3, 1, 1]])
    layer = t.nn.CTCLoss(reduction="sum", zero_infinity=True)
    return layer(logs, labels, t.tensor([6, 5]), t.tensor([3, 2]))


def loss_of_features(t: Any) -> Any:
    t.manual_seed(0)
    layer = t.nn.LinearCrossEntropyLoss(3, 4, out_features=(2,), bias=True)
    x = t.arange(6.0).reshape(2, 3)
    return layer(x, t.tensor([[0, 1], [3, 2]])), layer.linear.weight


def pooled(t: Any) -> Any:
    t.manual_seed(0)
    layer = t.nn.FractionalMaxPool2d(2, output_ratio=0.5, return_indices=True)
    volume = t.nn.FractionalMaxPool3d((2, 1, 2), output_size=2)
    x = t.arange(64.0).sin()
    return *layer(x.reshape(1, 1, 8, 8)), volume(x.reshape(1, 1, 4, 4, 4))


def enlarged(t: Any) -> Any:
    x = t.arange(4.0).reshape(1, 1, 2, 2)
    F = t.nn.functional
    return F.upsample(x, 4), F.upsample_nearest(x, 4), F.upsample_bilinear(x, 4)


def normalized(t: Any) -> Any:
    t.manual_seed(0)
    layer = t.nn.utils.weight_norm(t.nn.Linear(3, 2))
    whole = t.nn.utils.weight_norm(t.nn.Conv1d(2, 3, 2), dim=None)
    x = t.arange(6.0).reshape(2, 3)
    first = layer(x)
    first.sum().backward()
    with t.no_grad():
        layer.weight_g.mul_(2)
    grads = layer.weight_g.grad, layer.weight_v.grad
    results = first, layer(x), whole(x), layer.weight, whole.weight_g
    t.nn.utils.remove_weight_norm(layer)
    names = sorted(name for name, _ in layer.named_parameters())
    return (
        *results,
        *grads,
        layer(x),
        layer.weight,
        t.tensor(names == ["bias", "weight"]),
    )


def printed(t: Any) -> Any:
    return t.tensor(
        [
            len(repr(t.nn.LinearCrossEntropyLoss(3, 4))),
            len(repr(t.nn.CTCLoss())),
            len(repr(t.nn.FractionalMaxPool2d(2, 3))),
        ]
    )


PROGRAMS = [normalized, loss_of_sequences, loss_of_features, pooled, enlarged, printed]


@pytest.mark.parametrize("program", PROGRAMS)
def test_layer(program: Any) -> None:
    ours, theirs = program(wengert), program(torch)
    if not isinstance(theirs, tuple):
        ours, theirs = (ours,), (theirs,)
    for our, their in zip(ours, theirs, strict=True):
        np.testing.assert_allclose(
            our.detach().numpy(), their.detach().numpy(), rtol=1e-5, atol=1e-6
        )


REFUSED = """
nn.FractionalMaxPool2d(2)
nn.FractionalMaxPool2d(2, 3, 0.5)
nn.FractionalMaxPool3d(2, output_ratio=1.5)
nn.LinearCrossEntropyLoss(3, 4, weight=ones(3))
nn.LinearCrossEntropyLoss(3, 4, label_smoothing=2)
nn.LinearCrossEntropyOptions(acc_policy='some')
nn.LinearCrossEntropyOptions(batch_chunk_size=0)
nn.LinearCrossEntropyOptions(chunking_method='some')
F.fractional_max_pool2d(ones(1, 4, 4), 2)
F.fractional_max_pool2d(ones(1, 4, 4), 2, 4)
F.fractional_max_pool2d(ones(1, 1, 4, 3), 2, 3)
F.fractional_max_pool3d(ones(1, 1, 4, 4, 4), 2, 3)
F.fractional_max_pool3d(ones(1, 1, 5, 5, 4), 2, 3)
F.ctc_loss(logs, labels, (5, 6), (2, 2))
F.ctc_loss(logs, labels, (5, 5), (2, 3))
F.ctc_loss(logs, labels, (5,), (2, 2))
F.ctc_loss(logs, labels, (5, 5), (2,))
F.ctc_loss(logs, labels, (5, -1), (2, 2))
F.ctc_loss(logs, labels, (5, 5), (2, -2))
F.ctc_loss(logs, labels, (5, 5), (2, 2), blank=3)
F.ctc_loss(logs, labels[0], (5, 5), (2, 2))
F.ctc_loss(logs, labels, (5, 5), (2, 2), reduction='some')
F.linear_cross_entropy(ones(2, 3), ones(3), labels[0])
F.linear_cross_entropy(ones(2, 2, 3), ones(2, 3), labels[0])
F.linear_cross_entropy(ones(2, 3), ones(4, 2), labels[0])
F.linear_cross_entropy(ones(2, 3), ones(4, 3), labels[0], linear_bias=ones(3))
F.linear_cross_entropy(ones(3), ones(4, 2, 3), labels[0])
F.linear_cross_entropy(ones(2, 3), ones(2, 3), ones(2, 2), ignore_index=1)
"""


@pytest.mark.parametrize("expression", REFUSED.strip().split("\n"))
def test_refused(expression: str) -> None:
    raised = []
    for t in (wengert, torch):
        names = {"nn": t.nn, "F": t.nn.functional, "ones": t.ones}
        names |= {"logs": t.ones(5, 2, 3), "labels": t.ones(2, 2).long()}
        with pytest.raises((RuntimeError, ValueError)) as caught:
            eval(expression, names)
        raised.append((caught.type, str(caught.value).split("\n")[0]))
    assert raised[0] == raised[1]
