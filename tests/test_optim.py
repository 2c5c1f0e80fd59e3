"""Optimizers against PyTorch's: results, state, messages."""

import copy
import pickle

import numpy as np
import pytest
import torch

import wengert
from wengert.optim import arrays
from wengert.optim.lbfgs import Point, strong_wolfe

LIBRARIES = (wengert, torch)
SHAPES = [(5, 4), (3,), (), (2, 3, 2), (1,)]
STEPS = 50

CASES = [
    ("SGD", {}),
    ("SGD", {"momentum": 0.9}),
    ("SGD", {"momentum": 0.9, "nesterov": True, "weight_decay": 0.1}),
    ("SGD", {"momentum": 0.9, "dampening": 0.3, "weight_decay": 0.1}),
    ("SGD", {"momentum": 0.9, "dampening": 0.3, "maximize": True}),
    ("SGD", {"weight_decay": 0.1, "maximize": True}),
    ("Adam", {}),
    ("Adam", {"amsgrad": True, "eps": 1e-3}),
    ("Adam", {"weight_decay": 0.1, "maximize": True, "betas": (0.5, 0.7)}),
    ("Adam", {"weight_decay": 0.1, "decoupled_weight_decay": True}),
    ("AdamW", {}),
    ("AdamW", {"amsgrad": True, "maximize": True, "weight_decay": 0.3}),
    ("RMSprop", {}),
    ("RMSprop", {"momentum": 0.9, "weight_decay": 0.1}),
    ("RMSprop", {"centered": True, "maximize": True}),
    ("RMSprop", {"centered": True, "momentum": 0.5, "alpha": 0.9}),
    ("Adagrad", {}),
    ("Adagrad", {"lr_decay": 0.1, "weight_decay": 0.1, "maximize": True}),
    ("Adagrad", {"initial_accumulator_value": 0.5}),
    ("Adadelta", {}),
    ("Adadelta", {"rho": 0.5, "weight_decay": 0.1, "maximize": True}),
    ("Adamax", {}),
    ("Adamax", {"weight_decay": 0.1, "maximize": True}),
    ("NAdam", {}),
    ("NAdam", {"weight_decay": 0.1, "momentum_decay": 0.01, "maximize": True}),
    ("NAdam", {"weight_decay": 0.1, "decoupled_weight_decay": True}),
    ("RAdam", {}),
    ("RAdam", {"weight_decay": 0.1, "betas": (0.8, 0.9), "maximize": True}),
    ("RAdam", {"weight_decay": 0.1, "decoupled_weight_decay": True}),
    ("ASGD", {}),
    ("ASGD", {"lambd": 0.1, "alpha": 0.5, "t0": 10, "weight_decay": 0.1}),
    ("Rprop", {}),
    ("Rprop", {"etas": (0.3, 1.7), "step_sizes": (1e-3, 0.5), "maximize": True}),
]
NAMES = [f"{kind}{options or ''}" for kind, options in CASES]
TOLERANCE = {"f4": 3e-6, "f8": 1e-12, "c8": 3e-6, "c16": 1e-12}


def made(library, kind, values, **options):
    """Parameters with these values, and an optimizer of them."""
    params = [library.tensor(value, requires_grad=True) for value in values]
    return params, getattr(library.optim, kind)(params, **options)


def random_values(dtype="f4", shapes=SHAPES, seed=0):
    random = np.random.default_rng(seed)
    kind = np.dtype(dtype)
    values = [random.standard_normal(shape) for shape in shapes]
    if kind.kind == "c":
        values = [value + 1j * random.standard_normal(value.shape) for value in values]
    return [np.asarray(value).astype(kind) for value in values]


def give_gradients(library, params, grads):
    for param, grad in zip(params, grads, strict=True):
        param.grad = None if grad is None else library.tensor(grad)


def steps(run, gradients):
    for step, grads in enumerate(gradients):
        for library, (params, optimizer) in run.items():
            give_gradients(library, params, grads)
            optimizer.step()
        yield step


