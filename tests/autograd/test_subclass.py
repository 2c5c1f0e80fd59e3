"""Subclasses of Tensor, and classes that handle ops themselves."""

from __future__ import annotations

import copy
import pickle

import pytest

import wengert
from tests.autograd.support import side_by_side

pytestmark = pytest.mark.filterwarnings("ignore:.*not a leaf")

RESULTS = {
    "x + 1": lambda t, x: x + 1,
    "1 + x": lambda t, x: 1 + x,
    "2 - x": lambda t, x: 2 - x,
    "plain + x": lambda t, x: t.ones(2) + x,
    "x.sum()": lambda t, x: x.sum(),
    "x.mean()": lambda t, x: x.mean(),
    "x[0]": lambda t, x: x[0],
    "x.clone()": lambda t, x: x.clone(),
    "add": lambda t, x: t.add(t.ones(2), x),
    "sin": lambda t, x: t.sin(x),
    "greater": lambda t, x: x > 0,
    "double": lambda t, x: x.to(t.float64),
    "detach": lambda t, x: x.detach(),
    "data": lambda t, x: x.data,
    "new_zeros": lambda t, x: x.new_zeros(2),
    "T": lambda t, x: x.reshape(1, 2).T,
    "requires_grad_": lambda t, x: x.requires_grad_(),
    "in place": lambda t, x: x.add_(1),
    "view": lambda t, x: x.view(2, 1),
    "matmul": lambda t, x: x @ x,
    "cat": lambda t, x: t.cat([x, x]),
    "stack": lambda t, x: t.stack([t.ones(2), x]),
    "where": lambda t, x: t.where(x > 0, x, t.ones(2)),
    "softmax": lambda t, x: t.softmax(x, 0),
}


@pytest.mark.parametrize("name", RESULTS)
@side_by_side
def test_results_keep_the_class(t, log, name):
    class Mine(t.Tensor):
        pass

    x = t.ones(2).as_subclass(Mine)
    result = RESULTS[name](t, x)
    log(type(result), result.tolist(), isinstance(result, t.Tensor))


@side_by_side
def test_results_that_are_several(t, log):
    class Mine(t.Tensor):
        pass

    x = t.tensor([1.0, 3.0, 2.0]).as_subclass(Mine)
    log([type(part) for part in x.split(1)], type(x.split(1)))
    log(type(x.max(0).values), type(x.max(0)[1]), x.max(0).indices.item())
    log(type(x.tolist()), tuple(x.shape), t.is_tensor(x))


@side_by_side
def test_making_instances(t, log):
    class Mine(t.Tensor):
        pass

    class Named(t.Tensor):
        def __new__(cls, data, label):
            return t.Tensor._make_subclass(cls, data)

        def __init__(self, data, label):
            self.label = label

    log(type(Mine([1.0, 2.0])), type(Mine(t.ones(2))))
    x = t.Tensor._make_subclass(Mine, t.ones(2), True)
    log(type(x), x.requires_grad, x.is_leaf)
    y = Named(t.ones(2), "label")
    log(y.label, type(y * 2), hasattr(y * 2, "label"))
    log(type(copy.copy(x.detach())), repr(x), repr(x.detach() * 2))


@side_by_side
def test_gradients(t, log):
    class Mine(t.Tensor):
        pass

    x = t.ones(2).as_subclass(Mine).requires_grad_()
    y = (x * x).sum()
    log(type(y), y.requires_grad)
    y.backward()
    log(x.grad.tolist(), type(x.detach()))
    (g,) = t.autograd.grad((x**3).sum(), x, create_graph=True)
    log(t.autograd.grad(g.sum(), x)[0].tolist())
    base = t.ones(2, requires_grad=True)
    (base.as_subclass(Mine) * 3).sum().backward()
    log(base.grad.tolist())


@side_by_side
def test_a_handler(t, log):
    class Logged(t.Tensor):
        @classmethod
        def __torch_function__(cls, func, types, args=(), kwargs=None):
            log(func.__name__, [kind.__name__ for kind in types])
            return super().__torch_function__(func, types, args, kwargs)

    x = t.ones(2).as_subclass(Logged)
    for step in (
        lambda: x + 1,
        lambda: 1 + x,
        lambda: -x,
        lambda: x.sum(),
        lambda: x.mean(),
        lambda: x.add_(1),
        lambda: t.sin(x),
        lambda: x[0],
        lambda: x.size(),
        lambda: x.view(1, 2),
        lambda: x.__setitem__(0, 2.0),
        lambda: len(x),
        lambda: x.detach(),
        lambda: x.softmax(0),
        lambda: t.add(t.ones(2), x),
        lambda: t.cat([x, x]),
    ):
        log(type(step()))


