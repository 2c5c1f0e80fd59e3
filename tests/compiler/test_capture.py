"""`wengert.compile`: what is captured, replayed, guarded and refused."""

from __future__ import annotations

import copy
import warnings

import numpy as np
import pytest

import wengert as torch

from .support import close, data

# --- functions ------------------------------------------------------------------------


def test_containers(backend):
    @torch.compile(backend=backend, fullgraph=True)
    def function(pair, *, scale):
        x, y = pair["x"], pair["y"]
        return {"sum": (x + y, [x * scale]), "name": "ok", "same": x}

    x, y = data(3, 4), data(4, seed=1)
    for _ in range(2):
        result = function({"x": x, "y": y}, scale=2.5)
        close(result["sum"][0], x + y)
        close(result["sum"][1][0], x * 2.5)
        assert result["name"] == "ok"
        assert result["same"] is x


def test_closure_is_read_anew(backend):
    weight = data(4)
    function = torch.compile(lambda x: (x * weight * weight).sum(), backend=backend)
    x = data(3, 4, seed=1)
    close(function(x), (x * weight * weight).sum())
    weight.mul_(3)
    close(function(x), (x * weight * weight).sum())
    assert len(function.programs) == 1


def test_only_closures(backend):
    """What is computed without any argument is not frozen."""
    weight = data(4)
    function = torch.compile(
        lambda: weight.exp().sum(), backend=backend, fullgraph=True
    )
    close(function(), weight.exp().sum())
    with torch.no_grad():
        weight.add_(1)
    close(function(), weight.exp().sum())


def test_results_do_not_share_memory(backend):
    function = torch.compile(lambda x: x + 1, backend=backend, fullgraph=True)
    first = function(torch.zeros(3))
    second = function(torch.ones(3))
    assert first.tolist() == [1, 1, 1]
    assert second.tolist() == [2, 2, 2]


def test_view_of_an_argument_is_one(backend):
    function = torch.compile(lambda x: x.t()[1:], backend=backend, fullgraph=True)
    x = data(3, 4)
    view = function(x)
    view = function(x)
    view.zero_()
    assert x.t()[1:].abs().sum().item() == 0


def test_memory_that_results_share(backend):
    x = data(3)
    detached = torch.compile(lambda x: x.detach(), backend=backend, fullgraph=True)
    copied = torch.compile(lambda x: x.clone(), backend=backend, fullgraph=True)

    def several(x):
        y = x * 2
        return y, y.clone(), y, y[1:]

    several = torch.compile(several, backend=backend, fullgraph=True)
    for _ in range(2):
        assert np.shares_memory(detached(x).numpy(), x.numpy())
        assert not np.shares_memory(copied(x).numpy(), x.numpy())
        whole, copy, again, part = several(x)
        assert again is whole
        assert not np.shares_memory(whole.numpy(), copy.numpy())
        assert np.shares_memory(whole.numpy(), part.numpy())


def test_views_as_arguments(backend):
    """The program is not bound to the memory that the first call's views show."""
    function = torch.compile(
        lambda a, b: a.add_(1) + b, backend=backend, fullgraph=True
    )
    for seed in range(3):
        first, second = data(4, 3, seed=seed), data(3, 4, seed=seed)
        expected = (first.t()[1] + 1) + second[2]
        close(function(first.t()[1], second[2]), expected)
        close(first[:, 1], data(4, 3, seed=seed)[:, 1] + 1)
    assert len(function.programs) == 1


def test_arguments_that_share_memory():
    def change(a, b):
        return a.add_(1) + b

    function = torch.compile(change, backend="numpy")
    function(torch.zeros(3), torch.zeros(3))
    x, y = torch.zeros(4), torch.zeros(4)
    with pytest.warns(UserWarning, match="share memory"):
        close(function(x[:3], x[1:]), change(y[:3], y[1:]))
    close(function(torch.ones(3), torch.ones(3)), torch.full((3,), 3.0))
    z = torch.ones(3)
    close(function(z, z), torch.full((3,), 4.0))


