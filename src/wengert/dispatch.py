"""THE call: compute, record, or hand an op to the layer on top.

A primitive called on arrays computes. Called on tensors, it computes on their arrays and,
if one of them requires grad, records a node. `general` does this for every primitive and
says what the right result is; `unary` and `binary` do the same for the commonest case in a
fraction of the time, and turn to `general` for all others.

Arrays may be NumPy's or belong to a `Layer` (a tangent beside a primal, a batch, a
trace): then `general` hands the primitive to the layer of the highest level, to which
everything of a lower level is a constant. A tensor belongs to the level of its array.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy import asarray, ndarray

from . import dtypes, errors, modes, views
from .engine import Bundle, Cotangents, Edges, Node, Output, clock
from .tensor import Parameter, Special, Tensor, counter, history, is_differentiable, new

GRAD, GRADS, INPUT, RESULT, STATIC, NEEDS = range(6)


class Layer:
    """An array of a transformation: what it does to ops is up to its class.

    `level` tells nested transformations apart. `process` is called with a primitive whose
    arguments belong to this level or lower ones.
    """

    __slots__ = ("level",)
    __array_ufunc__ = None
    level: int

    def __getattr__(self, name: str) -> Any:
        """Do what a tensor does: its methods are made of primitives."""
        if name in Layer.__slots__ or name.startswith("__"):
            raise AttributeError(name)
        found = getattr(Tensor, name)
        return found.fget(self) if isinstance(found, property) else found.__get__(self)

    @classmethod
    def process(
        cls, primitive: Primitive, level: int, args: Sequence[Any], params: dict[str, Any]
    ) -> Any:
        raise NotImplementedError


class Rule:
    """A derivative rule: a function whose parameters' names say what it needs.

    Note [Names are the contract]
        A rule may name `grad` (or, for several differentiable outputs, `grads`, a list
        with None for those that no gradient reached), an input, an output, a static
        parameter, `<input>_shape`, `<input>_dtype`, and `needs` (for each input whether
        its cotangent is wanted). Just what the rules name is saved.
    """

    __slots__ = ("function", "names", "needs", "plan")

    def __init__(
        self, function: Callable[..., Any], inputs: Sequence[str], outputs: Sequence[str]
    ) -> None:
        self.function = function
        self.names = names_of(function)
        plan = []
        for name in self.names:
            if name == "grad":
                plan.append((GRAD, name))
            elif name == "grads":
                plan.append((GRADS, name))
            elif name == "needs":
                plan.append((NEEDS, name))
            elif name in inputs:
                plan.append((INPUT, name))
            elif name in outputs:
                plan.append((RESULT, name))
            else:
                plan.append((STATIC, name))
        self.plan = tuple(plan)


def names_of(rule: Callable[..., Any]) -> tuple[str, ...]:
    """Return the names of a rule's parameters."""
    stated = getattr(rule, "rule_names", None)
    if stated is not None:
        return tuple(stated)
    code = rule.__code__
    return code.co_varnames[: code.co_argcount + code.co_kwonlyargcount]


class OpNode(Node):
    """The node of a primitive; each primitive has a class of its own."""

    __slots__ = ()
    primitive: Primitive

    def apply(self, grad: Any, edges: Edges) -> Cotangents:
        return self.primitive.pull_back(self, grad, edges, unpack)

    def apply_recorded(self, grad: Any, edges: Edges) -> Cotangents:
        return self.primitive.pull_back(self, grad, edges, unpack_recorded)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_saved_"):
            return self.primitive.show_saved(self, name[7:])
        raise AttributeError(f"'{self.name()}' object has no attribute '{name}'")

    def __dir__(self) -> list[str]:
        names = [f"_saved_{name}" for name in self.primitive.saves]
        return sorted({*super().__dir__(), *names})