def gradients_of(count, dtype="f4", shapes=SHAPES):
    return [random_values(dtype, shapes, seed) for seed in range(1, count + 1)]


def same_results(run, tolerance):
    (mine, _), (theirs, _) = run[wengert], run[torch]
    for a, b in zip(mine, theirs, strict=True):
        np.testing.assert_allclose(
            a.detach().numpy(), b.detach().numpy(), rtol=tolerance, atol=tolerance
        )


def same_state(run, tolerance):
    mine, theirs = [run[library][1].state_dict() for library in LIBRARIES]
    assert list(mine["state"]) == list(theirs["state"])
    for number, entry in theirs["state"].items():
        assert set(mine["state"][number]) == set(entry)
        for name, value in entry.items():
            found = mine["state"][number][name]
            assert tuple(found.shape) == tuple(value.shape)
            assert str(found.dtype) == str(value.dtype)
            np.testing.assert_allclose(
                found.numpy(), value.numpy(), rtol=20 * tolerance, atol=tolerance
            )
    assert repr(mine["param_groups"]) == repr(theirs["param_groups"])


@pytest.mark.parametrize("dtype", ["f4", "f8", "c8"])
@pytest.mark.parametrize(("kind", "options"), CASES, ids=NAMES)
def test_steps_are_pytorchs(kind, options, dtype):
    values = random_values(dtype)
    run = {t: made(t, kind, values, **options) for t in LIBRARIES}
    for _ in steps(run, gradients_of(STEPS, dtype)):
        pass
    same_results(run, TOLERANCE[dtype])
    same_state(run, TOLERANCE[dtype])


@pytest.mark.parametrize(("kind", "options"), CASES, ids=NAMES)
def test_parameters_that_have_no_gradient_in_some_steps(kind, options):
    values = random_values("f8")
    run = {t: made(t, kind, values, **options) for t in LIBRARIES}
    gradients = gradients_of(12, "f8")
    for step, grads in enumerate(gradients):
        for i in range(len(grads)):
            if (step + i) % 3 == 0 or (i == 1 and step < 8):
                grads[i] = None
    for _ in steps(run, gradients):
        same_results(run, 1e-12)
    same_state(run, 1e-12)


@pytest.mark.parametrize(
    ("kind", "options"), [("Adam", {}), ("SGD", {"momentum": 0.9}), ("AdamW", {})]
)
@pytest.mark.parametrize("block", [8, 40, 10**6])
def test_pieces_of_large_parameters_and_gathered_small_ones(
    kind, options, block, monkeypatch
):
    monkeypatch.setattr(arrays, "BLOCK", block)
    shapes = [(7, 9), (3,), (), (41,), (2, 2), (5, 8), (0, 3)]
    for dtype in ("f4", "c16"):
        run = {
            t: made(t, kind, random_values(dtype, shapes), **options) for t in LIBRARIES
        }
        for _ in steps(run, gradients_of(5, dtype, shapes)):
            pass
        same_results(run, TOLERANCE[dtype])
        same_state(run, TOLERANCE[dtype])


def test_gradients_and_parameters_in_any_memory_order(monkeypatch):
    monkeypatch.setattr(arrays, "BLOCK", 16)
    values = random_values("f8", [(6, 5), (4, 2), (3, 7)])
    run = {t: made(t, "Adam", values, weight_decay=0.1) for t in LIBRARIES}
    for library, (params, _) in run.items():
        params[0].data = library.tensor(values[0].T.copy()).T
    for grads in gradients_of(4, "f8", [(5, 6), (4, 2), (7, 3)]):
        for library, (params, optimizer) in run.items():
            params[0].grad = library.tensor(grads[0]).T
            params[1].grad = library.tensor(grads[1][:1]).expand(4, 2)
            params[2].grad = library.tensor(grads[2]).T
            optimizer.step()
    same_results(run, 1e-12)


