"""Random programs of views, writes, modes and backward calls, run with both libraries.

For a long run set WENGERT_EXAMPLES, for instance to 1000: that many programs of up to
thirty steps.
"""

from __future__ import annotations

import contextlib
import os
import re
import warnings
from typing import Any

import numpy as np
import torch
from hypothesis import settings, strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule

import wengert

LIBRARIES = (wengert, torch)
Pair = tuple[Any, Any]

UNARY = {
    "sin": lambda x: x.sin(),
    "tanh": lambda x: x.tanh(),
    "half": lambda x: x * 0.5,
    "plus": lambda x: x + 1,
    "clone": lambda x: x.clone(),
    "square": lambda x: x * x,
    "sum": lambda x: x.sum(0, keepdim=True) if x.ndim else x * 1,
}
BINARY = {
    "add": lambda x, y: x + y,
    "sub": lambda x, y: x - y,
    "mul": lambda x, y: x * y,
    "where": lambda x, y: x.where(y > 0, y),
}
VIEWS = {
    "rest": lambda x: x[1:],
    "first": lambda x: x[0],
    "head": lambda x: x[:1],
    "step": lambda x: x[::2],
    "none": lambda x: x[None],
    "dots": lambda x: x[...],
    "transpose": lambda x: x.transpose(0, -1),
    "flat": lambda x: x.view(-1),
    "column": lambda x: x[:, 0],
    "narrow": lambda x: x.narrow(0, 0, 1),
    "diagonal": lambda x: x.diagonal(),
    "squeeze": lambda x: x.squeeze(),
    "detach": lambda x: x.detach(),
    "data": lambda x: x.data,
    "split": lambda x: x.split(1)[0],
    "unbind": lambda x: x.unbind()[-1],
    "chunk": lambda x: x.chunk(2)[-1],
    "tensor_split": lambda x: x.tensor_split(2)[0],
    "expand": lambda x: x[None].expand(2, *x.shape),
    "permute": lambda x: x.permute(*range(x.ndim)[::-1]),
    "strided": lambda x: x.as_strided((1, 2), (2, 1), x.storage_offset()),
    "same strides": lambda x: x.as_strided(x.shape, x.stride()),
    "view_as": lambda x: x.view_as(x),
}
WRITES = {
    "mul_": lambda x: x.mul_(0.5),
    "add_": lambda x: x.add_(1),
    "sin_": lambda x: x.sin_(),
    "tanh_": lambda x: x.tanh_(),
    "neg_": lambda x: x.neg_(),
    "zero_": lambda x: x.zero_(),
    "fill_": lambda x: x.fill_(0.25),
    "clamp_": lambda x: x.clamp_(-0.5, 0.5),
    "setitem": lambda x: x.__setitem__(0, 0.75),
    "mask": lambda x: x.masked_fill_(x > 0.2, 0.1),
    "sigmoid_": lambda x: x.sigmoid_(),
    "relu_": lambda x: x.relu_(),
    "square_": lambda x: x.square_(),
    "cumsum_": lambda x: x.cumsum_(0),
    "part": lambda x: x[:1].mul_(2),
}
SHAPED = {
    "unsqueeze_": lambda x: x.unsqueeze_(0),
    "squeeze_": lambda x: x.squeeze_(0),
    "transpose_": lambda x: x.transpose_(0, -1),
}
WRITES_FROM = {
    "add_": lambda x, y: x.add_(y),
    "mul_": lambda x, y: x.mul_(y),
    "copy_": lambda x, y: x.copy_(y),
    "sub_": lambda x, y: x.sub_(y, alpha=0.5),
    "setitem": lambda x, y: x.__setitem__(0, y[0]),
    "rest": lambda x, y: x.__setitem__(slice(1, None), y[1:]),
    "addcmul_": lambda x, y: x.addcmul_(y, y),
    "lerp_": lambda x, y: x.lerp_(y, 0.25),
}
OUTS = {
    "mul": lambda t, x, y: t.mul(x, y, out=y),
    "add": lambda t, x, y: t.add(x, x, out=y),
    "sin": lambda t, x, y: t.sin(x, out=y),
}
CHANGES = {
    "requires_grad_": lambda x: x.requires_grad_(),
    "no requires_grad_": lambda x: x.requires_grad_(False),
    "detach_": lambda x: x.detach_(),
    "retain_grad": lambda x: x.retain_grad(),
    "no grad": lambda x: setattr(x, "grad", None),
    "hook": lambda x: (x.register_hook(lambda grad: grad * 2), None)[1],
    "data": lambda x: setattr(x, "data", x.detach() * 2),
}

