"""What a primitive is: an op's forward and its derivative rules, declared once.

From the declaration follow the class of the op's nodes, what they save (just what the
rules name), and how a node turns the gradient of its result into those of its inputs.
`primitives.op` has the functions that make declarations short.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from operator import mul
from typing import Any

from . import errors
from .engine import Bundle, Cotangents, Edges, Node, source
from .saved import RawSaved, unpack, unpack_recorded
from .ties import tie

GRAD, GRADS, INPUT, RESULT, STATIC, NEEDS = range(6)


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
        self,
        function: Callable[..., Any],
        inputs: Sequence[str],
        outputs: Sequence[str],
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
    packs: type[OpNode] | None = None
    """The class that the node had before values of it were packed, see `saved`."""

    def apply(self, grad: Any, edges: Edges) -> Cotangents:
        return self.primitive.pull_back(self, grad, edges, unpack)

    def apply_recorded(self, grad: Any, edges: Edges) -> Cotangents:
        primitive = self.primitive
        if primitive.hidden:
            # above this module in the order of imports: it runs the engine
            from .autograd.decomposed import pull_back

            cotangents = pull_back(self, grad, edges)
        else:
            cotangents = primitive.pull_back(self, grad, edges, unpack_recorded)
        if primitive.tied:
            tie(self, cotangents, edges)
        return cotangents

    @property
    def several(self) -> bool:  # type: ignore[override]
        return self.primitive.several

    @property
    def next_functions(self) -> tuple[tuple[Node | None, int], ...]:
        """For each input that has a derivative: the node that made it, and the output.

        Indices, masks and the numbers that an op was called with are not shown.
        """
        primitive = self.primitive
        return tuple(
            [
                source(edge)
                for index, edge in enumerate(self.edges)
                if edge is not None or primitive.is_derived(index)
            ]
        )

    def output_count(self) -> int:
        return self.params["count"] if self.several else 1

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_saved_"):
            return self.primitive.show_saved(self, name[7:])
        if name.startswith("_raw_saved_") and name[11:] in self.primitive.saves:
            return RawSaved(self, self.primitive.saves.index(name[11:]))
        raise AttributeError(f"'{self.name()}' object has no attribute '{name}'")

    def __dir__(self) -> list[str]:
        kept = [*self.primitive.saves, *shown_params(getattr(self, "params", {}))]
        names = [f"_saved_{name}" for name in kept]
        return sorted({*super().__dir__(), *names})


PLACES = {"index", "indices"}
"""The names of inputs that say where, by which one rule for all inputs is silent."""


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
        jvps: or for inputs a rule of what the tangent of each adds to the result's.
        kind: the class of the op, from which other rules follow, see `primitives.op`.
        promote: how dtypes of inputs are brought together: "numeric", "float" (integers
            become floats), or None.
        grad_fn: the name of its nodes.
        decomposition: the same op composed of primitives.
        hidden: the names of arrays that the forward returns after its results, for the
            rules: intermediate values. See Note [Hidden results].
    """

    # Note [Hidden results]
    #     Rules may use what only the forward knows, such as a mean. The record cannot
    #     see how that came from the inputs, so a rule that names it must not be
    #     recorded: its derivative would lack that part. Where the derivative is
    #     recorded, or a layer computes, the decomposition takes the op's place.

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
        jvps: dict[str, Callable[..., Any]] | None = None,
        kind: str = "fused",
        promote: str | None = None,
        grad_fn: str | None = None,
        decomposition: Callable[..., Any] | None = None,
        batch: Callable[..., Any] | None = None,
        hidden: tuple[str, ...] = (),
    ) -> None:
        self.name = name
        self.forward = visible(forward, len(outputs)) if hidden else forward
        self.forward_with_hidden = forward
        self.hidden = hidden
        self.inputs = inputs
        self.variadic = inputs[-1].startswith("*") if inputs else False
        self.outputs = outputs
        self.kind = kind
        self.promote = promote
        self.grad_fn = grad_fn or camel(name) + "Backward0"
        self.jvp = jvp
        self.jvps = jvps or {}
        self.decomposition = decomposition
        self.batch = batch
        bare = tuple([item.lstrip("*") for item in inputs])
        known = (*outputs, *hidden)
        self.whole = Rule(vjp, bare, known) if vjp else None
        self.rules = {
            key: Rule(rule, bare, known) for key, rule in (vjps or {}).items()
        }
        self.differentiable = bool(self.whole or self.rules)
        rules = [self.whole] if self.whole else list(self.rules.values())
        named = [
            name
            for rule in rules
            for kind, name in rule.plan
            if kind in (INPUT, RESULT)
        ]
        self.saves = tuple(dict.fromkeys([*named, *(bare if hidden else ())]))
        self.statics = tuple(
            dict.fromkeys(
                name for rule in rules for kind, name in rule.plan if kind == STATIC
            )
        )
        self.factors: dict[str, Callable[..., Any]] = {}
        self.call: Callable[..., Any]
        self.refuses: dict[str, Exception | None] = {}
        self.refuses_each = False
        self.tied: tuple[str, ...] = ()
        self.tied_grad_fn: str
        self.flat = False
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

    @property
    def refused_kinds(self) -> str:
        """The kinds of dtypes that the op is not for."""
        return "".join(self.refuses)

    def rule_of(self, index: int) -> Rule | None:
        """Return the rule for an input by its position."""
        return self.rules.get(self.input_name(index))

    def is_derived(self, index: int) -> bool:
        """Whether there is a derivative by an input."""
        if self.whole is not None:
            return self.input_name(index) not in PLACES
        return self.rule_of(index) is not None

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
            rules = [self.rule_of(i) for i, wanted in enumerate(mask) if wanted]
            rules.append(self.whole)
            names = {name for rule in rules if rule is not None for name in rule.names}
            if self.hidden:
                names.update(self.inputs)
            found = self._needed[mask] = frozenset(names)
        return found

    def pull_back(
        self, node: OpNode, grad: Any, edges: Edges, fetch: Callable[..., Any]
    ) -> Cotangents:
        """Return the cotangents of the inputs that have edges, by the rules."""
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
        self,
        rule: Rule,
        node: OpNode,
        grad: Any,
        edges: Edges,
        fetch: Callable[..., Any],
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
        params = shown_params(getattr(node, "params", {}))
        if name in params:
            return params[name]
        raise AttributeError(f"'{node.name()}' object has no attribute '_saved_{name}'")


