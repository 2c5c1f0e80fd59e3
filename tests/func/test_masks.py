"""Indexing by masks under vmap: reading has another shape for each, writing has not."""

from __future__ import annotations

import pytest
import torch

import wengert

LIBRARIES = (wengert, torch)


def vmap(library, function):
    x = library.tensor([[1.0, -2.0], [3.0, 4.0]])
    return library.func.vmap(function)(x)


@pytest.mark.parametrize("library", LIBRARIES)
def test_reading_is_refused(library):
    with pytest.raises(RuntimeError, match="dynamic shape"):
        vmap(library, lambda x: x[x > 0])


def test_writing_is_not():
    def positive(x):
        y = x.clone()
        y[y < 0] = 0.0
        return y

    assert vmap(wengert, positive).tolist() == [[1.0, 0.0], [3.0, 4.0]]


def test_writing_into_what_is_new():
    def marked(x):
        y = wengert.zeros(2)
        y[x > 0] = 1.0
        return y

    assert vmap(wengert, marked).tolist() == [[1.0, 0.0], [1.0, 1.0]]


@pytest.mark.parametrize("library", LIBRARIES)
def test_a_mask_for_all_is_like_an_index(library):
    mask = library.tensor([False, True])
    assert vmap(library, lambda x: x[mask]).tolist() == [[-2.0], [4.0]]