index = st.integers(0, 31)
mode = st.sampled_from(["normal"] * 4 + ["no_grad"])
SHAPES = [(3,), (2, 2), (3, 2), ()]


def message(error: Exception) -> str:
    """What an error says, without the names of ops.

    After a write PyTorch says AsStrided of any view.
    """
    text = re.sub(r"[Oo]utput \d+ of [\w:]+", "output", str(error))
    return text.partition("\n")[0][:120]


def outcome(function: Any, *args: Any) -> tuple[Any, str | None]:
    """Return what a call returns, and the error that it raises."""
    try:
        return function(*args), None
    except Exception as error:
        return None, f"{type(error).__name__}: {message(error)}"


def values(tensor: Any) -> Any:
    return None if tensor is None else np.array(tensor.detach().tolist())


def look(tensor: Any) -> dict[str, Any]:
    """What there is to compare of a tensor."""
    node, problem = outcome(lambda: tensor.grad_fn)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        grad = tensor.grad
    return {
        "values": values(tensor),
        "grad": values(grad),
        "requires_grad": tensor.requires_grad,
        "has grad_fn": node is not None,
        "problem": problem,
        "version": tensor._version,
        "is view": tensor._is_view(),
        "is leaf": problem or tensor.is_leaf,
        "shape": tuple(tensor.shape),
    }


def assert_equal(ours: Any, theirs: Any, what: str) -> None:
    if isinstance(theirs, np.ndarray) and isinstance(ours, np.ndarray):
        np.testing.assert_allclose(ours, theirs, rtol=1e-4, atol=1e-5, err_msg=what)
    else:
        assert ours == theirs if not isinstance(ours, np.ndarray) else False, (
            what,
            ours,
            theirs,
        )


