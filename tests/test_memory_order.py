"""Memory is given out, and filled with random numbers, in the order PyTorch has."""

from math import prod

import pytest
import torch

import wengert

LIKE = {
    "zeros_like": (),
    "ones_like": (),
    "full_like": (3.0,),
    "rand_like": (),
    "randn_like": (),
    "randint_like": (10,),
}
FILL = {
    "uniform_": (-1, 2),
    "normal_": (1, 2),
    "exponential_": (),
    "bernoulli_": (0.3,),
    "random_": (5, 50),
    "geometric_": (0.3,),
    "cauchy_": (),
    "log_normal_": (),
}
SHAPES = [(2, 3), (5, 7), (3, 4, 5), (2, 3, 4, 5)]
VIEWS = {
    "contiguous": lambda x: x,
    "transposed": lambda x: x.transpose(0, -1),
    "rotated": lambda x: x.movedim(0, -1),
    "part": lambda x: x[:, 1:],
    "transposed part": lambda x: x[:, 1:].transpose(0, 1),
    "with a gap": lambda x: x[..., ::2],
}


def check(run):
    """Compare values and strides with PyTorch's."""
    found, expected = [], []
    for library, results in ((wengert, found), (torch, expected)):
        library.manual_seed(0)
        for tensor in run(library):
            results.append((tensor.stride(), tensor.tolist()))
    for (stride, values), (their_stride, theirs) in zip(found, expected, strict=True):
        assert tuple(stride) == tuple(their_stride)
        torch.testing.assert_close(torch.tensor(values), torch.tensor(theirs))


@pytest.mark.parametrize("view", VIEWS)
@pytest.mark.parametrize("name", LIKE)
def test_what_is_like_another_tensor(name, view):
    def run(library):
        for shape in SHAPES:
            like = VIEWS[view](library.zeros(shape))
            yield getattr(library, name)(like, *LIKE[name])
            contiguous = library.contiguous_format
            yield getattr(library, name)(like, *LIKE[name], memory_format=contiguous)

    check(run)


@pytest.mark.parametrize("view", VIEWS)
@pytest.mark.parametrize("name", FILL)
def test_filling(name, view):
    def run(library):
        for shape in SHAPES:
            memory = library.zeros(shape)
            getattr(VIEWS[view](memory), name)(*FILL[name])
            yield memory

    check(run)


@pytest.mark.parametrize("view", VIEWS)
def test_drawing_with_parameters_that_lie_in_some_order(view):
    def run(library):
        functional = library.nn.functional
        for shape in SHAPES:
            values = VIEWS[view](library.linspace(0.1, 0.9, prod(shape)).view(shape))
            yield functional.dropout(values, 0.5)
            yield functional.dropout(values.exp() + 1, 0.5)
            yield functional.alpha_dropout(values, 0.5, True)
            yield library.bernoulli(values)
            chances = library.full((values.shape[-1],), 0.4)
            memory = library.zeros(shape)
            VIEWS[view](memory).bernoulli_(chances)
            yield memory
            named = library.zeros(shape)
            VIEWS[view](named).bernoulli_(p=chances)
            yield named
        weights = VIEWS[view](library.arange(1.0, 36.0).view(5, 7))
        yield library.multinomial(weights, 3)
        yield library.multinomial(weights, 5, True)

    check(run)