class Primitive:
    """The declaration of an op: how it is computed and differentiated.

    Args:
        name: as PyTorch's op is called.
        forward: computes on arrays; inputs are positional, parameters keyword.
        inputs: the names of the array inputs; a last one that begins with ``*`` stands
            for any number of them (a rule then gets tuples, and returns a list).
        outputs: the names of the results; one result is not in a tuple.
        vjps: for each input the rule of its cotangent, or None.
        vjp: or one rule that returns the cotangents of all inputs.
        jvp: the rule of the tangent, which names the tangents ``<input>_t``.
        kind: the class of the op, from which other rules follow, see `primitives.op`.
        promote: how dtypes of inputs are brought together: "numeric", "float" (integers
            become floats), or None.
        grad_fn: the name of its nodes.
        decomposition: the same op composed of primitives.
    """

    def __init__(
        self,
        name: str,
        forward: Callable[..., Any],
        *,
        inputs: tuple[str, ...] = ("self",),
        outputs: tuple[str, ...] = ("result",),
        vjps: dict[str, Callable[..., Any]] | None = None,
        vjp: Callable[..., Any] | None = None,
        jvp: Callable[..., Any] | None = None,
        kind: str = "fused",
        promote: str | None = None,
        grad_fn: str | None = None,
        decomposition: Callable[..., Any] | None = None,
        batch: Callable[..., Any] | None = None,
    ) -> None:
        self.name = name
        self.forward = forward
        self.inputs = inputs
        self.variadic = inputs[-1].startswith("*") if inputs else False
        self.outputs = outputs
        self.kind = kind
        self.promote = promote
        self.grad_fn = grad_fn or camel(name) + "Backward0"
        self.jvp = jvp
        self.decomposition = decomposition
        self.batch = batch
        bare = tuple([item.lstrip("*") for item in inputs])
        self.whole = Rule(vjp, bare, outputs) if vjp else None
        self.rules = {
            key: Rule(rule, bare, outputs) for key, rule in (vjps or {}).items()
        }
        self.differentiable = bool(self.whole or self.rules)
        rules = [self.whole] if self.whole else list(self.rules.values())
        self.saves = tuple(
            dict.fromkeys(
                name
                for rule in rules
                for kind, name in rule.plan
                if kind in (INPUT, RESULT)
            )
        )
        self.statics = tuple(
            dict.fromkeys(
                name for rule in rules for kind, name in rule.plan if kind == STATIC
            )
        )
        self.factors: dict[str, Callable[..., Any]] = {}
        self.call: Callable[..., Any]
        self.several = any(kind == GRADS for rule in rules for kind, _ in rule.plan)
        self._node_class: type[OpNode] | None = None
        self._needed: dict[tuple[bool, ...], frozenset[str]] = {}

    def __repr__(self) -> str:
        return f"<primitive {self.name}>"

    @property
    def node_class(self) -> type[OpNode]:
        """The class of this primitive's nodes."""
        if self._node_class is None:
            members = {"__slots__": (), "primitive": self}
            apply = quick_apply(self)
            if apply is not None:
                members["apply"] = apply
            self._node_class = type(self.grad_fn, (OpNode,), members)
        return self._node_class

    def rule_of(self, index: int) -> Rule | None:
        """Return the rule for an input by its position."""
        return self.rules.get(self.input_name(index))

    def input_name(self, index: int) -> str:
        """Return the name of an input by its position."""
        if self.variadic and index >= len(self.inputs) - 1:
            return self.inputs[-1][1:]
        return self.inputs[index]

    def needed(self, edges: Edges) -> frozenset[str]:
        """Return the names that the rules for these edges ask for."""
        mask = tuple([edge is not None for edge in edges])
        found = self._needed.get(mask)
        if found is None:
            rules = [self.whole] if self.whole else []
            rules += [self.rule_of(i) for i, wanted in enumerate(mask) if wanted]
            names = {name for rule in rules if rule is not None for name in rule.names}
            found = self._needed[mask] = frozenset(names)
        return found

    def pull_back(
        self, node: OpNode, grad: Any, edges: Edges, fetch: Callable[..., Any]
    ) -> Cotangents:
        """Return the cotangents of the inputs whose edges are not None, by the rules."""
        if self.whole is not None:
            return self.call_rule(self.whole, node, grad, edges, fetch)
        if self.variadic:
            (rule,) = self.rules.values()
            return self.call_rule(rule, node, grad, edges, fetch)
        return [
            None
            if edge is None
            else self.call_rule(self.rules[name], node, grad, edges, fetch)
            for edge, name in zip(edges, self.inputs, strict=True)
        ]

    def call_rule(
        self, rule: Rule, node: OpNode, grad: Any, edges: Edges, fetch: Callable[..., Any]
    ) -> Any:
        """Call a rule with what its parameters name."""
        values = []
        for kind, name in rule.plan:
            if kind == GRAD:
                values.append(grad.get(0) if type(grad) is Bundle else grad)
            elif kind == STATIC:
                values.append(node.params[name])
            elif kind == GRADS:
                values.append([grad.get(i) for i in range(node.params["count"])])
            elif kind == NEEDS:
                values.append([edge is not None for edge in edges])
            else:
                values.append(fetch(node, self.saves.index(name)))
        return rule.function(*values)

    def show_saved(self, node: OpNode, name: str) -> Any:
        """Return a saved value as users see it, or refuse."""
        if name in self.saves:
            return unpack_recorded(node, self.saves.index(name))
        if name in self.statics:
            return node.params[name]
        raise AttributeError(f"'{node.name()}' object has no attribute '_saved_{name}'")


