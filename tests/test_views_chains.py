"""Chains of views, written into and differentiated, beside PyTorch's."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings, strategies as st

import wengert

Step = tuple[str, tuple[Any, ...]]


@st.composite
def index(draw: st.DrawFn, shape: tuple[int, ...]) -> tuple[Any, ...]:
    """A basic index of integers, slices and None that shows at least one element."""
    items: list[Any] = []
    for size in shape[: draw(st.integers(0, len(shape)))]:
        kind = draw(st.sampled_from(["integer", "slice", "whole", "none"]))
        if kind == "none":
            items += [None, slice(None)]
        elif kind == "integer":
            items.append(draw(st.integers(-size, size - 1)))
        elif kind == "slice":
            start = draw(st.integers(0, size - 1))
            items.append(slice(start, None, draw(st.integers(1, 2))))
        else:
            items.append(slice(None))
    return tuple(items)


@st.composite
def step(draw: st.DrawFn, shape: tuple[int, ...]) -> Step:
    """A view op that a tensor of this shape takes, with its arguments."""
    ndim = len(shape)
    choices = ["getitem", "unsqueeze", "squeeze", "reshape"]
    if ndim:
        choices += ["permute", "transpose", "select", "narrow", "unfold"]
        choices += ["split", "unbind", "expand"]
    if ndim > 1:
        choices += ["diagonal", "flatten"]
    name = draw(st.sampled_from(choices))
    dim = draw(st.integers(0, max(ndim - 1, 0)))
    size = shape[dim] if ndim else 1
    arguments: dict[str, Any] = {
        "getitem": lambda: (draw(index(shape)),),
        "unsqueeze": lambda: (draw(st.integers(-ndim - 1, ndim)),),
        "squeeze": lambda: (),
        "reshape": lambda: (draw(st.sampled_from([(-1,), (1, -1), (*shape, 1)])),),
        "permute": lambda: (tuple(draw(st.permutations(range(ndim)))),),
        "transpose": lambda: (dim, draw(st.integers(-ndim, ndim - 1))),
        "select": lambda: (dim, draw(st.integers(-size, size - 1))),
        "narrow": lambda: (dim, 0, draw(st.integers(1, size))),
        # Windows that overlap cannot be written to in a defined way.
        "unfold": lambda: (dim, width := draw(st.integers(1, size)), width),
        "split": lambda: (draw(st.integers(1, size)), dim),
        "unbind": lambda: (dim,),
        "expand": lambda: ((2, *shape),),
        "diagonal": lambda: (),
        "flatten": lambda: (0, 1),
    }
    return name, arguments[name]()


def apply(tensor: Any, name: str, args: tuple[Any, ...]) -> Any:
    """Apply a step: the method, or of several results the last one."""
    if name == "getitem":
        return tensor[args[0]]
    made = getattr(tensor, name)(*args)
    return made[-1] if isinstance(made, tuple) else made


@st.composite
def chain(draw: st.DrawFn) -> tuple[np.ndarray, list[Step]]:
    """An array and up to four steps that each apply to the result of the one before."""
    shape = tuple(draw(st.lists(st.integers(1, 3), min_size=0, max_size=3)))
    array = np.arange(1.0, 1 + np.prod(shape)).reshape(shape)
    steps: list[Step] = []
    probe = torch.from_numpy(array.copy())
    for _ in range(draw(st.integers(1, 4))):
        steps.append(draw(step(tuple(probe.shape))))
        probe = apply(probe, *steps[-1])
    return array, steps


def outcome(library: Any, array: np.ndarray, steps: list[Step], write: str) -> Any:
    """Return what a program of views and a write gives, or the error it ends with."""
    leaf = library.from_numpy(array.copy()).requires_grad_()
    base = leaf * 1.0
    views = [base]
    for name, args in steps:
        views.append(apply(views[-1], name, args))
    last = views[-1]
    try:
        if write == "multiply":
            last.mul_(2.0)
        elif write == "assign":
            last[...] = leaf.sum()
        elif write == "base":
            base.mul_(3.0)
        elif write == "quietly":
            with library.no_grad():
                last.add_(1.0)
        total = sum((k + 1.0) * (view * view).sum() for k, view in enumerate(views))
        (gradient,) = library.autograd.grad(total, leaf)
    except RuntimeError as error:
        return str(error).partition(" ")[0], None
    return (
        [view.detach().numpy().copy() for view in views],
        gradient.numpy(),
    )


@pytest.mark.parametrize("write", ["nothing", "multiply", "assign", "base", "quietly"])
@given(program=chain())
@settings(max_examples=60)
def test_values_and_gradients(
    write: str, program: tuple[np.ndarray, list[Step]]
) -> None:
    """Also of views made before the write, which must show what was written."""
    ours = outcome(wengert, *program, write)
    theirs = outcome(torch, *program, write)
    if theirs[1] is None or ours[1] is None:
        assert ours == theirs
        return
    for our, their in zip(ours[0], theirs[0], strict=True):
        np.testing.assert_array_equal(our, their)
    np.testing.assert_allclose(ours[1], theirs[1], rtol=1e-12)


@given(program=chain())
@settings(max_examples=100)
def test_memory_layout(program: tuple[np.ndarray, list[Step]]) -> None:
    """A view is one exactly where PyTorch has one, and lies where PyTorch's does."""
    array, steps = program
    ours, theirs = wengert.from_numpy(array.copy()), torch.from_numpy(array.copy())
    for name, args in steps:
        ours, theirs = apply(ours, name, args), apply(theirs, name, args)
        assert ours._is_view() == theirs._is_view()
        assert tuple(ours.shape) == tuple(theirs.shape)
        assert ours.is_contiguous() == theirs.is_contiguous()
        assert ours.storage_offset() == theirs.storage_offset()
        steps_of = [
            (our, their)
            for our, their, size in zip(
                ours.stride(), theirs.stride(), ours.shape, strict=True
            )
            if size > 1
        ]
        assert all(our == their for our, their in steps_of)


@given(
    shape=st.lists(st.sampled_from([1, 2, 3, 4]), min_size=1, max_size=4),
    order=st.randoms(),
)
@settings(max_examples=150)
def test_reshape_copies_exactly_where_it_must(shape: list[int], order: Any) -> None:
    dims = list(range(len(shape)))
    order.shuffle(dims)
    sizes = list(shape)
    order.shuffle(sizes)
    array = np.arange(np.prod(shape)).reshape(shape)
    ours = wengert.from_numpy(array).permute(dims)
    theirs = torch.from_numpy(array).permute(dims)
    our, their = ours.reshape(sizes), theirs.reshape(sizes)
    np.testing.assert_array_equal(our.numpy(), their.numpy())
    shared = np.shares_memory(our.numpy(), array)
    assert shared == (their.data_ptr() == theirs.data_ptr())
    if shared:
        assert ours.view(sizes)._is_view()
    else:
        with pytest.raises(RuntimeError, match="view size is not compatible"):
            ours.view(sizes)