def shown_params(params: dict[str, Any]) -> dict[str, Any]:
    """Return what a node keeps besides arrays under the names that PyTorch has."""
    found: dict[str, Any] = {}
    for name, value in params.items():
        what, _, attribute = name.rpartition("_")
        if attribute == "shape" and what:
            found[f"{what}_sym_sizes"] = value
        elif name == "index" and isinstance(value, tuple):
            found.update(place_of_index(value))
        elif name not in ("count", "shape") and attribute != "dtype":
            found[name] = value
    return found


def place_of_index(index: tuple[Any, ...]) -> dict[str, Any]:
    """Return which part of which dimension an index takes, if it is of one only."""
    places = [
        (dim, item)
        for dim, item in enumerate(index)
        if item is not Ellipsis and item != slice(None)
    ]
    if len(places) != 1:
        return {}
    ((dim, item),) = places
    if not isinstance(item, slice):
        return {"dim": dim, "index": item}
    end = sys.maxsize if item.stop is None else item.stop
    return {"dim": dim, "start": item.start or 0, "end": end, "step": item.step or 1}


def visible(forward: Callable[..., Any], count: int) -> Callable[..., Any]:
    """Return the forward without its hidden results: with the first so many."""
    shown = 0 if count == 1 else slice(count)

    def without_hidden(*arrays: Any, **params: Any) -> Any:
        return forward(*arrays, **params)[shown]

    return without_hidden