def camel(name: str) -> str:
    """Turn an op's name into that of its node: log_softmax → LogSoftmax."""
    return "".join([part[:1].upper() + part[1:] for part in name.split("_")])


# --- what nodes save ------------------------------------------------------------------
#
# `node.saved` holds two entries for each name in `primitive.saves`: the value, and how to
# check it. A tensor (an input) is checked against the version it had: an integer. An
# array (a result) has a pair: the result's version counter, and its version. A constant
# has None. What a saved-tensor hook has packed is a `Packed`.


class Packed:
    """What a pack hook made of a saved tensor, and the hook that unpacks it."""

    __slots__ = ("content", "unpack")
    _counter = ()

    def __init__(self, content: Any, unpack: Callable[[Any], Any]) -> None:
        self.content = content
        self.unpack = unpack


def unpack(node: OpNode, index: int) -> Any:
    """Return the array of a saved value, checked to be as it was when it was saved."""
    saved = node.saved
    if saved is None:
        raise errors.freed_graph()
    value = saved[2 * index]
    check = saved[2 * index + 1]
    if check is None:
        return value
    if type(check) is int:
        if type(value) is Packed:
            return saved_value(node, index)._data
        version = value._counter
        if (0 if version is None else version[0]) == check:
            return value._data
    elif check[0][0] == check[1] and type(value) is not Packed:
        return value
    return saved_value(node, index)


def unpack_recorded(node: OpNode, index: int) -> Any:
    """Return a saved value as a tensor with its history."""
    value = saved_value(node, index)
    check = node.saved[2 * index + 1]
    if type(check) is not tuple:
        return value
    tensor = wrap_like(value)
    name = node.primitive.saves[index]
    if is_differentiable(value.dtype):
        tensor._node = output_edge(node, node.primitive.outputs.index(name))
    return tensor


def output_edge(node: OpNode, index: int) -> Node:
    """Return where the gradient of an output of a node goes."""
    return Output(node, index) if node.primitive.several else node


def saved_value(node: OpNode, index: int) -> Any:
    """Return a saved value after checking it."""
    saved = node.saved
    if saved is None:
        raise errors.freed_graph()
    value, check = saved[2 * index : 2 * index + 2]
    if check is None:
        return value
    if type(check) is int:
        if value.__class__ is Packed:
            return value.unpack(value.content)
        version, expected = value._version, check
    else:
        now, expected = check
        version = now[0]
        if value.__class__ is Packed:
            return value.unpack(value.content)._data
    if version != expected:
        raise stale(node, value, check, version, expected)
    return value