@pytest.mark.parametrize(
    "alias",
    [
        lambda weight: weight.detach() * 2,
        lambda weight: weight.data * 2,
        lambda weight: torch.nn.Parameter(weight).detach() * 2,
        lambda weight: torch.as_tensor(weight) * 2,
        lambda weight: weight.T.clone(),
        lambda weight: torch.tensor(weight),
        lambda weight: copy.copy(weight) * 2,
        lambda weight: copy.deepcopy(weight) * 2,
    ],
)
@pytest.mark.filterwarnings("ignore:wengert.compile", "ignore:To copy construct")
def test_what_shares_memory_with_a_tensor_from_outside(alias):
    weight = data(3, 3)
    function = torch.compile(lambda: alias(weight), backend="numpy")
    for _ in range(3):
        close(function(), alias(weight))
        weight.add_(1)


def test_numpy_arrays_from_outside():
    array = np.ones(3, np.float32)

    def function(x):
        return x + torch.from_numpy(array)

    compiled = torch.compile(function, backend="numpy")
    with pytest.warns(UserWarning, match="NumPy array from outside"):
        close(compiled(torch.zeros(3)), torch.ones(3))
    array += 1
    close(compiled(torch.zeros(3)), torch.full((3,), 2.0))


def test_parts_of_one_tensor_are_inputs(backend):
    whole = data(2, 3, 4)
    first, second = whole
    left, right = whole.split(2, dim=2)
    function = torch.compile(
        lambda: (first * second).sum() + (left - right).square().sum(),
        backend=backend,
        fullgraph=True,
    )
    for seed in range(3):
        whole.copy_(data(2, 3, 4, seed=seed))
        array = whole.numpy()
        difference = array[..., :2] - array[..., 2:]
        wanted = (array[0] * array[1]).sum() + (difference**2).sum()
        np.testing.assert_allclose(function().item(), wanted, rtol=1e-5)


# --- guards ---------------------------------------------------------------------------


def test_guards_on_arguments(backend):
    function = torch.compile(lambda x, p: x**p, backend=backend, fullgraph=True)
    for x, p in [(data(3), 2), (data(4), 2), (data(3).double(), 2), (data(3), 3)]:
        close(function(x, p), x**p)
        close(function(x + 1, p), (x + 1) ** p)
    assert len(function.programs) == 4


def test_guards_on_globals_and_attributes(backend):
    box = {"scale": 1.0}
    layer = torch.nn.Linear(3, 2)

    def plain(x):
        return layer(x) * box["scale"]

    function = torch.compile(plain, backend=backend, fullgraph=True)
    x = data(4, 3)
    close(function(x), plain(x))
    box["scale"] = 2.0
    close(function(x), plain(x))
    layer.weight = torch.nn.Parameter(data(2, 3, seed=5))
    close(function(x), plain(x))
    assert len(function.programs) == 3


def test_guards_on_what_arguments_hold(backend):
    """An object among the arguments is looked through as one of a closure is."""

    class Options:
        def __init__(self):
            self.factors = [1.0, 2.0]

    function = torch.compile(
        lambda x, options: x * options.factors[1], backend=backend, fullgraph=True
    )
    options = Options()
    for factor in (2.0, 3.0, 2.0):
        options.factors[1] = factor
        close(function(torch.ones(2), options), torch.full((2,), factor))
    assert len(function.programs) == 2


def test_equal_numbers_are_the_same_guard(backend):
    function = torch.compile(
        lambda x, scale, sign: x * scale * np.copysign(1, sign),
        backend=backend,
        fullgraph=True,
    )
    for scale in ("1000.5", "1000.5", "nan", "nan"):
        expected = torch.full((2,), float(scale))
        close(function(torch.ones(2), float(scale), 0.0), expected)
        close(function(torch.ones(2), float(scale), -0.0), -expected)
    assert len(function.programs) == 4


def test_guards_on_modes_and_default_dtype(backend):
    def function(x):
        return (x * torch.ones(2)).sum()

    compiled = torch.compile(function, backend=backend, fullgraph=True)
    x = torch.ones(2, requires_grad=True)
    for _ in range(2):
        assert compiled(x).requires_grad
        with torch.no_grad():
            assert not compiled(x).requires_grad
    torch.set_default_dtype(torch.float64)
    try:
        assert compiled(x).dtype is torch.float64
    finally:
        torch.set_default_dtype(torch.float32)
    assert compiled(x).dtype is torch.float32
    assert len(compiled.programs) == 3


