"""What `nn.Module` does, beside PyTorch's: attributes, state, hooks, text."""

import copy
import pickle
from collections import OrderedDict

import numpy as np
import pytest
import torch

import wengert
from wengert import nn

LIBRARIES = (wengert, torch)


def net(library):
    """A module with parameters, buffers of both kinds, and modules in it."""
    base = library.nn.Module

    class Net(base):
        def __init__(self):
            super().__init__()
            self.first = library.nn.Linear(2, 3)
            self.scale = library.nn.Parameter(library.ones(3))
            self.register_buffer("seen", library.zeros(1))
            self.register_buffer("scratch", library.zeros(1), persistent=False)
            self.register_parameter("nothing", None)
            self.layers = library.nn.Sequential(library.nn.ReLU(), self.first)
            self.name = "net"

        def forward(self, x):
            return self.first(x) * self.scale

    library.manual_seed(0)
    return Net()


def outcome(call):
    """A result, or the error's kind and text."""
    try:
        return call()
    except Exception as error:
        return type(error).__name__, str(error)


def check_same(call):
    """Call something in both libraries and compare what comes of it."""
    mine, theirs = [outcome(lambda: call(library)) for library in LIBRARIES]
    assert mine == theirs


# --- registration ---------------------------------------------------------------------

TRAVERSALS = {
    "parameters": lambda m: [tuple(p.shape) for p in m.parameters()],
    "own parameters": lambda m: [n for n, _ in m.named_parameters(recurse=False)],
    "named parameters": lambda m: [n for n, _ in m.named_parameters("pre")],
    "with duplicates": lambda m: [
        n for n, _ in m.named_parameters(remove_duplicate=False)
    ],
    "buffers": lambda m: [n for n, _ in m.named_buffers()],
    "children": lambda m: [n for n, _ in m.named_children()],
    "modules": lambda m: [(n, type(c).__name__) for n, c in m.named_modules()],
    "modules with prefix": lambda m: [n for n, _ in m.named_modules(prefix="q")],
    "modules with duplicates": lambda m: [
        n for n, _ in m.named_modules(remove_duplicate=False)
    ],
    "state": lambda m: list(m.state_dict()),
    "state with prefix": lambda m: list(m.state_dict(prefix="p.")),
    "metadata": lambda m: dict(m.state_dict()._metadata),
    "text": repr,
    "listed": lambda m: [n for n in dir(m) if n in ("first", "scale", "seen", "name")],
}


@pytest.mark.parametrize("look", TRAVERSALS.values(), ids=TRAVERSALS)
def test_going_through_a_module(look):
    check_same(lambda library: look(net(library)))


def assign(name, make):
    def call(library):
        module = net(library)
        setattr(module, name, make(library))
        names = ("_parameters", "_buffers", "_modules")
        registered = [list(getattr(module, registry)) for registry in names]
        return registered, name in vars(module), list(module.state_dict())

    return call


ASSIGNMENTS = {
    "parameter": assign("new", lambda t: t.nn.Parameter(t.ones(1))),
    "module": assign("new", lambda t: t.nn.ReLU()),
    "buffer": assign("new", lambda t: t.nn.Buffer(t.ones(1))),
    "transient buffer": assign(
        "new", lambda t: t.nn.Buffer(t.ones(1), persistent=False)
    ),
    "tensor": assign("new", lambda t: t.ones(1)),
    "anything": assign("new", lambda t: 3),
    "parameter for a module": assign("first", lambda t: t.nn.Parameter(t.ones(1))),
    "parameter for a buffer": assign("seen", lambda t: t.nn.Parameter(t.ones(1))),
    "parameter for anything": assign("name", lambda t: t.nn.Parameter(t.ones(1))),
    "module for a module": assign("first", lambda t: t.nn.ReLU()),
    "buffer for a parameter": assign("scale", lambda t: t.nn.Buffer(t.ones(1))),
    "tensor for a buffer": assign("seen", lambda t: t.ones(2)),
    "transient for a buffer": assign(
        "seen", lambda t: t.nn.Buffer(t.ones(1), persistent=False)
    ),
    "none for a parameter": assign("scale", lambda t: None),
    "none for a module": assign("first", lambda t: None),
    "none for a buffer": assign("seen", lambda t: None),
    "tensor for a parameter": assign("scale", lambda t: t.ones(3)),
    "number for a module": assign("first", lambda t: 3),
    "number for a buffer": assign("seen", lambda t: 3),
}