def stale(node: OpNode, value: Any, check: Any, version: int, expected: int) -> Exception:
    """Return the error about a saved value that was written to since."""
    if type(check) is int:
        producer = history(value)
        data = value._data
        who = f", which is output {value.output_nr} of {producer.name()}" if producer else ""
    else:
        data = value
        who = f", which is output 0 of {node.name()}"
    kind = dtypes.from_numpy(data.dtype).scalar_type + "Tensor"
    return errors.modified_in_place(kind, data.shape, who, version, expected)


# --- the general call -----------------------------------------------------------------


def general(primitive: Primitive, args: Sequence[Any], params: dict[str, Any]) -> Any:
    """Call a primitive on arrays, tensors, Python numbers, in any mixture."""
    level = -1
    owner: type[Layer] | None = None
    for arg in args:
        if isinstance(arg, Tensor):
            special = arg._special
            found = special.level if special is not None else 0
            if found >= level:
                level, owner = found, None
        elif isinstance(arg, Layer) and arg.level > level:
            level, owner = arg.level, type(arg)
    if owner is not None:
        return owner.process(primitive, level, args, params)
    if level < 0:
        return primitive.forward(*args, **params)
    arrays = [
        arg._data
        if isinstance(arg, Tensor)
        and (arg._special.level if arg._special is not None else 0) == level
        else arg
        for arg in args
    ]
    if primitive.promote is not None:
        arrays = promoted(arrays, primitive.promote)
    results = compute(primitive, arrays, params)
    return record(primitive, args, arrays, params, results, level)


def compute(primitive: Primitive, arrays: Sequence[Any], params: dict[str, Any]) -> Any:
    """Call a primitive on arrays of any layer."""
    for array in arrays:
        if type(array) is not ndarray and isinstance(array, Layer | Tensor):
            return general(primitive, arrays, params)
    return primitive.forward(*arrays, **params)


def promoted(arrays: list[Any], how: str) -> list[Any]:
    """Bring arrays to their common dtype; Python numbers adapt by themselves.

    An input that was not given is None and stays so.
    """
    arrays = [a.item() if isinstance(a, np.generic) else a for a in arrays]
    common = dtypes.result_dtype(*[a for a in arrays if a is not None])
    if how == "float" and common.kind not in "fc":
        common = dtypes.get_default_dtype().numpy
    return [
        array
        if array is None or isinstance(array, float | complex)
        else fitting_int(array, common)
        if isinstance(array, int)
        else array
        if numpy_dtype(array) == common
        else cast(array, common)
        for array in arrays
    ]


def numpy_dtype(array: Any) -> np.dtype[Any]:
    """Return the NumPy dtype of an array of any layer, or of a tensor."""
    found = array.dtype
    return found.numpy if type(found) is dtypes.dtype else found


def fitting_int(number: int, dtype: np.dtype[Any]) -> Any:
    """Return a Python integer such that an operation in a dtype takes it, wrapped round."""
    if dtype.kind not in "iu":
        return number
    info = np.iinfo(dtype)
    if info.min <= number <= info.max:
        return number
    return np.array(number, np.int64).astype(dtype)


def cast(array: Any, dtype: np.dtype[Any]) -> Any:
    """Return an array of any layer with another dtype."""
    if type(array) is ndarray:
        return array.astype(dtype)
    return array.to(dtypes.from_numpy(dtype))


def record(
    primitive: Primitive,
    args: Sequence[Any],
    arrays: Sequence[Any],
    params: dict[str, Any],
    results: Any,
    level: int,
) -> Any:
    """Make tensors of results, with a node if any of the inputs requires grad."""
    several = len(primitive.outputs) > 1 or type(results) in (tuple, list)
    outputs = [wrap_at(level, item) for item in (results if several else (results,))]
    if primitive.kind == "view":
        attach_views(primitive, args, params, outputs)
    if primitive.differentiable and modes.is_grad_enabled_at(level):
        edges = tuple([edge_of(arg, level) for arg in args])
        if any(edges):
            add_node(primitive, args, arrays, params, outputs, edges)
    if not several:
        return outputs[0]
    return tuple(outputs)


