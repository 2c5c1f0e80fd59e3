"""What of a trace runs in Python at each replay: calls at their place in the graph.

An op that has no kernel calls its eager primitive; a generator draws again. The shapes
and dtypes of their results are found by calling them once with example values.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy import ndarray

from ..generator import Generator
from ..layers.traced import Traced
from ..primitive import Primitive
from .failures import CaptureError
from .graph import Graph, Node
from .program import evaluate


def apart(array: ndarray, operands: Sequence[ndarray]) -> ndarray:
    """Return an array, or a copy if its memory may be that of an operand."""
    owned = array.base is None and all([array is not x for x in operands])
    if owned or not any([np.may_share_memory(array, x) for x in operands]):
        return array
    return array.copy()


class Calls:
    """The part of a `Tracer` that adds calls to its graph."""

    def __init__(self) -> None:
        self.graph = Graph()
        self.values: dict[Node, Any] = {}
        """What nodes' values are this time, as far as it is known."""
        self.drawn: dict[int, tuple[ndarray, Node]] = {}
        self.safe_calls: list[Node] = []
        """The calls that cannot fail."""
        self.unused: set[int] = set()
        """The draws that no tensor has got yet."""
        self.token: Node | None = None
        self.generators: dict[int, tuple[Generator, Any]] = {}
        """Those that are drawn from, and their states before the trace."""
        self.drawing = False
        self.opaque_ops: dict[str, str] = {}

    def constant(self, array: Any) -> Node:
        drawn = self.drawn.get(id(array))
        if drawn is None:
            return self.graph.constant(array)
        if not np.array_equal(drawn[0], self.values[drawn[1]], equal_nan=True):
            return self.graph.constant(array)  # changed since: stays among the unused
        self.unused.discard(id(array))
        return drawn[1]

    def opaque(
        self,
        primitive: Primitive,
        args: Sequence[Any],
        params: dict[str, Any],
        why: str,
    ) -> Any:
        """Add a call of the eager primitive."""
        self.opaque_ops.setdefault(primitive.name, why)
        given = list(args)
        places = [
            i
            for i, arg in enumerate(given)
            if isinstance(arg, Traced | ndarray | np.generic)
        ]
        nodes = [
            given[i].node if isinstance(given[i], Traced) else self.constant(given[i])
            for i in places
        ]

        def compute_with_kind(*arrays: Any) -> tuple[list[Any], bool]:
            actual = list(given)
            for place, array in zip(places, arrays, strict=True):
                actual[place] = array
            found = primitive.forward(*actual, **params)
            several = isinstance(found, tuple | list)
            return (list(found) if several else [found]), several

        def compute(*arrays: Any) -> list[Any]:
            return compute_with_kind(*arrays)[0]

        for i in places:
            given[i] = None  # only the graph holds arrays
        examples, several = compute_with_kind(*[self.example(node) for node in nodes])
        made = self.call(primitive.name, compute, nodes, examples)
        return made if several else made[0]

    def call(
        self,
        name: str,
        compute: Callable[..., Any],
        nodes: Sequence[Node],
        examples: Sequence[Any],
    ) -> list[Node]:
        """Add a call of Python code whose results are like the examples."""
        specs = [(np.shape(x), np.asarray(x).dtype) for x in examples]

        shapes = [node.shape for node in nodes]

        def checked(*arrays: Any) -> list[ndarray]:
            shaped = [x.reshape(s) for x, s in zip(arrays, shapes, strict=True)]
            found = [apart(np.asarray(x), shaped) for x in compute(*shaped)]
            for array, (shape, dtype) in zip(found, specs, strict=True):
                if array.shape != shape or array.dtype != dtype:
                    raise CaptureError(
                        f"{name}: the shape of the result depends on values ({shape} "
                        f"when "
                        f"captured, {array.shape} now); keep it outside of the "
                        f"compiled "
                        "function"
                    )
            return found

        checked.__name__ = checked.__qualname__ = name
        results = self.graph.call(checked, nodes, specs)
        for node, example in zip(results, examples, strict=True):
            self.values[node] = np.array(example)
        return results

    def example(self, node: Node) -> Any:
        """Return what a node's value is this time; later it may differ."""
        stack = [node]
        while stack:
            last = stack[-1]
            missing = [x for x in last.inputs if x not in self.values]
            if last in self.values:
                stack.pop()
            elif missing:
                stack += missing
            else:
                operands = [self.values[x] for x in last.inputs]
                with np.errstate(all="ignore"):
                    self.values[last] = evaluate(last, operands)
                stack.pop()
        return self.values[node]

    def draw(self, name: str, function: Callable[[], Any]) -> ndarray:
        """Draw numbers, now and at each replay.

        Each draw takes what the one before returned, so that they stay in order.
        """
        self.drawing = True
        try:
            array = np.asarray(function())
        finally:
            self.drawing = False
        flag = np.zeros((), np.int64)
        before = [self.token] if self.token is not None else []

        def again(*_: Any) -> list[Any]:
            return [np.asarray(function()), flag]

        node, self.token = self.call(name, again, before, [array, flag])
        self.safe_calls.append(node.inputs[0])
        self.drawn[id(array)] = (array, node)
        self.unused.add(id(array))
        return array