@pytest.mark.parametrize("call", ASSIGNMENTS.values(), ids=ASSIGNMENTS)
def test_assignment(call):
    check_same(call)


@pytest.mark.parametrize(
    "name", ["first", "scale", "seen", "scratch", "name", "absent"]
)
def test_deletion(name):
    def call(library):
        module = net(library)
        delattr(module, name)
        assert not hasattr(module, name)
        return list(module.state_dict())

    check_same(call)


def without_init(library, name, make):
    class Broken(library.nn.Module):
        def __init__(self):
            setattr(self, name, make(library))

    return Broken()


MISTAKES = {
    "buffer's name": lambda t, m: m.register_buffer(1, None),
    "buffer's dot": lambda t, m: m.register_buffer("a.b", None),
    "buffer's empty name": lambda t, m: m.register_buffer("", None),
    "buffer's taken name": lambda t, m: m.register_buffer("training", None),
    "buffer's value": lambda t, m: m.register_buffer("x", 3),
    "parameter's name": lambda t, m: m.register_parameter(1, None),
    "parameter's dot": lambda t, m: m.register_parameter("a.b", None),
    "parameter's empty name": lambda t, m: m.register_parameter("", None),
    "parameter's taken name": lambda t, m: m.register_parameter("training", None),
    "parameter's value": lambda t, m: m.register_parameter("x", t.ones(2)),
    "module's name": lambda t, m: m.add_module(3, None),
    "module's dot": lambda t, m: m.add_module("a.b", t.nn.ReLU()),
    "module's empty name": lambda t, m: m.add_module("", None),
    "module's taken name": lambda t, m: m.add_module("training", None),
    "module's value": lambda t, m: m.add_module("x", 3),
    "absent": lambda t, m: m.absent,
    "no forward": lambda t, m: t.nn.Module()(3),
    "mode": lambda t, m: m.train(3),
    "dtype": lambda t, m: m.to(t.int64),
    "argument": lambda t, m: t.nn.Module(3),
    "option": lambda t, m: t.nn.Module(a=3),
    "parameter too early": lambda t, m: without_init(
        t, "x", lambda t: t.nn.Parameter(t.ones(1))
    ),
    "module too early": lambda t, m: without_init(t, "x", lambda t: t.nn.ReLU()),
    "buffer too early": lambda t, m: without_init(
        t, "x", lambda t: t.nn.Buffer(t.ones(1))
    ),
    "path of parameter": lambda t, m: m.get_parameter("first.absent"),
    "path through nothing": lambda t, m: m.get_parameter("absent.weight"),
    "no parameter": lambda t, m: m.get_parameter("first"),
    "no buffer": lambda t, m: m.get_buffer("scale"),
    "absent buffer": lambda t, m: m.get_buffer("absent"),
    "no module": lambda t, m: m.get_submodule("scale"),
    "absent module": lambda t, m: m.get_submodule("first.absent"),
    "no path": lambda t, m: m.set_submodule("", t.nn.ReLU()),
    "state": lambda t, m: m.load_state_dict(3),
}


@pytest.mark.parametrize("call", MISTAKES.values(), ids=MISTAKES)
def test_mistakes_are_told_as_pytorch_tells_them(call):
    check_same(lambda library: call(library, net(library)))


def test_paths():
    module = net(wengert)
    assert module.get_submodule("") is module
    assert module.get_submodule("layers.1") is module.first
    assert module.get_parameter("layers.1.weight") is module.first.weight
    assert module.get_buffer("seen") is module.seen
    module.set_submodule("layers.0", nn.Tanh())
    assert isinstance(module.layers[0], nn.Tanh)


