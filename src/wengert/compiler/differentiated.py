"""The derivative of a captured forward, for results that require grad.

What the function has recorded is run backward in the same trace, from gradients that
are inputs. The nodes that this adds are a second graph; what they need of the forward
is returned by the first one, as residuals. In the user's record, the compiled function
is one node.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from .. import engine, errors
from ..engine import Bundle, Cotangents, Edges, Node as Step, clock, outputs_of
from ..primitives.fitting import fit
from ..tensor import Tensor, counter, history, is_differentiable
from . import failures
from .graph import Graph, Node
from .program import Program, suited_program

SEEN_THROUGH = ("expand", "reshape", "permute", "cast", "constant", "iota")
"""What the second graph computes again rather than keep."""


class CompiledBackward(Step):
    """The node of a compiled function: its gradients come from a second program."""

    __slots__ = ("derivative",)
    several = True

    def output_count(self) -> int:
        return len(self.derivative.places)  # type: ignore[no-any-return]

    def apply(self, grad: Any, edges: Edges) -> Cotangents:
        if self.saved is None:
            raise errors.freed_graph()
        return self.derivative.pull_back(grad, self.saved)  # type: ignore[no-any-return]

    def apply_recorded(self, grad: Any, edges: Edges) -> Cotangents:
        raise failures.CaptureError(
            "the derivative of a compiled function is not recorded "
            "(create_graph=True). "
            "Take both derivatives inside of the compiled function, or do not compile "
            "it"
        )


class Derivative:
    """The second program, and what it needs of the first."""

    def __init__(self, backend: str) -> None:
        self.backend = backend
        self.graph = Graph()
        self.places: list[int] = []
        """Which of the function's results require grad."""
        self.seeds: list[Node] = []
        self.residuals: list[Any] = []
        """For each other input: ("out" or "in", place) of the first program."""
        self.leaves: list[Any] = []
        self.which: list[int | None] = []
        """For each leaf the output that is its gradient."""
        self.consumed = False
        self.program: Program | None = None

    def inputs(self) -> set[int]:
        """Return the places of the first program's inputs that are needed."""
        return {place for kind, place, _ in self.residuals if kind == "in"}

    def move(self, places: dict[int, int]) -> None:
        """Take the first program's inputs from other places."""
        self.residuals = [
            (kind, places[place] if kind == "in" else place, where)
            for kind, place, where in self.residuals
        ]

    def attach(self, made: list[Tensor], arrays: list[Any], leaves: list[Any]) -> None:
        """Give the results of a replay their history."""
        node = CompiledBackward()
        node.number = next(clock)
        node.derivative = self
        node.fits = None
        tensors = [leaves[x] if type(x) is int else x for x in self.leaves]
        node.edges = tuple([history(tensor) for tensor in tensors])
        node.saved = None
        if not self.consumed:
            kept = [
                (made[place]._data, counter(made[place]))
                if kind == "out"
                else (arrays[place], counter(owner(where, leaves)))
                for kind, place, where in self.residuals
            ]
            node.saved = [(array, versions, versions[0]) for array, versions in kept]
        for place, output in zip(
            self.places, outputs_of(node, len(self.places)), strict=True
        ):
            made[place]._node = output

    def pull_back(self, grad: Any, saved: Any) -> list[Any]:
        """Return the gradients of the leaves."""
        if self.program is None:
            self.program = suited_program(self.graph, self.backend)
        given = [
            conforming(grad.get(i) if isinstance(grad, Bundle) else grad, seed)
            for i, seed in enumerate(self.seeds)
        ]
        for _, versions, version in saved:
            if versions[0] != version:
                raise RuntimeError(
                    "one of the variables needed for gradient computation has been "
                    "modified by an inplace operation: a tensor that a compiled "
                    "function "
                    f"read is at version {versions[0]}, expected version {version}"
                )
        outputs = self.program.run([*given, *[array for array, _, _ in saved]])
        return [None if place is None else outputs[place] for place in self.which]


