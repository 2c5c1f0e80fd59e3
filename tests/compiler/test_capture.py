"""`wengert.compile`: what is captured, replayed, guarded and refused."""

from __future__ import annotations

import copy
import importlib.util
import warnings

import numpy as np
import pytest

import wengert as torch
from tests.samples import Sample, families

SAMPLES = list(families())


@pytest.fixture(params=["numpy", "llvm"])
def backend(request: pytest.FixtureRequest) -> str:
    if request.param == "llvm":
        pytest.importorskip("llvmlite")
    return request.param


def close(actual, expected, tolerance=1e-5):
    np.testing.assert_allclose(
        actual.detach().numpy(), expected.detach().numpy(), tolerance, tolerance
    )


def data(*shape, seed=0, **options):
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(*shape, generator=generator, **options)


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


# --- writing in place -----------------------------------------------------------------


def test_writes_and_views(backend):
    def change(x):
        x[0] = 5.0
        row = x[1]
        row.mul_(2)
        x.t()[2] += row[0]
        return x.sum(), row.clone()

    function = torch.compile(change, backend=backend, fullgraph=True)
    for seed in range(3):
        eager, compiled = data(3, 4, seed=seed), data(3, 4, seed=seed)
        expected, result = change(eager), function(compiled)
        close(compiled, eager)
        for a, b in zip(result, expected, strict=True):
            close(a, b)
        assert compiled._version == eager._version


def test_writes_are_differentiated(backend):
    def change(x):
        y = x * 2
        y[1:].mul_(y[:-1].detach() + x[1:])
        return (y * y).sum()

    function = torch.compile(change, backend=backend, fullgraph=True)
    x = data(4, requires_grad=True)
    for _ in range(2):
        (expected,) = torch.autograd.grad(change(x), x)
        (result,) = torch.autograd.grad(function(x), x)
        close(result, expected)


def test_buffers(backend):
    eager, other = torch.nn.BatchNorm1d(4), torch.nn.BatchNorm1d(4)
    compiled = torch.compile(other, backend=backend, fullgraph=True)
    for seed in range(3):
        close(compiled(data(8, 4, seed=seed)), eager(data(8, 4, seed=seed)))
    close(other.running_mean, eager.running_mean)
    close(other.running_var, eager.running_var)
    assert other.num_batches_tracked.item() == 3


def test_random_numbers(backend):
    def noisy(x):
        noise = torch.rand(3)
        return x * noise, torch.nn.functional.dropout(x, 0.5), torch.randn(2)

    function = torch.compile(noisy, backend=backend, fullgraph=True)
    torch.manual_seed(1)
    expected = [noisy(torch.ones(3)) for _ in range(3)]
    after = torch.rand(1)
    torch.manual_seed(1)
    for wanted in expected:
        for a, b in zip(function(torch.ones(3)), wanted, strict=True):
            close(a, b)
    close(torch.rand(1), after)


@pytest.mark.parametrize("dtype", ["complex64", "float16", "int16"])
def test_dtypes_without_kernels(backend, dtype):
    def add(x, y):
        return x + y

    function = torch.compile(add, backend=backend, fullgraph=True)
    kind = getattr(torch, dtype)
    x, y = torch.ones(3).to(kind), torch.arange(3).to(kind)
    close(function(x, y), x + y)
    if dtype != "int16":
        x.requires_grad_()
        (grad,) = torch.autograd.grad(function(x, y), x, torch.ones(3).to(kind))
        close(grad, torch.ones(3).to(kind))


# --- derivatives ----------------------------------------------------------------------


def test_gradients_of_results(backend):
    weight = data(4, requires_grad=True)

    def loss(x):
        return ((x @ weight).sin() ** 2).sum(), (weight * x).exp().mean(0)

    function = torch.compile(loss, backend=backend, fullgraph=True)
    x = data(3, 4, seed=1, requires_grad=True)
    for _ in range(2):
        results = []
        for call in (loss, function):
            weight.grad = x.grad = None
            first, second = call(x)
            (first + (second * second).sum()).backward()
            results.append((first, second, weight.grad, x.grad))
        for a, b in zip(*results, strict=True):
            close(a, b)


def test_gradient_of_what_was_changed(backend):
    weight = data(4, requires_grad=True)
    function = torch.compile(lambda x: (x * weight).sum(), backend=backend)
    result = function(data(4, requires_grad=True))
    with torch.no_grad():
        weight.add_(1)
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        result.backward()