def edge_of(arg: Any, level: int) -> Node | None:
    """Return the node of an argument that is a tensor of this level."""
    if isinstance(arg, Tensor):
        special = arg._special
        if special is None:
            return arg._node if level == 0 else None
        if special.level == level:
            return history(arg)
    return None


def add_node(
    primitive: Primitive,
    args: Sequence[Any],
    arrays: Sequence[Any],
    params: dict[str, Any],
    outputs: Sequence[Tensor],
    edges: Edges,
) -> None:
    """Record an op: a node with what its rules need, and the outputs that point to it."""
    targets = [out for out in outputs if is_differentiable(out._data.dtype)]
    if not targets:
        return
    node = new(primitive.node_class)
    node.number = next(clock)
    node.edges = edges
    node.fits = fits(args, edges, targets[0])
    needed = primitive.needed(edges)
    if primitive.statics:
        node.params = statics(primitive, args, params, needed)
    if primitive.several:
        node.params = {**params, "count": len(outputs)}
        if primitive.statics:
            node.params |= statics(primitive, args, params, needed)
        for index, out in enumerate(outputs):
            if is_differentiable(out._data.dtype):
                out._node = Output(node, index)
    else:
        targets[0]._node = node
    if primitive.saves:
        node.saved = saved(primitive, args, arrays, outputs, needed)
    if modes.special:
        recorded_specially(node)


def fits(args: Sequence[Any], edges: Edges, result: Tensor) -> tuple[Any, ...] | None:
    """Return the shapes and dtypes that cotangents must have, if they may differ."""
    data = result._data
    shape, dtype = data.shape, data.dtype
    for arg, edge in zip(args, edges, strict=True):
        if edge is not None and (arg._data.shape != shape or arg._data.dtype != dtype):
            break
    else:
        return None
    return tuple(
        [
            None if edge is None else (arg._data.shape, arg._data.dtype)
            for arg, edge in zip(args, edges, strict=True)
        ]
    )


def statics(
    primitive: Primitive,
    args: Sequence[Any],
    params: dict[str, Any],
    needed: frozenset[str],
) -> dict[str, Any]:
    """Return what rules ask for that is not an array: parameters, shapes, dtypes."""
    found: dict[str, Any] = {}
    for name in primitive.statics:
        if name in params:
            found[name] = params[name]
        elif name in needed:
            what, _, attribute = name.rpartition("_")
            found[name] = attribute_of(primitive, args, what, attribute)
    return found


def attribute_of(
    primitive: Primitive, args: Sequence[Any], what: str, attribute: str
) -> Any:
    """Return the shape or dtype of an input: of each if there is any number of them."""
    if primitive.variadic and what == primitive.inputs[-1][1:]:
        rest = args[len(primitive.inputs) - 1 :]
        return tuple([array_attribute(arg, attribute) for arg in rest])
    return array_attribute(args[primitive.inputs.index(what)], attribute)


def array_attribute(value: Any, attribute: str) -> Any:
    """Return the shape or NumPy dtype of the array of a tensor, or of an array."""
    while isinstance(value, Tensor):
        value = value._data
    if attribute == "shape":
        return getattr(value, "shape", ())
    return getattr(value, "dtype", None)


def saved(
    primitive: Primitive,
    args: Sequence[Any],
    arrays: Sequence[Any],
    outputs: Sequence[Tensor],
    needed: frozenset[str],
) -> tuple[Any, ...]:
    """Return what a node keeps of its inputs and outputs, see above."""
    entries: list[Any] = []
    for name in primitive.saves:
        if name not in needed:
            entries += (None, None)
        elif name in primitive.outputs:
            out = outputs[primitive.outputs.index(name)]
            entries += (out._data, (counter(out), out._version))
        elif primitive.variadic and name == primitive.inputs[-1][1:]:
            entries += (tuple(arrays[len(primitive.inputs) - 1 :]), None)
        else:
            position = primitive.inputs.index(name)
            arg = args[position]
            if isinstance(arg, Tensor) and arg._data is not None and (
                arrays[position] is not arg
            ):
                entries += (arg, arg._version)
            else:
                entries += (arg, None)
    return tuple(entries)


