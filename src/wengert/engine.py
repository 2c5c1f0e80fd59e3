"""The engine: the list of what was done, and the walk back along it.

A tour
------
*The data.* Each recorded op leaves one `Node`. A node knows its `number` (one counter
counts all nodes, so a node is always newer than those it came from), its `edges` (for
each differentiable input of the op the node that made it, or None), and what its
derivative rule needs (`saved`). Where the record begins, a leaf tensor that requires
grad has a node without edges, which adds what reaches it to the leaf's ``.grad``. An op
with several differentiable outputs has an `Output` node for each of them, whose only
edge is the op's node; so every node has one gradient, and the op's is a `Bundle`.

*The walk.* `run` takes the gradients of some nodes, orders all nodes reachable from
them by number, newest first (`schedule`), and asks each in turn for the cotangents of
its inputs (`Node.apply`), which wait in `pending` for the nodes they belong to. As a
node is newer than its inputs, whatever contributes to its gradient has run before it.

*What is not here.* The engine knows no op, no tensor and no array: a gradient is
anything that can be added. With arrays it computes, with tensors (`recorded`) it leaves
a record of its own, from which higher derivatives follow.

Read `run` first, then `schedule`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from itertools import count
from operator import attrgetter
from typing import Any
from weakref import WeakKeyDictionary, ref

from numpy import ndarray

Edges = tuple["Node | None", ...]
Cotangents = Iterable[Any]

clock = count()
listening: list[Callable[[set[Node]], None]] = []
"""What wants to be told, at the beginning of each run, which nodes it will visit."""
by_number = attrgetter("number")
shown_results: WeakKeyDictionary[Any, dict[int, Any]] = WeakKeyDictionary()
"""For nodes that were asked for by ``grad_fn``: what the results of their ops are like,
by the number of the result."""


class Node:
    """One step of the record.

    `fits` is None when cotangents have the shape and dtype of the inputs as they come,
    else a (shape, dtype) for each edge. Slots other than these are filled when needed.
    """

    __slots__ = (
        "__weakref__",
        "edges",
        "fits",
        "hooks",
        "number",
        "notes",
        "outputs",
        "params",
        "saved",
    )

    number: int
    edges: Edges
    fits: tuple[Any, ...] | None
    saved: Any
    params: dict[str, Any]
    hooks: Any
    notes: dict[Any, Any]
    outputs: dict[int, ref[Any]]

    unhooked: type[Node] | None = None
    """The class that the node had before it got hooks, see `hooks`."""
    several = False
    """Whether the node has an `Output` for each of the op's outputs."""
    runs_undefined = False
    """Whether the node runs even if no gradient reaches it."""
    requires_grad = True
    """As PyTorch's nodes have it."""

    def apply(self, grad: Any, edges: Edges) -> Cotangents:
        """Return the cotangent of each input whose edge is not None, on raw arrays."""
        raise NotImplementedError

    def apply_recorded(self, grad: Any, edges: Edges) -> Cotangents:
        """The same on tensors, so that it is recorded."""
        raise NotImplementedError

    def arrive(self, grad: Any, recorded: bool) -> Any:
        """Return the gradient as it is after the hooks of the tensor that was made."""
        return grad

    def proceed(self, grad: Any, edges: Edges, recorded: bool) -> Cotangents:
        """Do what `apply` does, for a gradient that has arrived already."""
        return (self.apply_recorded if recorded else self.apply)(grad, edges)

    def name(self) -> str:
        """Return the name that is printed for ``grad_fn``."""
        return type(self).__name__

    @property
    def metadata(self) -> dict[Any, Any]:
        """A dictionary for the user's notes about this node."""
        try:
            return self.notes
        except AttributeError:
            self.notes = {}
            return self.notes

    @property
    def next_functions(self) -> tuple[tuple[Node | None, int], ...]:
        """For each input: the node that made it, and which output of that it is."""
        return tuple(source(edge) for edge in self.edges)

    def output_count(self) -> int:
        """Return how many gradients this node gets."""
        return 1

    def _sequence_nr(self) -> int:
        return self.number

    def __repr__(self) -> str:
        return f"<{type(self).__name__} object at {id(self):#x}>"

    def __dir__(self) -> list[str]:
        return sorted(set(super().__dir__()) - set(Node.__slots__))


class Output(Node):
    """One of several differentiable outputs of a node: collects its gradient."""

    __slots__ = ("index",)

    def __init__(self, parent: Node, index: int) -> None:
        self.number = next(clock)
        self.edges = (parent,)
        self.fits = None
        self.index = index
        try:
            parent.outputs[index] = ref(self)
        except AttributeError:
            parent.outputs = {index: ref(self)}

    def apply(self, grad: Any, edges: Edges) -> Cotangents:
        return (Bundle({self.index: grad}),)

    apply_recorded = apply


class Bundle(dict[int, Any]):
    """The gradients of a node's outputs by their index; absent ones are zero."""

    __slots__ = ()

    def __add__(self, other: Bundle) -> Bundle:
        merged = Bundle(self)
        for index, grad in other.items():
            merged[index] = merged[index] + grad if index in merged else grad
        return merged