def test_second_derivative_outside_is_refused(backend):
    function = torch.compile(lambda x: (x**3).sum(), backend=backend)
    x = data(3, requires_grad=True)
    with pytest.raises(RuntimeError, match="inside of the compiled function"):
        torch.autograd.grad(function(x), x, create_graph=True)


def test_derivatives_inside(backend):
    def penalty(x):
        y = (x**3).sin().sum()
        (slope,) = torch.autograd.grad(y, x, create_graph=True)
        (curve,) = torch.autograd.grad((slope * slope).sum(), x)
        return slope.detach(), curve

    function = torch.compile(penalty, backend=backend, fullgraph=True)
    x = data(4, requires_grad=True)
    for _ in range(2):
        for a, b in zip(function(x), penalty(x), strict=True):
            close(a, b, 1e-4)


@pytest.mark.parametrize(
    "transform",
    [
        lambda f: torch.func.grad(f),
        lambda f: torch.func.hessian(f),
        lambda f: torch.func.vmap(torch.func.grad(lambda v: (v**3).sin())),
        lambda f: lambda x: torch.func.jvp(f, (x,), (x + 1,))[1],
    ],
)
def test_transformations(backend, transform):
    def polynomial(x):
        return (x[1:] * x[:-1] ** 2).sum() + x.exp().sum()

    plain = transform(polynomial)
    function = torch.compile(lambda x: plain(x), backend=backend, fullgraph=True)
    for seed in range(2):
        x = data(5, seed=seed)
        close(function(x), plain(x), 1e-4)


def test_inside_of_transformations():
    function = torch.compile(lambda x: x.sin().sum(), backend="numpy")
    x = data(3)
    close(torch.func.grad(function)(x), x.cos())


# --- training -------------------------------------------------------------------------

OPTIMIZERS = {
    "sgd": lambda p: torch.optim.SGD(p, 0.1),
    "momentum": lambda p: torch.optim.SGD(p, 0.1, momentum=0.9, nesterov=True),
    "dampening": lambda p: torch.optim.SGD(p, 0.1, momentum=0.9, dampening=0.1),
    "adam": lambda p: torch.optim.Adam(p, 0.01, weight_decay=0.1),
    "amsgrad": lambda p: torch.optim.Adam(p, 0.01, amsgrad=True, maximize=True),
    "adamw": lambda p: torch.optim.AdamW(p, 0.01),
    "rmsprop": lambda p: torch.optim.RMSprop(p, 0.01, momentum=0.5, centered=True),
    "adagrad": lambda p: torch.optim.Adagrad(p, 0.1),
    "adamax": lambda p: torch.optim.Adamax(p, 0.01),
}


def training(kind, backend, steps=50):
    torch.manual_seed(0)
    model = torch.nn.Sequential(
        torch.nn.Linear(8, 16), torch.nn.Tanh(), torch.nn.Linear(16, 4)
    )
    optimizer = OPTIMIZERS[kind](model.parameters())
    x, y = torch.randn(32, 8), torch.randint(0, 4, (32,))

    def step(x, y):
        optimizer.zero_grad()
        loss = torch.nn.functional.cross_entropy(model(x), y)
        loss.backward()
        optimizer.step()
        return loss

    run = torch.compile(step, backend=backend, fullgraph=True) if backend else step
    losses = []
    for i in range(steps):
        if i == steps // 2:
            optimizer.param_groups[0]["lr"] *= 0.5
        losses.append(run(x, y).item())
    if backend:
        assert len(run.programs) == 1
    state = [
        value
        for parameter in model.parameters()
        for value in optimizer.state[parameter].values()
    ]
    return losses, [*model.parameters(), *[p.grad for p in model.parameters()], *state]


@pytest.mark.parametrize("kind", OPTIMIZERS)
def test_training_steps(backend, kind):
    if not hasattr(
        torch.optim, {"adagrad": "Adagrad", "adamax": "Adamax"}.get(kind, "SGD")
    ):
        pytest.skip("no such optimizer")
    losses, compiled = training(kind, backend)
    expected, eager = training(kind, None)
    np.testing.assert_allclose(losses, expected, rtol=1e-4)
    for a, b in zip(compiled, eager, strict=True):
        close(a, b, 2e-3)


def test_accumulating_gradients(backend):
    weight = data(3, requires_grad=True)
    other = data(3, requires_grad=True)

    def accumulate(w, x):
        (w * x).exp().sum().backward()

    function = torch.compile(lambda x: accumulate(weight, x), backend=backend)
    for seed in range(4):
        x = data(3, seed=seed)
        function(x)
        accumulate(other, x)
        close(weight.grad, other.grad)
    held = weight.grad
    function(x)
    assert weight.grad is held


