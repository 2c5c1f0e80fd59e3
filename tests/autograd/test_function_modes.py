"""Modes that see every call, and the helpers of `torch.overrides`, beside PyTorch."""

from __future__ import annotations

import threading
from types import ModuleType
from typing import Any

import pytest
import torch.overrides

import wengert
import wengert.overrides
from tests.autograd.support import side_by_side

pytestmark = pytest.mark.filterwarnings("ignore:.*not a leaf")

CALLS = {
    "x + 1": lambda t, x: x + 1,
    "1 + x": lambda t, x: 1 + x,
    "2 - x": lambda t, x: 2 - x,
    "2 ** x": lambda t, x: 2**x,
    "x ** 2": lambda t, x: x**2,
    "x // 2": lambda t, x: x.detach() // 2,
    "x @ x": lambda t, x: x @ x,
    "-x": lambda t, x: -x,
    "abs": lambda t, x: abs(x),
    "x > 0": lambda t, x: x > 0,
    "~": lambda t, x: ~(x > 0),
    "&": lambda t, x: (x > 0) & (x < 2),
    "x[0]": lambda t, x: x[0],
    "x[0] = 2": lambda t, x: x.clone().__setitem__(0, 2),
    "len": lambda t, x: len(x),
    "in": lambda t, x: 1 in x,
    "bool": lambda t, x: bool(x.sum() > 0),
    "float": lambda t, x: float(x.detach().sum()),
    "shape": lambda t, x: x.shape,
    "dtype": lambda t, x: x.dtype,
    "device": lambda t, x: x.device,
    "requires_grad": lambda t, x: x.requires_grad,
    "grad": lambda t, x: x.grad,
    "grad_fn": lambda t, x: x.grad_fn,
    "is_leaf": lambda t, x: x.is_leaf,
    "set grad": lambda t, x: setattr(x, "grad", None),
    "T": lambda t, x: x.view(1, 2).T,
    "size": lambda t, x: x.size(),
    "sum": lambda t, x: x.sum(),
    "item": lambda t, x: x.sum().item(),
    "add_": lambda t, x: x.clone().add_(1),
    "detach": lambda t, x: x.detach(),
    "numpy": lambda t, x: x.detach().numpy(),
    "tolist": lambda t, x: x.tolist(),
    "backward": lambda t, x: (x * 2).sum().backward(),
    "register_hook": lambda t, x: x.register_hook(lambda grad: None),
    "to": lambda t, x: x.to(t.float64),
    "ones": lambda t, x: t.ones(2),
    "tensor": lambda t, x: t.tensor([1.0]),
    "rand": lambda t, x: t.rand(2),
    "zeros_like": lambda t, x: t.zeros_like(x),
    "cat": lambda t, x: t.cat([x, x]),
    "where": lambda t, x: t.where(x > 0, x, x),
    "einsum": lambda t, x: t.einsum("i,i->", x, x),
    "linear": lambda t, x: t.nn.functional.linear(x, t.ones(3, 2)),
    "relu": lambda t, x: t.nn.functional.relu(x),
    "dropout": lambda t, x: t.nn.functional.dropout(x),
    "loss": lambda t, x: t.nn.functional.mse_loss(x, x),
    "repr": lambda t, x: len(repr(x)),
    "no tensors": lambda t, x: (t.is_grad_enabled(), t.is_tensor(x), t.no_grad()),
}


def recorder(t: Any, seen: list[Any]) -> Any:
    """Return a mode that notes which functions are called with how many arguments."""

    class Recorder(t.overrides.TorchFunctionMode):
        def __torch_function__(self, func, types, args=(), kwargs=None):
            seen.append((func.__name__, len(args)))
            return func(*args, **(kwargs or {}))

    return Recorder()


@pytest.mark.parametrize("name", CALLS)
@side_by_side
def test_what_is_seen(t, log, name):
    seen: list[Any] = []
    x = t.ones(2, requires_grad=True)
    with recorder(t, seen):
        CALLS[name](t, x)
    log(seen)


@side_by_side
def test_modules_are_seen(t, log):
    seen: list[Any] = []
    model = t.nn.Sequential(t.nn.Linear(2, 3), t.nn.PReLU())
    with recorder(t, seen):
        model(t.ones(1, 2))
    log(seen)