def test_attributes_of_classes_come_first():
    class Fixed(nn.Module):
        @property
        def weight(self):
            return 3

    assert Fixed().weight == 3


def test_names_are_looked_up_for_each_instance():
    class Either(nn.Module):
        def __init__(self, value):
            super().__init__()
            self.x = value

    parameter = nn.Parameter(wengert.ones(1))
    first, second, third = Either(parameter), Either(3), Either(nn.ReLU())
    assert first.x is parameter
    assert second.x == 3
    assert isinstance(third.x, nn.ReLU)
    second.x = parameter
    assert second.x is parameter
    assert "x" not in vars(second)
    del first.x
    assert not hasattr(first, "x")
    first.x = wengert.zeros(1)
    assert first.x.tolist() == [0.0]
    assert list(first.parameters()) == []
    first._parameters["y"] = parameter
    assert first.y is parameter
    assert not hasattr(Either(1), "y")


def test_classes_that_look_names_up_themselves():
    class Wrapper(nn.Module):
        def __init__(self, inner):
            super().__init__()
            self.inner = inner

        def __getattr__(self, name):
            try:
                return super().__getattr__(name)
            except AttributeError:
                return getattr(self.inner, name)

    wrapper = Wrapper(nn.Linear(2, 3))
    assert wrapper.weight is wrapper.inner.weight
    assert wrapper.in_features == 2


def test_a_property_that_fails_says_so():
    class Failing(nn.Module):
        @property
        def weight(self):
            return self.absent

    with pytest.raises(AttributeError, match=r"weight|absent"):
        _ = Failing().weight


# --- modes, dtypes, gradients ---------------------------------------------------------


def test_train_and_eval_reach_everything():
    module = net(wengert)
    assert module.eval() is module
    assert not any(each.training for each in module.modules())
    module.train()
    assert all(each.training for each in module.modules())


def test_apply_goes_from_the_inside_out():
    check_same(
        lambda library: (
            lambda order: (
                net(library).apply(lambda m: order.append(type(m).__name__)),
                order,
            )[1]
        )([])
    )


CASTS = {
    "double": lambda t, m: m.double(),
    "half": lambda t, m: m.half(),
    "float": lambda t, m: m.double().float(),
    "to dtype": lambda t, m: m.to(t.float64),
    "to keyword": lambda t, m: m.to(dtype=t.float64),
    "to device": lambda t, m: m.to("cpu"),
    "to both": lambda t, m: m.to(t.device("cpu"), t.float64),
    "to tensor": lambda t, m: m.to(t.ones(1, dtype=t.float64)),
    "type": lambda t, m: m.type(t.float64),
    "cpu": lambda t, m: m.cpu(),
}


@pytest.mark.parametrize("cast", CASTS.values(), ids=CASTS)
def test_casts(cast):
    def call(library):
        module = net(library)
        module.register_buffer("count", library.tensor(3))
        weight = module.first.weight
        module(library.ones(1, 2)).sum().backward()
        cast(library, module)
        assert module.first.weight is weight
        grad = str(weight.grad.dtype)
        return grad, [(n, str(v.dtype)) for n, v in module.state_dict().items()]

    check_same(call)


def test_a_cast_module_goes_on_training():
    module = net(wengert).double()
    module(wengert.ones(1, 2, dtype=wengert.float64)).sum().backward()
    assert module.first.weight.grad.dtype == wengert.float64


def test_requires_grad_():
    module = net(wengert)
    assert module.requires_grad_(False) is module
    assert not any(p.requires_grad for p in module.parameters())
    assert not module(wengert.ones(1, 2)).requires_grad


@pytest.mark.parametrize("to_none", [True, False])
def test_zero_grad(to_none):
    module = net(wengert)
    module(wengert.ones(1, 2)).sum().backward()
    module.zero_grad(set_to_none=to_none)
    if to_none:
        assert module.scale.grad is None
    else:
        assert module.scale.grad.tolist() == [0.0] * 3