def test_kept_results_are_refused():
    kept = []
    function = torch.compile(lambda x: kept.append(x * 2), backend="numpy")
    with pytest.warns(UserWarning, match="keeps a tensor"):
        function(torch.ones(2))
    kept.clear()
    function(torch.ones(2) * 3)
    assert kept[0].tolist() == [6, 6]


def test_schedules_belong_outside():
    weight = torch.zeros(2, requires_grad=True)
    optimizer = torch.optim.SGD([weight], lr=1.0)
    scheduler = torch.optim.lr_scheduler.ExponentialLR(optimizer, 0.5)

    def step(x):
        optimizer.zero_grad()
        (weight * x).sum().backward()
        optimizer.step()
        scheduler.step()

    with pytest.raises(RuntimeError, match="outside of the compiled function"):
        torch.compile(step, backend="numpy", fullgraph=True)(torch.ones(2))
    assert scheduler.last_epoch == 0
    relaxed = torch.compile(step, backend="numpy")
    with pytest.warns(UserWarning, match="the scheduler's step"):
        relaxed(torch.ones(2))
    relaxed(torch.ones(2))
    assert scheduler.last_epoch == 2
    assert optimizer.param_groups[0]["lr"] == 0.25
    assert weight.tolist() == [-1.5, -1.5]


def test_options_that_change_are_as_eager_leaves_them():
    weight = torch.zeros(2, requires_grad=True)
    optimizer = torch.optim.SGD([weight], lr=1.0)

    def step(x):
        optimizer.zero_grad()
        (weight * x).sum().backward()
        optimizer.step()
        optimizer.param_groups[0]["lr"] *= 0.5

    relaxed = torch.compile(step, backend="numpy")
    with pytest.warns(UserWarning, match="options of an optimizer"):
        relaxed(torch.ones(2))
    relaxed(torch.ones(2))
    assert optimizer.param_groups[0]["lr"] == 0.25
    assert weight.tolist() == [-1.5, -1.5]


def test_gradient_through_what_was_computed_outside(backend):
    function = torch.compile(lambda x: (x * x).sum(), backend=backend, fullgraph=True)
    for view in (lambda x: x * 2, lambda x: x[1:], lambda x: x.t()):
        x = data(3, 4, requires_grad=True)
        (expected,) = torch.autograd.grad((view(x) ** 2).sum(), x)
        (result,) = torch.autograd.grad(function(view(x)), x)
        close(result, expected)


def test_backward_stops_at_the_boundary():
    def step(x):
        (x * x).sum().backward()

    x = data(3, requires_grad=True)
    function = torch.compile(step, backend="numpy", fullgraph=True)
    with pytest.raises(RuntimeError, match="outside of the compiled function"):
        function(x * 2)
    relaxed = torch.compile(step, backend="numpy")
    with pytest.warns(UserWarning, match="runs eagerly"):
        relaxed(x * 2)
    close(x.grad, 8 * x)


CORE = {
    "arithmetic": lambda x, y: (x + y * 2 - x / (y.abs() + 1)) ** 2,
    "functions": lambda x, y: x.exp().log() + y.tanh() * x.sigmoid() + y.sin().cos(),
    "activations": lambda x, y: torch.nn.functional.gelu(x) + torch.relu(y),
    "reductions": lambda x, y: x.sum(0) + y.mean(0) + x.amax(0) + x.logsumexp(0),
    "variance": lambda x, y: x.var(1) + y.std(1),
    "softmax": lambda x, y: x.softmax(-1) + y.log_softmax(-1),
    "products": lambda x, y: (x @ y.T) @ y,
    "shapes": lambda x, y: torch.cat([x.T, y.reshape(4, 3)]).unsqueeze(0).squeeze(),
    "choices": lambda x, y: torch.where(x > y, x, y).clamp(-1, 1),
    "norm": lambda x, y: torch.nn.functional.layer_norm(x, (4,), y[0], y[1]),
    "loss": lambda x, y: torch.nn.functional.mse_loss(x, y),
}


@pytest.mark.parametrize("name", CORE)
def test_core_ops_have_kernels(name):
    function = torch.compile(CORE[name], backend="numpy", fullgraph=True)
    x, y = data(3, 4, requires_grad=True), data(3, 4, seed=1, requires_grad=True)
    (expected,) = torch.autograd.grad(CORE[name](x, y).sum(), x)
    (result,) = torch.autograd.grad(function(x, y).sum(), x)
    close(result, expected, 1e-4)
    assert function.programs[0].opaque == {}


