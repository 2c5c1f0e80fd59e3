"""Questions about sizes and memory, beside PyTorch's answers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch

import wengert

QUESTIONS: dict[str, Callable[[Any, Any], Any]] = {
    "size": lambda t, x: (tuple(x.size()), x.size(0), x.size(-1), x.size(dim=1)),
    "len": lambda t, x: len(x),
    "dim": lambda t, x: (x.dim(), x.ndimension(), x.ndim),
    "numel": lambda t, x: (x.numel(), x.nelement(), t.numel(x)),
    "bytes": lambda t, x: (x.element_size(), x.itemsize, x.nbytes),
    "stride": lambda t, x: (x.stride(), x.stride(0), x.stride(-1)),
    "offset": lambda t, x: x.storage_offset(),
    "is_contiguous": lambda t, x: x.is_contiguous(),
    "channels_last": lambda t, x: (
        x.unsqueeze(0).permute(0, 3, 1, 2).is_contiguous(memory_format=t.channels_last)
    ),
    "contiguous_is_itself": lambda t, x: x.contiguous() is x,
    "contiguous": lambda t, x: x.contiguous().stride(),
    "is_same_size": lambda t, x: (x.is_same_size(x), t.is_same_size(x, x[0])),
    "is_view": lambda t, x: (x._is_view(), x._base is None),
    "same_address": lambda t, x: x.data_ptr() == x[:1].data_ptr(),
    "other_address": lambda t, x: x[:, 1:].data_ptr() - x.data_ptr(),
}
TENSORS: dict[str, Callable[[Any], Any]] = {
    "whole": lambda x: x,
    "transposed": lambda x: x.transpose(0, 2),
    "part": lambda x: x[:, 1:, ::2],
    "row": lambda x: x[1:2],
    "expanded": lambda x: x[:1].expand(3, 3, 4),
}


@pytest.mark.parametrize("tensor", TENSORS)
@pytest.mark.parametrize("question", QUESTIONS)
def test_answers(question: str, tensor: str) -> None:
    array = np.arange(24, dtype=np.float32).reshape(2, 3, 4)
    ours, theirs = [
        QUESTIONS[question](library, TENSORS[tensor](library.from_numpy(array.copy())))
        for library in (wengert, torch)
    ]
    assert ours == theirs


def test_every_view_of_a_view_has_the_same_base() -> None:
    base = wengert.zeros(2, 3)
    view = base[0].unsqueeze(0).T
    assert view._base is base
    assert base._base is None


def test_a_view_shares_memory_and_version() -> None:
    base = wengert.zeros(2, 3)
    row = base[1]
    row.fill_(2.0)
    assert base.tolist() == [[0, 0, 0], [2, 2, 2]]
    assert base._version == row._version == 1
    base.view(-1)[0] = 5.0
    assert row._version == 2
    assert base.numpy()[0, 0] == 5.0


def test_ops_that_copy_share_nothing() -> None:
    base = wengert.ones(2, 2)
    for copy in (
        base.flip(0),
        base.roll(1),
        base.repeat(1, 1),
        base.tril(),
        base[[0, 1]],
        base.index_select(0, wengert.tensor([0, 1])),
        wengert.cat([base]),
        wengert.diagonal_copy(base),
    ):
        copy.zero_()
        assert base.tolist() == [[1, 1], [1, 1]]


def test_resize_keeps_what_fits() -> None:
    tensor = wengert.arange(4)
    assert tensor.resize_(2, 3).shape == (2, 3)
    assert tensor.flatten()[:4].tolist() == [0, 1, 2, 3]
    assert tensor.resize_(2).tolist() == [0, 1]


def test_rows_scaled_to_a_norm_change_in_place() -> None:
    array = np.array([[3.0, 4.0], [0.3, 0.4], [6.0, 8.0]])
    index = np.array([0, 1, 0])
    tables = []
    for library in (wengert, torch):
        table = library.from_numpy(array.copy())
        library.nn.functional.embedding(library.from_numpy(index), table, max_norm=1.0)
        tables.append(table.numpy())
    np.testing.assert_allclose(*tables, rtol=1e-6)