@side_by_side
def test_handlers_of_other_classes(t, log):
    class Meta:
        @classmethod
        def __torch_function__(cls, func, types, args=(), kwargs=None):
            return func.__name__, [kind.__name__ for kind in types]

    m = Meta()
    log(t.add(m, 1), t.mean(m, dim=0), t.sum(m))


@side_by_side
def test_subclasses_come_before_their_bases(t, log):
    class A(t.Tensor):
        pass

    class B(A):
        pass

    class Other(t.Tensor):
        pass

    a, b = t.ones(2).as_subclass(A), t.ones(2).as_subclass(B)
    log(type(a + b), type(b + a), type(a.add(b)))
    try:
        t.add(a, t.ones(2).as_subclass(Other))
    except TypeError:
        log("refused")


@side_by_side
def test_not_implemented(t, log):
    class No(t.Tensor):
        @classmethod
        def __torch_function__(cls, func, types, args=(), kwargs=None):
            return NotImplemented

    x = t.ones(2).as_subclass(No)
    try:
        t.sin(x)
    except TypeError as error:
        log(str(error)[:50])


@side_by_side
def test_parameters_make_tensors(t, log):
    parameter = t.nn.Parameter(t.ones(2))

    class Mine(t.nn.Parameter):
        pass

    log(type(parameter * 2), type(Mine(t.ones(2)) * 2), type(parameter.clone()))


@side_by_side
def test_asking(t, log):
    class Mine(t.Tensor):
        pass

    x = t.ones(2).as_subclass(Mine)
    o = t.overrides
    log(o.has_torch_function((x,)), o.has_torch_function((t.ones(1), 3)))
    log(o.has_torch_function_unary(x), o.is_tensor_like(x), o.is_tensor_like(3))
    log(o.is_tensor_method_or_property(t.Tensor.add))


def test_switching_it_off():
    class Mine(wengert.Tensor):
        pass

    x = wengert.ones(2).as_subclass(Mine)
    with wengert.overrides.DisableTorchFunctionSubclass():
        assert type(x + 1) is wengert.Tensor
        assert type(x.sum()) is wengert.Tensor
    assert type(x + 1) is Mine


class Kept(wengert.Tensor):
    pass


def test_copies():
    x = wengert.ones(2).as_subclass(Kept).requires_grad_()
    x.note = "kept"
    for made in (copy.deepcopy(x), pickle.loads(pickle.dumps(x))):
        assert type(made) is Kept
        assert made.requires_grad
        assert made.note == "kept"
        assert made.tolist() == [1, 1]


FUNCTIONS = {
    **{
        name: (lambda t, x, name=name: getattr(t.nn.functional, name)(x))
        for name in (
            *("relu", "selu", "gelu", "softsign", "tanhshrink", "relu6", "normalize"),
            *("dropout", "alpha_dropout", "hardtanh"),
        )
    },
    **{
        name: (lambda t, x, name=name: getattr(t, name)(x))
        for name in ("exp", "mean", "sort", "argsort", "norm", "unique", "zeros_like")
    },
    "clamp": lambda t, x: t.clamp(x, 0),
    "einsum": lambda t, x: t.einsum("ij,kj", x, x),
    "second argument": lambda t, x: t.add(t.ones(2, 3), x),
    "in a list": lambda t, x: t.stack([t.ones(2, 3), x]),
    "allclose": lambda t, x: t.allclose(x, x),
    "mse_loss": lambda t, x: t.nn.functional.mse_loss(x, x),
    "cross_entropy": lambda t, x: t.nn.functional.cross_entropy(x, t.tensor([0, 1])),
    "pad": lambda t, x: t.nn.functional.pad(x, (1, 1)),
    "broadcast_tensors": lambda t, x: t.broadcast_tensors(x, x),
    "vector norm": lambda t, x: t.linalg.norm(x),
    "Linear": lambda t, x: t.nn.Linear(3, 2)(x),
    "LayerNorm": lambda t, x: t.nn.LayerNorm(3)(x),
    "grad": lambda t, x: t.autograd.grad((x * 2).sum(), x),
    "backward": lambda t, x: t.autograd.backward((x * 2).sum()),
    "x + 1": lambda t, x: (x + 1, x / 2, 2 / x, x % 2, x == 1),
    "rows": lambda t, x: list(x),
}


@pytest.mark.parametrize("name", FUNCTIONS)
@side_by_side
def test_which_functions_handlers_see(t, log, name):
    seen = []

    class Mine(t.Tensor):
        @classmethod
        def __torch_function__(cls, func, types, args=(), kwargs=None):
            if func.__name__ != "__get__":
                seen.append(func.__name__.replace("__rtruediv__", "__rdiv__"))
            return super().__torch_function__(func, types, args, kwargs or {})

    x = t.ones(2, 3).as_subclass(Mine).requires_grad_()
    seen.clear()
    result = FUNCTIONS[name](t, x)
    log([called for called in seen if called not in ("dim", "size")])
    log(type(result).__name__ if isinstance(result, t.Tensor) else None)