def test_explain(backend):
    function = torch.compile(lambda x: x.tanh().cumsum(0), backend=backend)
    assert function.explain() == "not called yet"
    function(data(3))
    assert "cumsum" in function.explain()
    assert "no kernel" in function.explain()


INDICES = [
    (slice(1, 4),),
    (2,),
    (slice(None), -1),
    (..., slice(0, 5, 2)),
    (slice(0, 0),),
    (slice(None, None, 2), slice(1, None, 3)),
    (None, slice(1, 2), ..., None, 3),
]


@pytest.mark.parametrize("index", INDICES, ids=str)
def test_slices_are_differentiated_and_written_to(backend, index):
    def gradient(x):
        part = x[index].sin()
        weights = torch.arange(part.numel()).reshape(part.shape)
        return torch.autograd.grad((part * weights).sum(), x)[0]

    def write(x):
        y = x.clone()
        y[index] = y[index] * 3 + 1
        y[index].mul_(2)
        return y

    x = data(5, 6, 4, requires_grad=True)
    for function in (gradient, write):
        compiled = torch.compile(function, backend=backend, fullgraph=True)
        for _ in range(2):
            close(compiled(x), function(x))


ARRANGEMENTS = {
    "cat": lambda x, y: torch.cat([x, y * 2, x], 1),
    "stack": lambda x, y: torch.stack([x, x * 2], 1),
    "roll": lambda x, y: x.roll((1, -2), (0, 1)),
    "repeat": lambda x, y: x.repeat(2, 1, 3),
    "tril": lambda x, y: x.tril(-1) + x.triu(2),
    "pad": lambda x, y: torch.nn.functional.pad(x, (1, 2, 0, 1), value=0.5),
    "chunk": lambda x, y: x.chunk(2, 1)[1] * x.split(3, 1)[0],
}


@pytest.mark.parametrize("name", ARRANGEMENTS)
def test_arrangements_have_kernels(backend, name):
    def function(x, y):
        result = ARRANGEMENTS[name](x, y)
        weights = torch.arange(result.numel()).reshape(result.shape)
        grad = torch.autograd.grad((result.sin() * weights).sum(), x)[0]
        return result.detach(), grad

    compiled = torch.compile(function, backend=backend, fullgraph=True)
    x, y = data(4, 6, requires_grad=True), data(4, 3, seed=1)
    for _ in range(2):
        for a, b in zip(compiled(x, y), function(x, y), strict=True):
            close(a, b)
    assert "call" not in compiled.explain()


# --- every op -------------------------------------------------------------------------


def results(sample: Sample, call, seed=0):
    """Return values, gradients, and the inputs after the call."""
    dtype = sample.names_of_dtypes()[-1]
    inputs = [torch.from_numpy(array.copy()) for array in sample.arrays(dtype)]
    if sample.grad:
        for x in inputs:
            if x.dtype.is_floating_point or x.dtype.is_complex:
                x.requires_grad_()
    torch.manual_seed(seed)
    found = torch_leaves(call(*inputs))
    grads = ()
    recorded = [x for x in found if x.requires_grad]
    if sample.grad and recorded:
        seeds = [torch.ones_like(x) * (i + 0.5) for i, x in enumerate(recorded)]
        leaves = [x for x in inputs if x.requires_grad]
        grads = torch.autograd.grad(recorded, leaves, seeds, allow_unused=True)
    return [*found, *grads, *inputs]


def torch_leaves(result):
    from wengert import tree

    plain = tuple(result) if isinstance(result, tuple) else result
    return [x for x in tree.leaves(plain) if isinstance(x, torch.Tensor)]


@pytest.mark.parametrize(
    ("family", "sample"), SAMPLES, ids=lambda x: getattr(x, "name", x)
)
@pytest.mark.filterwarnings("ignore:wengert.compile")
def test_every_op(family, sample):
    backend = "llvm" if importlib.util.find_spec("llvmlite") else "numpy"

    def call(*inputs):
        return sample.call(torch, *inputs)

    expected = results(sample, call)
    function = torch.compile(call, backend=backend)
    for _ in range(2):
        found = results(sample, function)
        assert len(found) == len(expected)
        for a, b in zip(found, expected, strict=True):
            if b is None:
                assert a is None
                continue
            assert (a.shape, a.dtype) == (b.shape, b.dtype)
            close(a, b, 1e-4 if b.dtype.itemsize < 8 else 1e-8)
    assert not any("replay failed" in reason for reason in function.reasons)


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
