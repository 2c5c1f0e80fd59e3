"""Random numbers inside vmap are PyTorch's, for the same seed."""

from __future__ import annotations

import pytest
import torch

import wengert
from tests.autograd.support import Log, assert_same

PROGRAMS = {
    "randn": lambda t, x: x + t.randn(3),
    "randn of many": lambda t, x: x[0] + t.randn(20),
    "rand_like": lambda t, x: t.rand_like(x),
    "bernoulli": lambda t, x: t.bernoulli(x / 2),
    "dropout": lambda t, x: t.nn.functional.dropout(x),
    "grad of dropout": lambda t, x: t.func.grad(
        lambda x: t.nn.functional.dropout(x).sum()
    )(x),
    "jvp of dropout": lambda t, x: t.func.jvp(t.nn.functional.dropout, (x,), (x,)),
    "randint": lambda t, x: t.randint(10, (4,)),
}
SAME = [name for name in PROGRAMS if name != "bernoulli"]


@pytest.mark.parametrize(
    ("name", "randomness"),
    [(name, "different") for name in PROGRAMS] + [(name, "same") for name in SAME],
)
def test_numbers(name, randomness):
    logs = []
    for t in (wengert, torch):
        t.manual_seed(3)
        log = Log()
        log(
            t.vmap(lambda x, t=t: PROGRAMS[name](t, x), randomness=randomness)(
                t.ones(4, 3)
            )
        )
        log(t.rand(2))
        logs.append(log.entries)
    assert_same(*logs)


def test_nested():
    logs = []
    for t in (wengert, torch):
        t.manual_seed(3)
        inner = t.vmap(lambda x, t=t: t.rand_like(x), randomness="same")
        log = Log()
        log(t.vmap(inner, randomness="different")(t.ones(3, 2)))
        logs.append(log.entries)
    assert_same(*logs)


def test_in_place():
    wengert.manual_seed(0)
    found = wengert.vmap(lambda x: x.clone().normal_(), randomness="different")(
        wengert.zeros(3, 2)
    )
    assert len(set(found.reshape(-1).tolist())) == 6
    found = wengert.vmap(lambda x: x.clone().normal_(), randomness="same")(
        wengert.zeros(3, 2)
    )
    assert found[0].tolist() == found[1].tolist() == found[2].tolist()


@pytest.mark.parametrize("name", PROGRAMS)
def test_error_mode(name):
    with pytest.raises(RuntimeError, match="randomness error mode"):
        wengert.vmap(lambda x: PROGRAMS[name](wengert, x))(wengert.ones(4, 3))


def test_permutations():
    found = wengert.vmap(lambda x: wengert.randperm(5), randomness="different")(
        wengert.ones(4)
    )
    assert [sorted(row) for row in found.tolist()] == [list(range(5))] * 4


def test_chunks_with_the_same_numbers():
    found = wengert.vmap(lambda x: wengert.rand(2), randomness="same", chunk_size=2)(
        wengert.ones(3)
    )
    assert found[0].tolist() == found[2].tolist()