def test_parameters_of_several_dtypes():
    values = [v.astype(d) for v, d in zip(random_values(), "fdfFd", strict=True)]
    run = {t: made(t, "Adam", values) for t in LIBRARIES}
    for grads in gradients_of(5):
        grads = [g.astype(v.dtype) for g, v in zip(grads, values, strict=True)]
        for library, (params, optimizer) in run.items():
            give_gradients(library, params, grads)
            optimizer.step()
    same_results(run, 1e-6)


def test_half_precision():
    values = [v.astype("f2") for v in random_values()]
    run = {t: made(t, "SGD", values, lr=0.1, momentum=0.5) for t in LIBRARIES}
    for _ in steps(run, [[g.astype("f2") for g in gs] for gs in gradients_of(5)]):
        pass
    same_results(run, 1e-2)


# --- what users do between steps ------------------------------------------------------


def changed_rate(library, params, optimizer):
    optimizer.param_groups[0]["lr"] = 0.5
    optimizer.param_groups[0]["weight_decay"] = 0.2


def rate_as_tensor(library, params, optimizer):
    optimizer.param_groups[0]["lr"] = library.tensor(0.25, dtype=library.float64)


def switched_to_amsgrad(library, params, optimizer):
    optimizer.param_groups[0]["amsgrad"] = True
    for entry in optimizer.state.values():
        entry["max_exp_avg_sq"] = library.zeros_like(entry["exp_avg_sq"])


def state_written_to(library, params, optimizer):
    optimizer.state[params[0]]["exp_avg"].zero_()


def one_step_number_changed(library, params, optimizer):
    optimizer.state[params[1]]["step"].fill_(50)


def state_replaced(library, params, optimizer):
    optimizer.state[params[0]]["exp_avg"] = library.ones_like(params[0])


def state_dropped(library, params, optimizer):
    del optimizer.state[params[3]]


def all_state_dropped(library, params, optimizer):
    optimizer.state.clear()


def parameter_data_replaced(library, params, optimizer):
    params[0].data = params[0].data * 2


def parameter_written_to(library, params, optimizer):
    with library.no_grad():
        params[0].mul_(2)


def parameter_replaced(library, params, optimizer):
    new = library.tensor(np.full((3,), 0.5), requires_grad=True)
    new.grad = params[1].grad
    optimizer.state[new] = optimizer.state.pop(params[1])
    optimizer.param_groups[0]["params"][1] = new
    params[1] = new


def group_added(library, params, optimizer):
    extra = library.tensor(np.full((2, 2), 0.5), requires_grad=True)
    optimizer.add_param_group({"params": extra, "lr": 1.0})
    params.append(extra)


def frozen(library, params, optimizer):
    params[2].requires_grad_(False)
    params[2].grad = None


def state_reloaded(library, params, optimizer):
    optimizer.load_state_dict(copy.deepcopy(optimizer.state_dict()))


CHANGES = [
    changed_rate,
    rate_as_tensor,
    switched_to_amsgrad,
    state_written_to,
    one_step_number_changed,
    state_replaced,
    state_dropped,
    all_state_dropped,
    parameter_data_replaced,
    parameter_written_to,
    parameter_replaced,
    group_added,
    frozen,
    state_reloaded,
]


@pytest.mark.parametrize("change", CHANGES, ids=[f.__name__ for f in CHANGES])
def test_what_users_change_between_steps(change):
    values = random_values("f8")
    run = {t: made(t, "Adam", values) for t in LIBRARIES}
    for step, grads in enumerate(gradients_of(8, "f8", [*SHAPES, (2, 2)])):
        for library, (params, optimizer) in run.items():
            if step in (3, 5):
                change(library, params, optimizer)
            for param, grad in zip(params, grads, strict=False):
                if param.requires_grad and param.shape == grad.shape:
                    param.grad = library.tensor(grad)
            optimizer.step()
        same_results(run, 1e-12)
    same_state(run, 1e-12)


