"""Containers of modules and parameters beside PyTorch's."""

from collections import OrderedDict

import pytest
import torch

import wengert

LIBRARIES = (wengert, torch)


def text(value):
    """What can be compared of a result across the libraries."""
    if value is None or isinstance(value, int | str | float | bool):
        return value
    if isinstance(value, wengert.Tensor | torch.Tensor):
        return type(value).__name__, value.tolist(), value.requires_grad
    if isinstance(value, wengert.nn.Module | torch.nn.Module):
        return repr(value), list(value.state_dict())
    if isinstance(value, tuple | list):
        return [text(item) for item in value]
    return [text(item) for item in value]


def check_same(call):
    found = []
    for library in LIBRARIES:
        try:
            found.append(text(call(library)))
        except Exception as error:
            said = str(error).replace("wengert.nn.containers", "torch.nn")
            said = said.replace("wengert.nn.module", "torch.nn")
            said = said.replace("torch.nn.modules.container", "torch.nn")
            said = said.replace("torch.nn.modules.module", "torch.nn")
            found.append((type(error).__name__, said))
    assert found[0] == found[1]


def sequence(t):
    return t.nn.Sequential(t.nn.Linear(1, 2), t.nn.ReLU(), t.nn.Linear(2, 1))


def delete(container, key):
    del container[key]
    return container


def put(container, key, value):
    container[key] = value
    return container


def changed(container, change):
    change(container)
    return container


SEQUENTIAL = {
    "text": sequence,
    "empty": lambda t: t.nn.Sequential(),
    "named": lambda t: t.nn.Sequential(OrderedDict(a=t.nn.ReLU(), b=t.nn.Tanh())),
    "by name": lambda t: t.nn.Sequential(OrderedDict(a=t.nn.ReLU())).a,
    "index": lambda t: sequence(t)[0],
    "from the end": lambda t: sequence(t)[-1],
    "slice": lambda t: sequence(t)[1:],
    "slice of names": lambda t: sequence(t)[::2],
    "too far": lambda t: sequence(t)[3],
    "too far back": lambda t: sequence(t)[-4],
    "no index": lambda t: sequence(t)["0"],
    "length": lambda t: len(sequence(t)),
    "iteration": lambda t: list(sequence(t)),
    "deletion": lambda t: delete(sequence(t), 0),
    "deletion of several": lambda t: delete(sequence(t), slice(0, 2)),
    "replacement": lambda t: put(sequence(t), 1, t.nn.GELU()),
    "replacement at the end": lambda t: put(sequence(t), -1, t.nn.GELU()),
    "append": lambda t: sequence(t).append(t.nn.Tanh()),
    "insert": lambda t: sequence(t).insert(1, t.nn.Tanh()),
    "insert too far": lambda t: sequence(t).insert(9, t.nn.Tanh()),
    "insert a number": lambda t: sequence(t).insert(0, 3),
    "append a number": lambda t: sequence(t).append(3),
    "extend": lambda t: sequence(t).extend([t.nn.Tanh(), t.nn.ReLU()]),
    "pop": lambda t: sequence(t).pop(0),
    "after pop": lambda t: changed(sequence(t), lambda s: s.pop(-1)),
    "sum": lambda t: sequence(t) + t.nn.Sequential(t.nn.Tanh()),
    "sum in place": lambda t: sequence(t).__iadd__(t.nn.Sequential(t.nn.Tanh())),
    "sum with a number": lambda t: sequence(t) + 3,
    "product": lambda t: t.nn.Sequential(t.nn.ReLU()) * 3,
    "product from the left": lambda t: 2 * t.nn.Sequential(t.nn.ReLU()),
    "product in place": lambda t: t.nn.Sequential(t.nn.ReLU()).__imul__(3),
    "product with zero": lambda t: sequence(t) * 0,
    "product with text": lambda t: sequence(t) * "a",
    "a number": lambda t: t.nn.Sequential(3),
    "a list": lambda t: t.nn.Sequential([t.nn.ReLU()]),
}