recording_hooks: list[Callable[[OpNode], None]] = []
"""What modes do with a node that was recorded while one of them was on."""


def recorded_specially(node: OpNode) -> None:
    for hook in recording_hooks:
        hook(node)


def wrap_at(level: int, data: Any) -> Tensor:
    """Return a tensor of this level without history."""
    tensor = new(Tensor)
    tensor._data = (
        data if type(data) is ndarray or isinstance(data, Layer | Tensor) else asarray(data)
    )
    tensor._node = None
    tensor._counter = None
    tensor._special = Special(level) if level else None
    return tensor


def wrap_like(data: Any) -> Tensor:
    """Return a tensor of the level of an array."""
    return wrap_at(getattr(data, "level", 0), data)


def attach_views(
    primitive: Primitive,
    args: Sequence[Any],
    params: dict[str, Any],
    outputs: Sequence[Tensor],
) -> None:
    """Let results that share memory with their first argument be views of it."""
    source, rest = args[0], tuple(args[1:])
    several = primitive.several
    origin = "several" if several else "recorded"
    if not modes.is_grad_enabled():
        origin = "no_grad"

    def step(base: Tensor, **params: Any) -> Any:
        return general(primitive, (base, *rest), params)

    for index, out in enumerate(outputs):
        if shares_memory(out._data, source):
            views.attach(out, source, step, origin, params, index if several else None)


def shares_memory(result: Any, source: Any) -> bool:
    """Whether the result of a view op is one, or had to be copied."""
    data = source._data
    if type(result) is not ndarray or type(data) is not ndarray:
        return True
    memory = result.base
    return memory is not None and (memory is data or memory is data.base)


# --- the quick calls ------------------------------------------------------------------


def unary(primitive: Primitive) -> Callable[..., Any]:
    """Return the function of an elementwise primitive of one input."""
    forward = primitive.forward
    saves = primitive.saves
    if not primitive.differentiable or primitive.statics or len(saves) > 1:
        return anything(primitive)
    saves_self, saves_result = saves == ("self",), saves == ("result",)
    node_class: Any = None

    def call(self: Any) -> Any:
        nonlocal node_class
        kind = type(self)
        if kind is ndarray:
            return forward(self)
        if (kind is Tensor or kind is Parameter) and self._special is None:
            data = self._data
            result = forward(data)
            if type(result) is not ndarray:
                result = asarray(result)
            if result.dtype is data.dtype:
                edge = self._node
                out = new(Tensor)
                out._data = result
                out._counter = None
                out._special = None
                if edge is None:
                    out._node = None
                    return out
                if not modes.special:
                    if node_class is None:
                        node_class = primitive.node_class
                    out._node = node = new(node_class)
                    node.number = next(clock)
                    node.edges = (edge,)
                    node.fits = None
                    if saves_self:
                        version = self._counter
                        node.saved = (self, 0 if version is None else version[0])
                    elif saves_result:
                        out._counter = version = [0]
                        node.saved = (result, (version, 0))
                    return out
        return general(primitive, (self,), {})

    return call