def test_views_of_state_stay_valid():
    params, optimizer = made(wengert, "Adam", random_values())
    give_gradients(wengert, params, random_values(seed=1))
    optimizer.step()
    held = optimizer.state[params[0]]["exp_avg"]
    before = held.clone()
    params[1].grad = None  # another layout
    optimizer.step()
    assert optimizer.state[params[0]]["exp_avg"] is held
    assert not held.equal(before)


def test_groups_have_their_own_options():
    values = random_values("f8")
    run = {}
    for library in LIBRARIES:
        params = [library.tensor(value, requires_grad=True) for value in values]
        groups = [
            {"params": params[:2], "lr": 0.1},
            {"params": params[2], "betas": (0.5, 0.5)},
            {"params": iter(params[3:]), "weight_decay": 0.1},
        ]
        run[library] = params, library.optim.Adam(groups, lr=0.01)
    for _ in steps(run, gradients_of(6, "f8")):
        pass
    same_results(run, 1e-12)
    same_state(run, 1e-12)


def test_a_stale_graph_is_noticed():
    w = wengert.tensor([2.0], requires_grad=True)
    x = wengert.tensor([3.0], requires_grad=True)
    loss = (w * x).sum()
    loss.backward(retain_graph=True)
    wengert.optim.SGD([w], lr=0.1).step()
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        loss.backward()


def test_nothing_is_recorded():
    params, optimizer = made(wengert, "AdamW", random_values())
    give_gradients(wengert, params, random_values(seed=1))
    optimizer.step()
    assert all(param.is_leaf and param.requires_grad for param in params)
    assert not optimizer.state[params[0]]["exp_avg"].requires_grad


def test_closure_is_run_with_recording_on():
    w = wengert.tensor([2.0], requires_grad=True)
    optimizer = wengert.optim.SGD([w], lr=0.1)

    def closure():
        optimizer.zero_grad()
        loss = (w * w).sum()
        loss.backward()
        return loss

    with wengert.no_grad():
        assert optimizer.step(closure).item() == 4.0
    np.testing.assert_allclose(w.item(), 1.6, rtol=1e-6)


@pytest.mark.parametrize("to_none", [True, False])
def test_zero_grad(to_none):
    w = wengert.tensor([2.0], requires_grad=True)
    optimizer = wengert.optim.SGD([w], lr=0.1)
    (w * w).sum().backward(create_graph=True)
    optimizer.zero_grad(set_to_none=to_none)
    if to_none:
        assert w.grad is None
    else:
        assert w.grad.tolist() == [0.0]
        assert not w.grad.requires_grad


# --- saving ---------------------------------------------------------------------------


@pytest.mark.parametrize(("kind", "options"), CASES, ids=NAMES)
def test_pytorchs_state_continues_here(kind, options):
    values = random_values("f8")
    run = {t: made(t, kind, values, **options) for t in LIBRARIES}
    gradients = gradients_of(9, "f8")
    for _ in steps({torch: run[torch]}, gradients[:5]):
        pass
    state = run[torch][1].state_dict()
    state["state"] = {
        number: {k: wengert.tensor(v.numpy()) for k, v in entry.items()}
        for number, entry in state["state"].items()
    }
    params, optimizer = run[wengert]
    optimizer.load_state_dict(state)
    with wengert.no_grad():
        for mine, theirs in zip(params, run[torch][0], strict=True):
            mine.copy_(wengert.tensor(theirs.detach().numpy()))
    for _ in steps(run, gradients[5:]):
        pass
    same_results(run, 1e-11)
    same_state(run, 1e-11)


@pytest.mark.parametrize(
    "copied", [copy.deepcopy, lambda o: pickle.loads(pickle.dumps(o))]
)
def test_copies_go_on_by_themselves(copied):
    params, optimizer = made(wengert, "Adam", random_values())
    for grads in gradients_of(3):
        give_gradients(wengert, params, grads)
        optimizer.step()
    twin = copied(optimizer)
    twins = twin.param_groups[0]["params"]
    assert not any(a is b for a, b in zip(params, twins, strict=True))
    for grads in gradients_of(3):
        for tensors, each in ((params, optimizer), (twins, twin)):
            give_gradients(wengert, tensors, grads)
            each.step()
    for a, b in zip(params, twins, strict=True):
        assert a.tolist() == b.tolist()