def modules(t):
    return t.nn.ModuleList([t.nn.Linear(1, 1), t.nn.ReLU(), t.nn.ReLU()])


LISTS = {
    "text": modules,
    "empty": lambda t: t.nn.ModuleList(),
    "runs": lambda t: t.nn.ModuleList([t.nn.ReLU()] * 3 + [t.nn.Tanh()]),
    "nested runs": lambda t: t.nn.ModuleList([sequence(t), sequence(t)]),
    "index": lambda t: modules(t)[-3],
    "slice": lambda t: modules(t)[1:],
    "too far": lambda t: modules(t)[3],
    "length": lambda t: len(modules(t)),
    "deletion": lambda t: delete(modules(t), 0),
    "deletion of several": lambda t: delete(modules(t), slice(None, None, 2)),
    "replacement": lambda t: put(modules(t), -1, t.nn.SELU()),
    "replacement too far": lambda t: put(modules(t), 9, t.nn.SELU()),
    "append": lambda t: modules(t).append(t.nn.Tanh()),
    "append a number": lambda t: modules(t).append(3),
    "extend": lambda t: modules(t).extend(modules(t)),
    "extend by a number": lambda t: modules(t).extend(3),
    "insert": lambda t: changed(modules(t), lambda m: m.insert(0, t.nn.Tanh())),
    "pop": lambda t: modules(t).pop(0),
    "sum": lambda t: modules(t) + modules(t),
    "sum in place": lambda t: modules(t).__iadd__([t.nn.GELU()]),
    "reversed": lambda t: list(reversed(modules(t))),
    "contains": lambda t: t.nn.ReLU() in modules(t),
    "called": lambda t: modules(t)(3),
    "a number": lambda t: t.nn.ModuleList(3),
}


def named(t):
    return t.nn.ModuleDict({"a": t.nn.ReLU(), "b": t.nn.Linear(1, 1)})


DICTIONARIES = {
    "text": named,
    "pairs": lambda t: t.nn.ModuleDict([("q", t.nn.ReLU()), ("p", t.nn.Tanh())]),
    "item": lambda t: named(t)["b"],
    "absent": lambda t: named(t)["z"],
    "iteration": lambda t: list(named(t)),
    "keys": lambda t: list(named(t).keys()),
    "items": lambda t: list(named(t).items()),
    "values": lambda t: list(named(t).values()),
    "length": lambda t: len(named(t)),
    "contains": lambda t: ("a" in named(t), "z" in named(t)),
    "pop": lambda t: named(t).pop("a"),
    "after pop": lambda t: changed(named(t), lambda m: m.pop("a")),
    "deletion": lambda t: delete(named(t), "a"),
    "assignment": lambda t: put(named(t), "a", t.nn.Tanh()),
    "assignment of a number": lambda t: put(named(t), "a", 3),
    "update": lambda t: changed(named(t), lambda m: m.update({"z": t.nn.GELU()})),
    "update by pairs": lambda t: changed(
        named(t), lambda m: m.update([["z", t.nn.GELU()]])
    ),
    "update by a number": lambda t: named(t).update(3),
    "update by numbers": lambda t: named(t).update([3]),
    "update by singles": lambda t: named(t).update([[3]]),
    "clear": lambda t: changed(named(t), lambda m: m.clear()),
    "a taken name": lambda t: t.nn.ModuleDict({"items": t.nn.ReLU()}),
}


def values(t):
    return t.nn.ParameterList([t.ones(2), t.nn.Parameter(t.ones(3, 1)), 3])