def test_to_empty_keeps_shapes():
    module = net(wengert).to_empty(device="cpu")
    assert module.first.weight.shape == (3, 2)


# --- state ----------------------------------------------------------------------------


def test_state_shares_memory_and_is_not_recorded():
    module = net(wengert)
    state = module.state_dict()
    assert isinstance(state, OrderedDict)
    assert not state["scale"].requires_grad
    with wengert.no_grad():
        module.scale.fill_(5)
    assert state["scale"].tolist() == [5.0] * 3
    assert module.state_dict(keep_vars=True)["scale"] is module.scale


LOADS = {
    "missing": lambda t, s: s.pop("first.weight"),
    "unexpected": lambda t, s: s.update({"x": t.ones(1), "first.y": t.ones(1)}),
    "unknown module": lambda t, s: s.update({"z.x": t.ones(1)}),
    "other size": lambda t, s: s.update({"scale": t.ones(4)}),
    "no tensor": lambda t, s: s.update({"scale": 3}),
    "everything": lambda t, s: (
        s.pop("seen"),
        s.update({"scale": t.ones(4), "x": t.ones(1)}),
    ),
    "other dtype": lambda t, s: s.update({"scale": t.ones(3, dtype=t.float64)}),
}


@pytest.mark.parametrize("strict", [True, False])
@pytest.mark.parametrize("change", LOADS.values(), ids=LOADS)
def test_loading_what_does_not_fit(change, strict):
    def call(library):
        module = net(library)
        state = module.state_dict()
        change(library, state)
        result = module.load_state_dict(state, strict=strict)
        return repr(result), result.missing_keys, result.unexpected_keys

    check_same(call)


def test_loading_copies():
    source, target = net(wengert), net(wengert)
    with wengert.no_grad():
        source.scale.fill_(7)
    assert repr(target.load_state_dict(source.state_dict())) == (
        "<All keys matched successfully>"
    )
    assert target.scale.tolist() == [7.0] * 3
    assert not np.shares_memory(
        target.scale.detach().numpy(), source.scale.detach().numpy()
    )


def test_loading_by_assignment():
    module = net(wengert)
    module.scale.requires_grad_(False)
    state = {name: value.double() for name, value in module.state_dict().items()}
    module.load_state_dict(state, assign=True)
    assert isinstance(module.scale, nn.Parameter)
    assert module.scale.dtype == wengert.float64
    assert not module.scale.requires_grad
    assert module.first.weight.requires_grad
    assert np.shares_memory(module.seen.numpy(), state["seen"].numpy())


def test_extra_state():
    class Counting(nn.Module):
        count = 0

        def get_extra_state(self):
            return {"count": self.count}

        def set_extra_state(self, state):
            self.count = state["count"]

    module = nn.Sequential(Counting())
    module[0].count = 5
    state = module.state_dict()
    assert list(state) == ["0._extra_state"]
    other = nn.Sequential(Counting())
    other.load_state_dict(state)
    assert other[0].count == 5
    with pytest.raises(RuntimeError, match=r'Missing key.*"0\._extra_state"'):
        other.load_state_dict({})


def test_hooks_of_state():
    said = []
    module = net(wengert)
    module.register_state_dict_pre_hook(lambda m, prefix, keep: said.append("saving"))
    module.register_state_dict_post_hook(lambda m, state, prefix, _: state.pop("seen"))
    module.register_load_state_dict_pre_hook(
        lambda m, state, *_: state.setdefault("seen", wengert.ones(1))
    )
    module.register_load_state_dict_post_hook(
        lambda m, keys: said.append((keys.missing_keys, keys.unexpected_keys))
    )
    with pytest.raises(RuntimeError, match="post-hook must return None"):
        module.state_dict()
    module._state_dict_hooks.clear()
    module.register_state_dict_post_hook(lambda m, s, p, _: s.__delitem__("seen"))
    state = module.state_dict()
    assert "seen" not in state
    module.load_state_dict(state)
    assert module.seen.tolist() == [1.0]
    assert said == ["saving", "saving", ([], [])]