def test_state_dict_does_not_change_when_loaded_elsewhere():
    params, optimizer = made(wengert, "Adam", random_values())
    give_gradients(wengert, params, random_values(seed=1))
    optimizer.step()
    saved = optimizer.state_dict()
    others, other = made(wengert, "Adam", random_values("f8"))
    other.load_state_dict(saved)
    assert other.state[others[0]]["exp_avg"].dtype == wengert.float64
    assert other.state[others[0]]["step"].dtype == wengert.float32
    before = saved["state"][0]["exp_avg"].tolist()
    give_gradients(wengert, others, random_values("f8", seed=2))
    other.step()
    assert saved["state"][0]["exp_avg"].tolist() == before


def test_options_that_were_not_saved_are_as_by_default():
    _, optimizer = made(wengert, "Adam", random_values(), amsgrad=True)
    state = optimizer.state_dict()
    group = state["param_groups"][0]
    state["param_groups"] = [{"params": group["params"], "lr": 0.5}]
    optimizer.load_state_dict(state)
    loaded = optimizer.param_groups[0]
    assert (loaded["lr"], loaded["amsgrad"], loaded["maximize"]) == (0.5, True, False)
    optimizer.step()


def test_hooks_of_step_and_of_state():
    said = []
    _, optimizer = made(wengert, "SGD", random_values(), lr=0.1)
    handles = [
        optimizer.register_step_pre_hook(lambda o, a, k: said.append("before step")),
        optimizer.register_step_post_hook(lambda o, a, k: said.append("after step")),
        optimizer.register_state_dict_pre_hook(lambda o: said.append("before saving")),
        optimizer.register_state_dict_post_hook(lambda o, s: {**s, "extra": 1}),
        optimizer.register_load_state_dict_pre_hook(
            lambda o, s: said.append(f"loading {s['extra']}")
        ),
        optimizer.register_load_state_dict_post_hook(lambda o: said.append("loaded")),
    ]
    optimizer.step()
    state = optimizer.state_dict()
    optimizer.load_state_dict(state)
    for handle in handles:
        handle.remove()
    optimizer.step()
    assert "extra" not in optimizer.state_dict()
    assert said == ["before step", "after step", "before saving", "loading 1", "loaded"]


def test_optimizers_of_users():
    class Descent(wengert.optim.Optimizer):
        def __init__(self, params, lr=0.1):
            super().__init__(params, {"lr": lr})

        @wengert.no_grad()
        def step(self):
            for group in self.param_groups:
                for p in group["params"]:
                    p.add_(p.grad, alpha=-group["lr"])
                    self.state[p]["count"] = self.state[p].get("count", 0) + 1

    w = wengert.tensor([1.0], requires_grad=True)
    w.grad = wengert.tensor([2.0])
    optimizer = Descent([w])
    called = []
    optimizer.register_step_post_hook(lambda *_: called.append(1))
    optimizer.step()
    np.testing.assert_allclose(w.item(), 0.8, rtol=1e-6)
    assert called == [1]
    assert optimizer.state_dict()["state"] == {0: {"count": 1}}


# --- messages -------------------------------------------------------------------------


def parameter(library, shape=(2,)):
    return library.nn.Parameter(library.ones(shape))