@side_by_side
def test_results_are_replaced(t, log):
    class Doubled(t.overrides.TorchFunctionMode):
        def __torch_function__(self, func, types, args=(), kwargs=None):
            if func is t.ones:
                return func(*args, **(kwargs or {}), dtype=t.float64)
            if func in (t.Tensor.add, t.Tensor.mul):
                return func(*args) * 2
            return func(*args, **(kwargs or {}))

    with Doubled():
        x = t.ones(2)
        log(x, x + 1, x * 3, x - 1)
    log(t.ones(2), x + 1)


@side_by_side
def test_nesting(t, log):
    class Named(t.overrides.TorchFunctionMode):
        def __init__(self, name):
            super().__init__()
            self.name = name

        def __torch_function__(self, func, types, args=(), kwargs=None):
            log(self.name, func.__name__)
            result = func(*args, **(kwargs or {}))
            t.zeros(1)
            return result

    with Named("outer"), Named("inner"):
        t.ones(2).sum()
    with t.overrides.BaseTorchFunctionMode(), Named("one"):
        t.ones(1)


@side_by_side
def test_handlers_that_refuse(t, log):
    class Refuses(t.overrides.TorchFunctionMode):
        def __torch_function__(self, func, types, args=(), kwargs=None):
            log(types)
            return NotImplemented

    class Handles(t.Tensor):
        @classmethod
        def __torch_function__(cls, func, types, args=(), kwargs=None):
            return "handled", func.__name__

    x = t.ones(2)
    mine = x.as_subclass(Handles)
    with Refuses():
        log(t.add(mine, 1))
    with t.overrides.TorchFunctionMode():
        log.error(lambda: t.ones(2))
    with pytest.raises(TypeError, match="returned NotImplemented"), Refuses():
        t.cat([x, x])


@side_by_side
def test_exceptions_end_the_mode(t, log):
    seen: list[Any] = []
    with pytest.raises(ValueError, match="mine"), recorder(t, seen):
        raise ValueError("mine")
    t.ones(2) + 1
    log(seen)


@side_by_side
def test_functions_of_the_users_own(t, log):
    def relevant(x, *rest):
        return (x,)

    @t.overrides.wrap_torch_function(relevant)
    def twice(x, *rest):
        return x * 2

    class Mine(t.Tensor):
        @classmethod
        def __torch_function__(cls, func, types, args=(), kwargs=None):
            return func.__name__, len(types)

    log(twice(t.ones(2)), twice(t.ones(2).as_subclass(Mine), 3))


def test_other_threads_see_nothing():
    seen: list[Any] = []
    with recorder(wengert, seen):
        thread = threading.Thread(target=lambda: wengert.ones(2).sum())
        thread.start()
        thread.join()
    assert seen == []


def test_nothing_is_left_behind():
    before = dict(vars(wengert.Tensor))
    with recorder(wengert, []):
        assert wengert.Tensor.__getattribute__ is not object.__getattribute__
    assert dict(vars(wengert.Tensor)) == before
    assert wengert.Tensor.__getattribute__ is object.__getattribute__
    assert type(wengert) is type(wengert.nn.functional) is ModuleType


def test_names():
    overrides = wengert.overrides
    assert overrides.resolve_name(wengert.add) == "torch.add"
    assert overrides.resolve_name(wengert.Tensor.sum) == "torch.Tensor.sum"
    name = overrides.resolve_name(wengert.nn.functional.mse_loss)
    assert name == torch.overrides.resolve_name(torch.nn.functional.mse_loss)
    assert overrides.resolve_name(test_names) is None
    assert wengert.is_grad_enabled in overrides.get_ignored_functions()
    functions = overrides.get_overridable_functions()
    assert wengert.sin in functions[wengert]
    assert not overrides.get_ignored_functions() & set(functions[wengert])


def test_switching_everything_off():
    seen: list[Any] = []
    with recorder(wengert, seen), wengert.overrides.DisableTorchFunction():
        wengert.ones(2).sum()
    assert seen == []