@pytest.mark.parametrize("copied", [copy.deepcopy, copy.copy])
def test_copies(copied):
    module = net(wengert)
    twin = copied(module)
    shares = copied is copy.copy
    assert (twin.scale is module.scale) == shares
    assert twin.layers[1] is twin.first
    twin.register_buffer("more", wengert.ones(1))
    assert ("more" in module.state_dict()) == shares


def test_pickling():
    module = nn.Sequential(nn.Linear(2, 3), nn.BatchNorm1d(3))
    module(wengert.ones(4, 2))
    twin = pickle.loads(pickle.dumps(module.eval()))
    x = wengert.tensor([[0.5, -1.0]])
    assert twin(x).tolist() == module(x).tolist()
    assert all(p.requires_grad for p in twin.parameters())


# --- forward hooks --------------------------------------------------------------------


def hooked(library, register):
    said = []

    class Add(library.nn.Module):
        def forward(self, x, y=1.0):
            said.append(("forward", float(x), float(y)))
            return x + y

    module = Add()
    handle = register(module, said)
    result = float(module(library.tensor(2.0), y=3.0))
    if handle is not None:
        handle.remove()
        said.append("removed")
        float(module(library.tensor(2.0)))
    return result, said


def note(said, name, result=None):
    def hook(module, *args):
        shown = [a if isinstance(a, dict) else tuple(map(float, a)) for a in args[:-1]]
        last = args[-1]
        shown.append(
            tuple(map(float, last)) if isinstance(last, tuple) else repr(last)[:10]
        )
        said.append((name, *shown))
        return result(args) if result else None

    return hook


HOOKS = {
    "before": lambda m, s: m.register_forward_pre_hook(note(s, "pre")),
    "before, replacing": lambda m, s: m.register_forward_pre_hook(
        note(s, "pre", lambda a: (a[0][0] * 10,))
    ),
    "before, replacing with one": lambda m, s: m.register_forward_pre_hook(
        note(s, "pre", lambda a: a[0][0] * 10)
    ),
    "before, with options": lambda m, s: m.register_forward_pre_hook(
        lambda m, a, k: (a, {"y": k.get("y", 1.0) * 10}), with_kwargs=True
    ),
    "before, wrongly": lambda m, s: m.register_forward_pre_hook(
        lambda m, a, k: 3, with_kwargs=True
    ),
    "after": lambda m, s: m.register_forward_hook(note(s, "post")),
    "after, replacing": lambda m, s: m.register_forward_hook(lambda m, a, r: r * 100),
    "after, with options": lambda m, s: m.register_forward_hook(
        lambda m, a, k, r: r * k.get("y", 1.0), with_kwargs=True
    ),
}


@pytest.mark.parametrize("register", HOOKS.values(), ids=HOOKS)
def test_forward_hooks(register):
    check_same(lambda library: hooked(library, register))


def test_order_of_forward_hooks():
    def register(module, said):
        for name, prepend in (("a", False), ("b", False), ("c", True)):
            module.register_forward_pre_hook(
                lambda m, a, name=name: said.append("pre " + name), prepend=prepend
            )
            module.register_forward_hook(
                lambda m, a, r, name=name: said.append("post " + name), prepend=prepend
            )

    check_same(lambda library: hooked(library, register))


@pytest.mark.parametrize("always", [True, False])
def test_hooks_that_are_always_called(always):
    def call(library):
        said = []

        class Failing(library.nn.Module):
            def forward(self, x):
                raise KeyError("failed")

        module = Failing()
        module.register_forward_hook(lambda m, a, r: said.append(r), always_call=always)
        return outcome(lambda: module(1)), said

    check_same(call)


def test_hooks_of_all_modules():
    from wengert.nn import calls

    said = []
    handles = [
        calls.register_module_forward_pre_hook(lambda m, a: said.append("pre")),
        calls.register_module_forward_hook(lambda m, a, r: said.append("post")),
    ]
    nn.Sequential(nn.ReLU())(wengert.ones(1))
    for handle in handles:
        handle.remove()
    nn.ReLU()(wengert.ones(1))
    assert said == ["pre", "pre", "post", "post"]