MISTAKES = {
    "a tensor": lambda t: t.optim.SGD(parameter(t)),
    "nothing": lambda t: t.optim.SGD([]),
    "a number": lambda t: t.optim.SGD([1]),
    "a result": lambda t: t.optim.SGD([parameter(t) * 2]),
    "a set": lambda t: t.optim.SGD([{"params": {parameter(t)}}]),
    "two groups": lambda t: (lambda p: t.optim.SGD([{"params": [p]}, {"params": p}]))(
        parameter(t)
    ),
    "no params": lambda t: t.optim.SGD([{"lr": 3}]),
    "some names": lambda t: t.optim.SGD([("a", parameter(t)), parameter(t)]),
    "groups with names": lambda t: t.optim.SGD(
        [{"params": [("a", parameter(t))]}, {"params": [parameter(t)]}]
    ),
    "a list as group": lambda t: t.optim.SGD([parameter(t)]).add_param_group([1]),
    "nesterov": lambda t: t.optim.SGD([parameter(t)], nesterov=True),
    "dampened nesterov": lambda t: t.optim.SGD(
        [parameter(t)], momentum=0.9, dampening=0.1, nesterov=True
    ),
    "no groups loaded": lambda t: t.optim.SGD([parameter(t)]).load_state_dict(
        {"state": {}, "param_groups": []}
    ),
    "wrong groups loaded": lambda t: t.optim.SGD([parameter(t)]).load_state_dict(
        {"state": {}, "param_groups": [{"params": [0, 1]}]}
    ),
    "groups for LBFGS": lambda t: t.optim.LBFGS(
        [{"params": [parameter(t)]}, {"params": [parameter(t)]}]
    ),
}
OPTIONS = [
    {"lr": -1},
    {"betas": (1.0, 0.9)},
    {"betas": (0.9, -1.0)},
    {"eps": -1},
    {"weight_decay": -1},
    {"momentum": -1},
    {"alpha": -1},
    {"lr_decay": -1},
    {"initial_accumulator_value": -1},
    {"rho": 2},
    {"momentum_decay": -1},
    {"etas": (1.2, 0.5)},
    {"fused": True, "foreach": True},
    {"fused": True, "differentiable": True},
    {"fused": True, "foreach": True, "nesterov": True},
]


def error_of(call):
    with pytest.raises(Exception) as caught:
        call()
    return caught.type.__name__, str(caught.value)


@pytest.mark.parametrize("call", MISTAKES.values(), ids=MISTAKES)
def test_mistakes_are_told_as_pytorch_tells_them(call):
    assert error_of(lambda: call(wengert)) == error_of(lambda: call(torch))


@pytest.mark.parametrize("kind", sorted({kind for kind, _ in CASES} | {"LBFGS"}))
@pytest.mark.parametrize("options", OPTIONS, ids=str)
def test_options_are_checked(kind, options):
    def outcome(library):
        try:
            getattr(library.optim, kind)([parameter(library)], **options)
        except TypeError:
            return "no such option"
        except Exception as error:
            return type(error).__name__, str(error)
        return None

    assert outcome(wengert) == outcome(torch)


@pytest.mark.parametrize("kind", sorted({kind for kind, _ in CASES} | {"LBFGS"}))
def test_text_and_defaults(kind):
    mine, theirs = [getattr(t.optim, kind)([parameter(t)], lr=0.5) for t in LIBRARIES]
    assert repr(mine) == repr(theirs)
    assert list(mine.defaults.items()) == list(theirs.defaults.items())
    assert list(mine.param_groups[0]) == list(theirs.param_groups[0])


def test_text_of_groups():
    texts = [
        repr(
            t.optim.SGD([{"params": parameter(t), "lr": 0.1}, {"params": parameter(t)}])
        )
        for t in LIBRARIES
    ]
    assert texts[0] == texts[1]


def test_duplicates_are_warned_of():
    w = parameter(wengert)
    with pytest.warns(UserWarning, match="duplicate parameters"):
        wengert.optim.SGD([w, w])


def test_differentiable_updates_are_refused_with_what_to_do():
    w = parameter(wengert)
    w.grad = wengert.ones(2)
    optimizer = wengert.optim.Adam([w], differentiable=True)
    with pytest.raises(NotImplementedError, match="Write the update with tensor"):
        optimizer.step()


# --- LBFGS ----------------------------------------------------------------------------


def rosenbrock(x):
    return (100 * (x[1:] - x[:-1] ** 2) ** 2 + (1 - x[:-1]) ** 2).sum()