IMAGE = (2, 4, 8, 8)
MODULES = {
    **{
        name: (lambda t, name=name: getattr(t.nn, name)()(t.ones(2, 4)))
        for name in (
            *("ReLU", "ELU", "SELU", "CELU", "GELU", "SiLU", "Mish", "Softplus"),
            *("Softshrink", "Softsign", "Tanh", "Tanhshrink", "Sigmoid", "Hardsigmoid"),
            *("Hardswish", "Hardtanh", "Hardshrink", "LeakyReLU", "RReLU", "GLU"),
            *("Dropout", "AlphaDropout", "Flatten", "Identity"),
        )
    },
    **{
        name: (lambda t, name=name: getattr(t.nn, name)(2)(t.ones(IMAGE)))
        for name in (
            *("MaxPool2d", "AvgPool2d", "AdaptiveAvgPool2d", "AdaptiveMaxPool2d"),
            *("LocalResponseNorm", "PixelShuffle", "ChannelShuffle", "Unfold"),
            *("ZeroPad2d", "ReflectionPad2d"),
        )
    },
    **{
        name: (lambda t, name=name: getattr(t.nn, name)()(t.ones(2, 3), t.ones(2, 3)))
        for name in (
            *("MSELoss", "L1Loss", "SmoothL1Loss", "HuberLoss", "BCELoss", "KLDivLoss"),
            *("BCEWithLogitsLoss", "PoissonNLLLoss", "HingeEmbeddingLoss"),
            *("SoftMarginLoss", "CosineSimilarity", "PairwiseDistance"),
        )
    },
    "Softmax": lambda t: t.nn.Softmax(1)(t.ones(2, 3)),
    "LPPool2d": lambda t: t.nn.LPPool2d(2, 2)(t.ones(IMAGE)),
    "CrossEntropyLoss": lambda t: t.nn.CrossEntropyLoss()(
        t.ones(2, 3), t.tensor([0, 1])
    ),
    "Linear": lambda t: t.nn.Linear(3, 2)(t.ones(1, 3)),
    "Embedding": lambda t: t.nn.Embedding(4, 3)(t.tensor([1])),
    "EmbeddingBag": lambda t: t.nn.EmbeddingBag(4, 3)(t.tensor([[1]])),
    "Conv2d": lambda t: t.nn.Conv2d(4, 2, 3, padding=1)(t.ones(IMAGE)),
    "ConvTranspose2d": lambda t: t.nn.ConvTranspose2d(4, 2, 3)(t.ones(IMAGE)),
    "PReLU": lambda t: t.nn.PReLU()(t.ones(2)),
    "BatchNorm2d": lambda t: t.nn.BatchNorm2d(4).eval()(t.ones(IMAGE)),
    "LayerNorm": lambda t: t.nn.LayerNorm(8)(t.ones(IMAGE)),
}
LOOKS = {"__get__", "dim", "size", "is_contiguous", "_set_grad_enabled", "zeros"}
"""What modules ask tensors while they are made, each library in its own way."""


@pytest.mark.filterwarnings("ignore:reduction. 'mean' divides")
@pytest.mark.parametrize("name", MODULES)
@side_by_side
def test_what_modules_call(t, log, name):
    seen: list[Any] = []
    with recorder(t, seen):
        MODULES[name](t)
    last = [called for called, _ in seen if called not in LOOKS]
    log(last[-2:] if name == "BatchNorm2d" else last)


@side_by_side
def test_backward_is_seen(t, log):
    seen: list[Any] = []
    x = t.ones(2, requires_grad=True)
    with recorder(t, seen):
        t.autograd.grad((x * 2).sum(), x)
        t.autograd.backward((x * 2).sum())
        (x * 2).sum().backward()
    log([called for called, _ in seen])


def operators(t):
    x, whole = t.ones(2), t.tensor([True, False])
    x / 2, 2 / x, x % 2, x == 2, True & whole, True | whole, True ^ whole
    x += 1
    x -= 1
    x *= 2
    x /= 2
    reversed(x)


@side_by_side
def test_the_functions_that_operators_are(t, log):
    seen: list[Any] = []
    with recorder(t, seen):
        operators(t)
    log([called for called, _ in seen if called not in ("__rdiv__", "__rtruediv__")])


def test_modules_hold_their_own_functions_afterwards():
    from wengert.nn import linear

    def held():
        nn = wengert.nn
        return (
            *(linear.empty, nn.Conv2d.function, nn.functional.conv2d),
            *(nn.ReLU.forward.__globals__["function"], wengert.Tensor.__add__),
        )

    before = held()
    with recorder(wengert, []):
        assert held() != before
    assert held() == before