def binary(primitive: Primitive) -> Callable[..., Any]:
    """Return the function of an elementwise primitive of two inputs."""
    forward = primitive.forward
    saves = primitive.saves
    first, second = primitive.inputs
    if not primitive.differentiable or primitive.statics:
        return anything(primitive)
    by_first = primitive.rules[first].names if first in primitive.rules else ()
    by_second = primitive.rules[second].names if second in primitive.rules else ()
    saves_none = not saves
    saves_opposite = by_first == ("grad", second) and by_second == ("grad", first)
    node_class: Any = None

    def call(self: Any, other: Any) -> Any:
        nonlocal node_class
        kind = type(self)
        if (kind is Tensor or kind is Parameter) and self._special is None:
            data = self._data
            kind = type(other)
            if kind is Tensor or kind is Parameter:
                array = other._data
                quick = (
                    other._special is None
                    and data.dtype is array.dtype
                    and data.shape == array.shape
                )
                other_edge = other._node
            else:
                array = other
                quick = kind is float or kind is int
                other_edge = None
            if quick:
                result = forward(data, array)
                if type(result) is not ndarray:
                    result = asarray(result)
                if result.dtype is data.dtype:
                    edge = self._node
                    out = new(Tensor)
                    out._data = result
                    out._counter = None
                    out._special = None
                    if edge is None and other_edge is None:
                        out._node = None
                        return out
                    if not modes.special:
                        if saves_opposite:
                            if other_edge is None:
                                if array is other:
                                    kept = (other, None, None, None)
                                else:
                                    version = other._counter
                                    version = 0 if version is None else version[0]
                                    kept = (other, version, None, None)
                            else:
                                version = self._counter
                                version = 0 if version is None else version[0]
                                if edge is None:
                                    kept = (None, None, self, version)
                                else:
                                    kept = (other, other._version, self, version)
                        elif not saves_none:
                            out._node = None
                            edges = (edge, other_edge)
                            both = (self, other)
                            add_node(primitive, both, (data, array), {}, (out,), edges)
                            return out
                        if node_class is None:
                            node_class = primitive.node_class
                        out._node = node = new(node_class)
                        node.number = next(clock)
                        node.edges = (edge, other_edge)
                        node.fits = None
                        if saves_opposite:
                            node.saved = kept
                        return out
        elif kind is ndarray and type(other) is ndarray:
            return forward(self, other)
        return general(primitive, (self, other), {})

    return call


def anything(primitive: Primitive) -> Callable[..., Any]:
    """Return the function of a primitive of any inputs and parameters."""
    forward = primitive.forward

    def call(*args: Any, **params: Any) -> Any:
        for arg in args:
            if type(arg) is not ndarray:
                return general(primitive, args, params)
        return forward(*args, **params)

    return call


def quick_apply(primitive: Primitive) -> Callable[..., Any] | None:
    """Return `OpNode.apply` for the commonest signatures of rules, without a plan."""
    if primitive.whole is not None or primitive.variadic or primitive.several:
        return None
    rules = [primitive.rules.get(name) for name in primitive.inputs]
    names = [rule.names if rule is not None else None for rule in rules]
    functions = [rule.function if rule is not None else None for rule in rules]
    if names == [("grad",)]:
        return apply_linear(*functions)
    if names == [("grad",), ("grad",)]:
        return apply_linear_pair(*functions)
    if len(names) == 1 and names[0] == ("grad", *primitive.saves):
        if len(primitive.saves) == 1:
            return apply_one(*functions)
    if len(names) == 2 and primitive.saves == primitive.inputs[::-1]:
        if names == [("grad", name) for name in primitive.saves]:
            return apply_opposite(*functions)
    return None


def apply_linear(rule: Any) -> Callable[..., Any]:
    def apply(node: OpNode, grad: Any, edges: Edges) -> Cotangents:
        return (rule(grad),)

    return apply


def apply_linear_pair(first: Any, second: Any) -> Callable[..., Any]:
    def apply(node: OpNode, grad: Any, edges: Edges) -> Cotangents:
        a, b = edges
        return (None if a is None else first(grad), None if b is None else second(grad))

    return apply


def apply_one(rule: Any) -> Callable[..., Any]:
    def apply(node: OpNode, grad: Any, edges: Edges) -> Cotangents:
        return (rule(grad, unpack(node, 0)),)

    return apply


def apply_opposite(first: Any, second: Any) -> Callable[..., Any]:
    def apply(node: OpNode, grad: Any, edges: Edges) -> Cotangents:
        if node.saved is None:
            raise errors.freed_graph()
        a, b = edges
        other, other_version, self, self_version = node.saved
        if a is not None:
            if other_version == 0 and other._counter is None:
                a = first(grad, other._data)
            else:
                a = first(grad, unpack(node, 0))
        if b is not None:
            if self_version == 0 and self._counter is None:
                b = second(grad, self._data)
            else:
                b = second(grad, unpack(node, 1))
        return (a, b)

    return apply