def camel(name: str) -> str:
    """Turn an op's name into that of its node: log_softmax → LogSoftmax."""
    return "".join([part[:1].upper() + part[1:] for part in name.split("_")])


# --- the quick ways back --------------------------------------------------------------


def quick_apply(primitive: Primitive) -> Callable[..., Any] | None:
    """Return `OpNode.apply` for rules on arrays, its plan worked out beforehand."""
    if primitive.variadic or primitive.several or len(primitive.outputs) > 1:
        return None
    if primitive.whole is not None:
        return puller(primitive, primitive.whole)
    rules = [primitive.rules.get(name) for name in primitive.inputs]
    names = [rule.names if rule is not None else None for rule in rules]
    functions: Any = [None if rule is None else rule.function for rule in rules]
    if names == [("grad",)]:
        return apply_linear(*functions)
    if names == [("grad",), ("grad",)]:
        return apply_linear_pair(*functions)
    saves = primitive.saves
    if len(saves) == 1 and names == [("grad", *saves)]:
        return apply_one(*functions)
    opposite = saves == primitive.inputs[::-1]
    if len(saves) == 2 and opposite and names == [("grad", name) for name in saves]:
        # Element by element, just products are linear in both inputs.
        is_product = primitive.kind == "bilinear" and primitive.promote is not None
        return apply_opposite(*functions, *((mul, mul) if is_product else functions))
    pullers: Any = [
        refuser(primitive, name) if rule is None else puller(primitive, rule)
        for name, rule in zip(primitive.inputs, rules, strict=True)
    ]
    if len(pullers) == 1:
        return apply_only(*pullers)

    def apply(node: OpNode, grad: Any, edges: Edges) -> Cotangents:
        return [
            None if edge is None else pull(node, grad, edges)
            for edge, pull in zip(edges, pullers, strict=True)
        ]

    return apply


def refuser(primitive: Primitive, name: str) -> Callable[..., Any]:
    """Return what says that there is no derivative by one of the inputs."""

    def refuse(node: OpNode, grad: Any, edges: Edges) -> Any:
        raise errors.not_differentiable(primitive.name, name)

    return refuse


def puller(primitive: Primitive, rule: Rule) -> Callable[..., Any]:
    """Return the function that calls a rule on arrays for a node."""
    plan: Any = [
        (kind, primitive.saves.index(name) if kind in (INPUT, RESULT) else name)
        for kind, name in rule.plan
    ]
    function = rule.function

    def pull(node: OpNode, grad: Any, edges: Edges) -> Any:
        values = []
        for kind, key in plan:
            if kind == GRAD:
                values.append(grad)
            elif kind == STATIC:
                values.append(node.params[key])
            elif kind == NEEDS:
                values.append([edge is not None for edge in edges])
            else:
                values.append(unpack(node, key))
        return function(*values)

    return pull


def apply_only(pull: Any) -> Callable[..., Any]:
    def apply(node: OpNode, grad: Any, edges: Edges) -> Cotangents:
        return (pull(node, grad, edges),)

    return apply


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


def apply_opposite(
    first: Any, second: Any, first_of_real: Any, second_of_real: Any
) -> Callable[..., Any]:
    """Return `apply` for rules that need the other input each.

    Those of products of real numbers, whose tensors have forms, need no conjugates.
    """

    def apply(node: OpNode, grad: Any, edges: Edges) -> Cotangents:
        if node.saved is None:
            raise errors.freed_graph()
        a, b = edges
        other, other_version, self, self_version = node.saved
        if a is not None:
            if other_version == 0 and other._counter is None:
                rule = first if other._form is None else first_of_real
                a = rule(grad, other._data)
            else:
                a = first(grad, unpack(node, 0))
        if b is not None:
            if self_version == 0 and self._counter is None:
                rule = second if self._form is None else second_of_real
                b = rule(grad, self._data)
            else:
                b = second(grad, unpack(node, 1))
        return (a, b)

    return apply