class Programs(RuleBasedStateMachine):
    """One program, run side by side."""

    def __init__(self) -> None:
        super().__init__()
        self.pool: list[Pair] = []

    # --- steps --------------------------------------------------------------------

    @initialize(shape=st.sampled_from(SHAPES[:3]))
    def begin(self, shape: Any) -> None:
        self.make(shape, True, 1)

    @rule(shape=st.sampled_from(SHAPES), grad=st.booleans(), seed=st.integers(0, 9))
    def make(self, shape: Any, grad: bool, seed: int) -> None:
        array = np.random.default_rng(seed).uniform(-1, 1, shape).astype(np.float32)
        self.pool.append(
            tuple(
                t.tensor(array.tolist(), dtype=t.float32, requires_grad=grad)
                for t in LIBRARIES
            )
        )
        del self.pool[:-10]

    @rule(i=index, name=st.sampled_from(sorted(UNARY)), mode=mode)
    def unary(self, i: int, name: str, mode: str) -> None:
        self.keep(self.step(UNARY[name], mode, self.at(i)))

    @rule(i=index, j=index, name=st.sampled_from(sorted(BINARY)), mode=mode)
    def binary(self, i: int, j: int, name: str, mode: str) -> None:
        if self.at(i)[1].shape == self.at(j)[1].shape:
            self.keep(self.step(BINARY[name], mode, self.at(i), self.at(j)))

    @rule(i=index, name=st.sampled_from(sorted(VIEWS)), mode=mode)
    def view(self, i: int, name: str, mode: str) -> None:
        x = self.at(i)[1]
        fits = x.ndim >= 2 or name not in ("column", "diagonal")
        fits = fits and (x.is_contiguous() or name != "flat")
        fits = fits and (x.numel() > 1 or name != "strided")
        if x.ndim and x.ndim < 4 and 0 not in x.shape and fits:
            self.keep(self.step(VIEWS[name], mode, self.at(i)))

    @rule(i=index, name=st.sampled_from(sorted(WRITES)), mode=mode)
    def write(self, i: int, name: str, mode: str) -> None:
        x = self.at(i)[1]
        if name != "setitem" or (x.ndim and x.shape[0]):
            self.step(WRITES[name], mode, self.at(i))

    @rule(i=index, name=st.sampled_from(sorted(SHAPED)))
    def shape(self, i: int, name: str) -> None:
        x = self.at(i)[1]
        if x.ndim and x.ndim < 4:
            self.step(SHAPED[name], "normal", self.at(i))

    @rule(i=index, j=index, name=st.sampled_from(sorted(OUTS)), mode=mode)
    def out(self, i: int, j: int, name: str, mode: str) -> None:
        x, y = self.at(i)[1], self.at(j)[1]
        if x.untyped_storage().data_ptr() == y.untyped_storage().data_ptr():
            return
        if x.shape == y.shape:

            def run(x: Any, y: Any) -> Any:
                library = wengert if isinstance(x, wengert.Tensor) else torch
                return OUTS[name](library, x, y)

            self.step(run, mode, self.at(i), self.at(j))

    @rule(i=index, j=index, name=st.sampled_from(sorted(WRITES_FROM)), mode=mode)
    def write_from(self, i: int, j: int, name: str, mode: str) -> None:
        x, y = self.at(i)[1], self.at(j)[1]
        # PyTorch refuses most writes of memory to itself.
        if x.untyped_storage().data_ptr() == y.untyped_storage().data_ptr():
            return
        if x.shape == y.shape and x.ndim and x.shape[0]:
            self.step(WRITES_FROM[name], mode, self.at(i), self.at(j))

    @rule(i=index, name=st.sampled_from(sorted(CHANGES)))
    def change(self, i: int, name: str) -> None:
        self.step(CHANGES[name], "normal", self.at(i))

    @rule(i=index, retain=st.booleans())
    @precondition(lambda self: len(self.pool) > 1)
    def backward(self, i: int, retain: bool) -> None:
        def run(x: Any) -> None:
            x.sum().backward(retain_graph=retain)

        self.differentiate(run, self.at(i))

    @rule(i=index, j=index, create=st.booleans())
    @precondition(lambda self: len(self.pool) > 1)
    def grad(self, i: int, j: int, create: bool) -> None:
        def run(x: Any, y: Any) -> Any:
            library = wengert if isinstance(x, wengert.Tensor) else torch
            (found,) = library.autograd.grad(
                x.sum(), y, create_graph=create, retain_graph=True, allow_unused=True
            )
            return found

        found = self.differentiate(run, self.at(i), self.at(j))
        if found and found[1] is not None:
            assert_equal(values(found[0]), values(found[1]), "grad")
            assert found[0].requires_grad == found[1].requires_grad

    @rule(i=index)
    @precondition(lambda self: len(self.pool) > 2)
    def forget(self, i: int) -> None:
        del self.pool[i % len(self.pool)]

    # --- both libraries -----------------------------------------------------------

    def at(self, i: int) -> Pair:
        return self.pool[i % len(self.pool)]

    def keep(self, results: Pair | None) -> None:
        if results is not None:
            self.pool.append(results)
            del self.pool[:-10]

    def step(self, function: Any, mode: str, *pairs: Pair) -> Pair | None:
        """Do one thing with both libraries; return the results if there is no error."""
        results, problems = [], []
        for side, t in enumerate(LIBRARIES):
            context = t.no_grad() if mode == "no_grad" else contextlib.nullcontext()
            with context:
                result, problem = outcome(function, *[pair[side] for pair in pairs])
            results.append(result)
            problems.append(problem)
        if problems[1] and "INTERNAL ASSERT" in problems[1]:
            # A bug of PyTorch's: a write after retain_grad and detach_.
            self.begin_anew()
            return None
        assert problems[0] == problems[1], problems
        self.compare()
        return None if problems[0] else (results[0], results[1])

    def differentiate(self, function: Any, *pairs: Pair) -> Pair | None:
        """Run backward; after an error nothing is certain, and the program ends."""
        results, problems = zip(
            *[
                outcome(function, *[pair[side] for pair in pairs])
                for side in range(len(LIBRARIES))
            ],
            strict=True,
        )
        if problems[0] is None and problems[1]:
            # PyTorch's graph keeps a leaf that the program has forgotten, and it frees
            # a view's node, which saves nothing; ours does not.
            # It refuses what was saved before detach_ in first derivatives as well.
            known = ("graph interior", "second time", "detached in-place")
            assert any(text in problems[1] for text in known), problems
            self.begin_anew()
            return None
        if problems[1] and "detached in-place" in problems[1]:
            self.begin_anew()
            return None
        assert (problems[0] is None) == (problems[1] is None), problems
        if problems[0]:
            assert problems[0][:60] == problems[1][:60], problems
            if "does not require grad" not in problems[0]:
                self.begin_anew()
            return None
        self.compare()
        return results

    def begin_anew(self) -> None:
        """Forget all tensors."""
        del self.pool[:]
        self.make((3,), True, 3)

    def compare(self) -> None:
        for place, (ours, theirs) in enumerate(self.pool):
            mine, other = look(ours), look(theirs)
            for key in other:
                assert_equal(mine[key], other[key], f"{key} of number {place}")


Programs.TestCase.settings = settings(
    max_examples=int(os.environ.get("WENGERT_EXAMPLES", "25")),
    stateful_step_count=30,
    deadline=None,
)
TestPrograms = Programs.TestCase