def output_of(node: Node, index: int) -> Node:
    """Return where the gradient of a node's output goes: the inverse of `source`."""
    if not node.several:
        return node
    known = getattr(node, "outputs", {}).get(index)
    return (known and known()) or Output(node, index)


def outputs_of(node: Node, count: int) -> list[Node]:
    """Make the nodes of all outputs of a node.

    The newest runs first: so hooks run in the order of the outputs.
    """
    made: list[Node] = [Output(node, index) for index in reversed(range(count))]
    return made[::-1]


def source(edge: Node | None) -> tuple[Node | None, int]:
    """Return the op's node behind an edge and the number of the op's output."""
    if type(edge) is Output or isinstance(edge, Output):
        return edge.edges[0], edge.index
    return edge, 0


def schedule(roots: Iterable[Node]) -> list[Node]:
    """Return the nodes reachable from the roots, newest first.

    A node without edges (a leaf's) comes right after the last one that contributes to
    it: its gradient is complete then, and whoever waits for it need not wait for the
    rest.
    """
    nodes = list(roots)
    last_user: dict[Node, Node | None] = {
        leaf: None for leaf in nodes if not leaf.edges
    }
    if last_user:
        nodes = [node for node in nodes if node.edges]
    seen = set(nodes)
    for node in nodes:  # which grows meanwhile
        for edge in node.edges:
            if edge is None:
                continue
            if edge.edges:
                if edge not in seen:
                    seen.add(edge)
                    nodes.append(edge)
            else:
                user = last_user.get(edge)
                if user is None or node.number < user.number:
                    last_user[edge] = node
    nodes.sort(key=by_number, reverse=True)
    leaves_after: dict[Node | None, list[Node]] = {}
    for leaf, user in last_user.items():
        leaves_after.setdefault(user, []).append(leaf)
    order = leaves_after.get(None, [])
    for node in nodes:
        order.append(node)
        if node in leaves_after:
            order += leaves_after[node]
    return order


def leading_to(order: list[Node], targets: Iterable[Node]) -> set[Node]:
    """Return the nodes of an ordered list that are targets or lead to one."""
    needed = set(targets)
    for node in reversed(order):
        for edge in node.edges:
            if edge in needed:
                needed.add(node)
                break
    return needed


def tell_listeners(order: list[Node], needed: set[Node] | None) -> None:
    """Tell who listens which nodes are about to be visited."""
    visited = {node for node in order if needed is None or node in needed}
    for listener in listening.copy():
        listener(visited)


def run(
    roots: dict[Node, Any],
    *,
    keep_graph: bool = False,
    recorded: bool = False,
    captured: dict[Node, Any] | None = None,
    into: Iterable[Node] | None = None,
    fit: Callable[[Node, Cotangents, Edges], Cotangents] | None = None,
    watch: Callable[[Node, Any, Edges, bool], Cotangents] | None = None,
) -> None:
    """Carry gradients from the roots back to the leaves.

    Args:
        roots: the nodes to begin with, and the gradient of each.
        keep_graph: leave what nodes have saved, so that they can be run again.
        recorded: the gradients are tensors, and what is done to them is recorded.
        captured: the nodes whose gradients are wanted. They are filled in here, and
            nothing else happens: no leaf's ``.grad`` changes.
        into: the leaves to accumulate into; all that are reached by default.
        fit: brings cotangents of a node with `fits` to the inputs' shapes and dtypes.
        watch: called in place of `Node.proceed`: anomaly mode.
    """
    order = schedule(roots)
    needed: set[Node] | None = None
    if captured is not None:
        needed = leading_to(order, captured)
    elif into is not None:
        needed = leading_to(order, into)
    ordinary = needed is None and not recorded and watch is None
    if listening:
        tell_listeners(order, needed)
    pending = dict(roots)
    roots.clear()
    owned: set[Node] = set()
    cotangents: Any
    for node in order:
        grad = pending.pop(node, None)
        if grad is None and not node.runs_undefined:
            continue
        edges = node.edges
        if ordinary:
            cotangents = node.apply(grad, edges)
        else:
            if needed is not None:
                if node not in needed:
                    continue
                edges = tuple([edge if edge in needed else None for edge in edges])
            if captured is not None and node in captured and any(edges):
                # PyTorch, too, shows hooks to the gradient of an input only if nothing
                # else that is wanted lies beyond it.
                captured[node] = grad
            grad = node.arrive(grad, recorded)
            if captured is not None and node in captured and not any(edges):
                captured[node] = grad
                continue
            cotangents = (watch or type(node).proceed)(node, grad, edges, recorded)
        if node.fits is not None:
            assert fit is not None
            cotangents = fit(node, cotangents, edges)
        for edge, cotangent in zip(edges, cotangents):  # noqa: B905 (nodes see to it)
            if edge is None or cotangent is None:
                continue
            held = pending.get(edge)
            if held is None:
                pending[edge] = cotangent
            elif edge in owned:
                held += cotangent
            else:
                held = pending[edge] = held + cotangent
                if type(held) is ndarray:
                    owned.add(edge)
        if not keep_graph:
            node.saved = None
        # A leaf takes over an array that nobody else holds, and the engine's own
        # variables would count as holders.
        cotangents = cotangent = held = None