def owner(where: Any, leaves: list[Any]) -> Tensor:
    return leaves[where] if type(where) is int else where


def conforming(grad: Any, seed: Node) -> Any:
    if grad is None:
        return np.zeros(seed.shape, seed.dtype)
    return np.broadcast_to(np.asarray(grad, seed.dtype), seed.shape)


def derivative_of(
    tracer: Any, tensors: list[Tensor], positions: dict[int, int], backend: str
) -> Derivative | None:
    """Return the derivative of results by all from outside that requires grad."""
    places = [
        place
        for place, tensor in enumerate(tensors)
        if tensor._node is not None and is_differentiable(tensor._data.dtype)
    ]
    if not places:
        return None
    made = Derivative(backend)
    made.places = places
    wanted = [
        record
        for record in tracer.adopted.values()
        if not record.born and record.inside is not None
    ]
    made.leaves = [positions.get(id(r.tensor), r.tensor) for r in wanted]
    graph = tracer.graph
    mark = len(graph.nodes)
    nodes = [tensors[place]._data.node for place in places]
    seeds = [graph.input((node.shape, node.dtype)) for node in nodes]
    del graph.inputs[-len(seeds) :]
    captured: dict[Any, Any] = {record.inside: None for record in wanted}
    roots: dict[Any, Any] = {}
    for place, seed in zip(places, seeds, strict=True):
        tracer.values[seed] = np.ones(seed.shape, seed.dtype)
        node = history(tensors[place])
        start = tracer.traced(seed)
        roots[node] = roots[node] + start if node in roots else start
    try:
        engine.run(roots, keep_graph=True, captured=captured, fit=fit)
    except RuntimeError as error:
        if "second time" not in str(error):
            raise
        made.consumed = True
        return made
    split(tracer, made, seeds, [captured[r.inside] for r in wanted], mark)
    return made


def split(
    tracer: Any, made: Derivative, seeds: list[Node], grads: list[Any], mark: int
) -> None:
    """Copy the nodes after `mark` into the second graph, and note what they need."""
    forward, graph = tracer.graph, made.graph
    copies: dict[Node, Node] = {}
    for seed in seeds:
        copies[seed] = graph.input((seed.shape, seed.dtype))
    made.seeds = seeds
    written = {target for target, _ in forward.writes}

    def residual(node: Node) -> Node:
        position = forward.inputs.index(node) if node in forward.inputs else None
        if position is not None and node not in written and node.op == "input":
            source = tracer.sources[position]
            if isinstance(source, Tensor):
                where = made_place(source, made, tracer)
                made.residuals.append(("in", position, where))
                return graph.input(tracer.values[node])
        if node.op == "input":
            node = forward.add("copy", [node])
        made.residuals.append(("out", len(forward.outputs), None))
        forward.outputs.append(node)
        return graph.input((node.shape, node.dtype))

    wanted = [g.node if hasattr(g, "node") else g for g in grads]
    stack = [node for node in wanted if isinstance(node, Node)]
    while stack:
        node = stack[-1]
        if node in copies:
            stack.pop()
        elif node.number < mark and node.op not in SEEN_THROUGH:
            copies[node] = residual(node)
        else:
            missing = [x for x in node.inputs if x not in copies]
            if missing:
                stack += missing
            else:
                copies[node] = graph.copy_node(node, [copies[x] for x in node.inputs])
    for item in wanted:
        if item is None:
            made.which.append(None)
            continue
        node = copies[item] if isinstance(item, Node) else graph.constant(item)
        made.which.append(len(graph.outputs))
        graph.outputs.append(node)


def made_place(source: Tensor, made: Derivative, tracer: Any) -> Any:
    """Return a tensor's place among the arguments, or itself."""
    position = tracer.positions.get(id(source))
    return source if position is None else position