PARAMETER_LISTS = {
    "text": values,
    "one": lambda t: t.nn.ParameterList([t.ones(2)]),
    "index": lambda t: values(t)[0],
    "from the end": lambda t: values(t)[-1],
    "slice": lambda t: values(t)[:2],
    "too far": lambda t: values(t)[3],
    "length": lambda t: len(values(t)),
    "iteration": lambda t: list(values(t)),
    "append": lambda t: values(t).append(t.zeros(1)),
    "extend": lambda t: values(t).extend([t.zeros(1), 4]),
    "extend by a number": lambda t: values(t).extend(3),
    "sum in place": lambda t: values(t).__iadd__([t.zeros(1)]),
    "replacement": lambda t: put(values(t), 0, t.zeros(1)),
    "called": lambda t: values(t)(3),
    "parameters": lambda t: [p.shape[0] for p in values(t).parameters()],
}


def by_name(t):
    return t.nn.ParameterDict(
        {"b": t.nn.Parameter(t.zeros(1)), "a": t.ones(2), "c": "text"}
    )


PARAMETER_DICTIONARIES = {
    "text": by_name,
    "item": lambda t: by_name(t)["a"],
    "absent": lambda t: by_name(t)["z"],
    "keys": lambda t: list(by_name(t).keys()),
    "ordered keys": lambda t: list(
        t.nn.ParameterDict(OrderedDict(b=t.ones(1), a=t.ones(1)))
    ),
    "pairs": lambda t: list(t.nn.ParameterDict([("b", t.ones(1)), ("a", t.ones(1))])),
    "items": lambda t: [list(item) for item in by_name(t).items()],
    "values": lambda t: list(by_name(t).values()),
    "length": lambda t: len(by_name(t)),
    "contains": lambda t: ("a" in by_name(t), "z" in by_name(t)),
    "get": lambda t: (by_name(t).get("a"), by_name(t).get("z"), by_name(t).get("z", 3)),
    "setdefault": lambda t: changed(by_name(t), lambda m: m.setdefault("w", t.ones(1))),
    "pop": lambda t: by_name(t).pop("a"),
    "popitem": lambda t: list(by_name(t).popitem()),
    "after popitem": lambda t: changed(by_name(t), lambda m: m.popitem()),
    "deletion": lambda t: delete(by_name(t), "a"),
    "assignment": lambda t: put(by_name(t), "a", t.zeros(1)),
    "fromkeys": lambda t: by_name(t).fromkeys(["a", "b"], t.ones(1)),
    "copy": lambda t: by_name(t).copy(),
    "union": lambda t: by_name(t) | t.nn.ParameterDict({"zz": t.ones(1)}),
    "union in place": lambda t: by_name(t).__ior__(
        t.nn.ParameterDict({"k": t.ones(1)})
    ),
    "update by a number": lambda t: by_name(t).update(3),
    "reversed": lambda t: list(reversed(by_name(t))),
    "clear": lambda t: changed(by_name(t), lambda m: m.clear()),
    "called": lambda t: by_name(t)(3),
    "number as name": lambda t: t.nn.ParameterDict({3: t.ones(1)}),
    "dot in name": lambda t: t.nn.ParameterDict({"a.b": t.ones(1)}),
}

TABLES = {
    "Sequential": SEQUENTIAL,
    "ModuleList": LISTS,
    "ModuleDict": DICTIONARIES,
    "ParameterList": PARAMETER_LISTS,
    "ParameterDict": PARAMETER_DICTIONARIES,
}
CASES = {
    f"{kind}, {name}": call
    for kind, table in TABLES.items()
    for name, call in table.items()
}


@pytest.mark.parametrize("call", CASES.values(), ids=CASES)
def test_container(call):
    check_same(call)


def test_what_pytorchs_list_fails_at():
    nn = wengert.nn
    layers = nn.ModuleList([nn.ReLU(), nn.Tanh()])
    layers.insert(-1, nn.GELU())
    layers.extend(layers)
    assert [type(layer).__name__ for layer in layers] == ["ReLU", "GELU", "Tanh"] * 2


def test_sequential_calls_one_after_the_other():
    nn = wengert.nn
    model = nn.Sequential(nn.Flatten(0), nn.Softmax(0), nn.Identity())
    x = wengert.tensor([[1.0, 2.0]])
    assert model(x).tolist() == x.flatten().softmax(0).tolist()