def test_hooks_are_kept_by_copies():
    said = []
    module = nn.ReLU()
    module.register_forward_hook(lambda m, a, r: said.append(1))
    copy.deepcopy(module)(wengert.ones(1))
    assert said == [1]


# --- backward hooks -------------------------------------------------------------------


def shapes(grads):
    return [None if grad is None else tuple(grad.shape) for grad in grads]


class Case:
    """A module of two inputs and two outputs, called in some way."""

    def __init__(self, second=None, used=2):
        self.second = second
        self.used = used

    def __call__(self, library, pre=None, full=None):
        class Two(library.nn.Module):
            def forward(self, a, b):
                return a * b, a + b

        said = []
        module = Two()

        def before(m, grads):
            said.append(("pre", shapes(grads)))
            return pre(grads) if pre else None

        def after(m, grad_inputs, grad_outputs):
            said.append(("full", shapes(grad_inputs), shapes(grad_outputs)))
            return full(grad_inputs) if full else None

        module.register_full_backward_pre_hook(before)
        module.register_full_backward_hook(after)
        x = library.tensor([1.0, 2.0], requires_grad=True)
        second = library.ones(2) if self.second is None else self.second
        results = module(x, second)
        sum(result.sum() for result in results[: self.used]).backward()
        return said, x.grad.tolist()


BACKWARDS = {
    "both outputs": lambda t: Case()(t),
    "one output": lambda t: Case(used=1)(t),
    "a number": lambda t: Case(second=3.0)(t),
    "other output gradients": lambda t: Case()(t, pre=lambda g: (g[0] * 2, g[1] * 3)),
    "other input gradients": lambda t: Case()(t, full=lambda g: (g[0] * 5, g[1])),
    "too many": lambda t: Case()(t, full=lambda g: (g[0], g[0], g[0])),
}


@pytest.mark.parametrize("call", BACKWARDS.values(), ids=BACKWARDS)
def test_backward_hooks(call):
    check_same(call)


def test_backward_hook_where_no_input_requires_grad():
    said = []
    module = nn.Linear(2, 1)
    module.register_full_backward_hook(lambda m, gi, go: said.append((gi, len(go))))
    with pytest.warns(UserWarning, match="no inputs require gradients"):
        module(wengert.ones(1, 2)).sum().backward()
    assert said == [((None,), 1)]


def test_backward_hooks_want_tensors():
    class Named(nn.Module):
        def forward(self, x):
            return {"x": x}

    module = Named()
    module.register_full_backward_hook(lambda *_: pytest.fail("called"))
    with pytest.warns(UserWarning, match="should be a Tensor or a tuple"):
        result = module(wengert.ones(1, requires_grad=True))
    result["x"].sum().backward()


def test_backward_hooks_at_higher_order():
    seen = []
    module = nn.Linear(1, 1, bias=False)
    module.register_full_backward_hook(
        lambda m, gi, go: seen.append(gi[0].requires_grad)
    )
    x = wengert.tensor([[2.0]], requires_grad=True)
    (first,) = wengert.autograd.grad((module(x) ** 2).sum(), x, create_graph=True)
    (second,) = wengert.autograd.grad(first.sum(), x)
    np.testing.assert_allclose(second.item(), 2 * module.weight.item() ** 2, rtol=1e-6)
    assert seen[0]


# --- calling --------------------------------------------------------------------------


def test_forward_of_an_instance_can_be_replaced():
    module = nn.ReLU()
    module.forward = lambda x: "replaced"
    assert module(1) == "replaced"


def test_import_of_the_package_leaves_modules_out():
    import subprocess
    import sys

    code = (
        "import sys, wengert;"
        "print([n for n in sys.modules if n in ('wengert.nn', 'wengert.optim')])"
    )
    found = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert found.stdout.strip() == "[]"