def test_another_array_of_a_tensor_needs_no_other_program(backend):
    weight = torch.nn.Parameter(torch.ones(3))
    function = torch.compile(
        lambda x: x.mul_(weight.detach()), backend=backend, fullgraph=True
    )
    for seed in range(3):
        weight.data = data(3, seed=seed)
        close(function(torch.ones(3)), weight)
    assert len(function.programs) == 1
    weight.data = torch.ones(1)
    close(function(torch.full((3,), 2.0)), torch.full((3,), 2.0))
    assert len(function.programs) == 2
    relaxed = torch.compile(function.function, backend=backend)
    weight.data = torch.full((3,), 3.0)
    with pytest.warns(UserWarning, match="share memory"):  # the argument is the weight
        close(relaxed(weight.detach()), torch.full((3,), 9.0))


def test_arguments_that_meet_tensors_from_outside(backend):
    total = torch.zeros(3)

    def gather(x):
        total.add_(1)
        return x * 2

    function = torch.compile(gather, backend=backend)
    close(function(torch.ones(3)), torch.full((3,), 2.0))
    with pytest.warns(UserWarning, match="share memory"):
        close(function(total[:2]), torch.full((2,), 4.0))
    close(function(total), torch.full((3,), 6.0))
    close(function(torch.ones(3)), torch.full((3,), 2.0))
    assert total.tolist() == [4, 4, 4]
    assert len(function.programs) == 2  # in one the argument is the total itself


def test_training_flag(backend):
    module = torch.nn.Sequential(torch.nn.Dropout(0.5), torch.nn.Linear(4, 4))
    function = torch.compile(module, backend=backend, fullgraph=True)
    x = data(8, 4)
    for mode in (True, False, True):
        module.train(mode)
        torch.manual_seed(3)
        expected = module(x)
        torch.manual_seed(3)
        close(function(x), expected)
    assert len(function.forward.programs) == 2


def test_number_of_programs_is_bounded(backend):
    function = torch.compile(lambda x, n: x + n, backend=backend, limit=2)
    with pytest.warns(UserWarning, match="more than 2 programs"):  # noqa: PT031
        for n in range(4):  # one of these warns
            close(function(torch.zeros(2), n), torch.zeros(2) + n)
    assert len(function.programs) == 2


# --- what ends a capture --------------------------------------------------------------


@pytest.mark.parametrize(
    "look",
    [
        lambda x: x + 1 if x.sum() > 0 else x - 1,
        lambda x: x * x.sum().item(),
        lambda x: x * float(x.sum()),
        lambda x: torch.from_numpy(x.numpy() + 1),
        lambda x: torch.tensor(x.tolist()),
    ],
)
def test_values_are_not_known(look):
    x = data(3)
    strict = torch.compile(look, backend="numpy", fullgraph=True)
    with pytest.raises(RuntimeError, match=r"test_capture.py:\d+.*torch.where"):
        strict(x)
    relaxed = torch.compile(look, backend="numpy")
    with pytest.warns(UserWarning, match="runs eagerly"):
        close(relaxed(x), look(x))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        close(relaxed(-x), look(-x))


def test_closure_values_are_not_frozen():
    flag = torch.tensor(1.0)
    function = torch.compile(lambda x: x + 1 if flag else x, backend="numpy")
    with pytest.warns(UserWarning, match="runs eagerly"):
        assert function(torch.zeros(1)).item() == 1
    flag.zero_()
    assert function(torch.zeros(1)).item() == 0


def test_errors_are_the_users_own(backend):
    function = torch.compile(lambda x, y: x @ y, backend=backend, fullgraph=True)
    with pytest.raises(RuntimeError, match="cannot be multiplied"):
        function(torch.ones(2, 3), torch.ones(2, 3))
    close(function(torch.ones(2, 3), torch.ones(3, 2)), torch.full((2, 2), 3.0))


def test_failing_halfway_leaves_what_eager_leaves(backend):
    weight = torch.zeros(2)

    def fails(x):
        weight.add_(x)
        raise ValueError("halfway")

    function = torch.compile(fails, backend=backend)
    for count in (1, 2):
        with pytest.raises(ValueError, match="halfway"):
            function(torch.ones(2))
        assert weight.tolist() == [count, count]


def test_index_out_of_range(backend):
    state = torch.zeros(1)

    def pick(x, i):
        state.add_(1)
        return x.gather(0, i)

    function = torch.compile(pick, backend=backend, fullgraph=True)
    function(torch.arange(3.0), torch.tensor([2]))
    with pytest.raises((RuntimeError, IndexError)):
        function(torch.arange(3.0), torch.tensor([3]))
    assert state.item() == 2
    assert function(torch.arange(3.0), torch.tensor([1])).item() == 1