@pytest.mark.parametrize(
    "options",
    [
        {"lr": 0.1, "max_iter": 5},
        {"line_search_fn": "strong_wolfe"},
        {"line_search_fn": "strong_wolfe", "history_size": 3, "max_iter": 7},
        {"line_search_fn": "strong_wolfe", "max_eval": 6, "lr": 0.5},
        {"lr": 1e-3, "tolerance_grad": 50.0},
    ],
    ids=str,
)
def test_lbfgs(options):
    found = {}
    for library in LIBRARIES:
        x = library.tensor(np.array([-1.2, 1.0, 0.5, -0.7]), requires_grad=True)
        optimizer = library.optim.LBFGS([x], **options)
        trace = []

        def closure():
            optimizer.zero_grad()
            loss = rosenbrock(x)
            loss.backward()
            trace.append(loss.item())
            return loss

        for _ in range(5):
            optimizer.step(closure)
        counts = [optimizer.state[x][name] for name in ("func_evals", "n_iter")]
        found[library] = x.detach().numpy(), trace, counts
    np.testing.assert_allclose(found[wengert][0], found[torch][0], rtol=1e-7)
    np.testing.assert_allclose(
        found[wengert][1], found[torch][1], rtol=1e-6, atol=1e-12
    )
    assert found[wengert][2] == found[torch][2]


def test_lbfgs_of_several_parameters_some_without_gradient():
    found = {}
    for library in LIBRARIES:
        a, b, c = [
            library.tensor(v, requires_grad=True)
            for v in (np.array([1.0, 2.0]), np.array([[3.0]]), np.array([7.0]))
        ]
        optimizer = library.optim.LBFGS([a, b, c], line_search_fn="strong_wolfe")

        def closure():
            optimizer.zero_grad()
            loss = (a**4).sum() + ((b - a) ** 2).sum()
            loss.backward()
            return loss

        first = optimizer.step(closure)
        found[library] = [first.item(), a.tolist(), b.tolist(), c.tolist()]
    for mine, theirs in zip(found[wengert], found[torch], strict=True):
        np.testing.assert_allclose(mine, theirs, rtol=1e-8, atol=1e-10)


def test_lbfgs_knows_one_line_search():
    w = parameter(wengert)
    optimizer = wengert.optim.LBFGS([w], line_search_fn="armijo")
    with pytest.raises(RuntimeError, match="only 'strong_wolfe' is supported"):
        optimizer.step(lambda: w.sum())


def random_curve(random):
    """A loss along a line, and its slope."""
    heights, waves = random.standard_normal(7), random.uniform(0.3, 4, 7)

    def loss(t):
        return float(heights @ np.sin(waves * t) + 0.05 * t * t)

    def slope(t):
        return float((heights * waves) @ np.cos(waves * t) + 0.1 * t)

    return loss, slope


@pytest.mark.parametrize("seed", range(60))
def test_line_search_is_pytorchs(seed):
    from torch.optim.lbfgs import _strong_wolfe

    random = np.random.default_rng(seed)
    loss, slope = random_curve(random)
    while slope(0) >= 0:
        loss, slope = random_curve(random)
    most, first = int(random.integers(1, 25)), float(random.choice([0.01, 0.1, 1, 3]))
    tried, reference = [], []

    def mine(t):
        tried.append(t)
        return loss(t), np.array([slope(t)])

    def theirs(x, t, d):
        reference.append(float(t))
        return loss(float(t)), torch.tensor([slope(float(t))], dtype=torch.float64)

    start = Point(0.0, loss(0), np.array([slope(0)]), slope(0))
    found, _ = strong_wolfe(mine, first, np.ones(1), start, most)
    grad = torch.tensor([slope(0)], dtype=torch.float64)
    expected = _strong_wolfe(
        theirs, None, first, torch.ones_like(grad), loss(0), grad, grad[0], max_ls=most
    )
    assert tried == pytest.approx(reference, rel=1e-6)
    assert found.t == pytest.approx(float(expected[2]), rel=1e-6)
