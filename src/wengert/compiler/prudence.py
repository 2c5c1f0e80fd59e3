"""What could fail while a program runs is found before, or undone after.

A program writes to its inputs in place as soon as nobody reads the old values any more.
If an index then turns out to be out of range, or a call raises, state is neither as
before nor as eager mode would leave it. So indices are looked at before the program
runs; where that is not possible, what the program writes to is copied before.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy import ndarray

from .graph import Graph, Node
from .program import evaluate

INFALLIBLE = frozenset(("elementwise", "view"))
LARGEST = 1 << 16
"""Up to how many elements an index is looked at beforehand."""


class Prudence:
    """What to do before a replay of a graph, and after a failed one."""

    def __init__(self, graph: Graph, safe_calls: frozenset[Node]) -> None:
        self.checks: list[tuple[Node, int]] = []
        self.order: list[Node] = []
        self.saves: list[int] = []
        places = {node: place for place, node in enumerate(graph.inputs)}
        self.places = places
        uncertain = False
        for node in graph.nodes:
            if node.op in ("gather", "scatter_add"):
                index = node.inputs[1]
                order = simple_order(index)
                if order is None:
                    uncertain = True
                else:
                    self.checks.append(
                        (index, node.inputs[0].shape[node.params["dim"]])
                    )
                    self.order += [x for x in order if x not in self.order]
            elif node.op == "call" and node not in safe_calls:
                uncertain = True
        if uncertain:
            self.saves = [places[target] for target, _ in graph.writes]
        if not graph.writes:
            self.checks, self.order = [], []
        self.constants: dict[Node, Any] = {}
        for node in self.order:
            if node not in places and all(x in self.constants for x in node.inputs):
                self.constants[node] = evaluate(
                    node, [self.constants[x] for x in node.inputs]
                )
        self.inputs = [node for node in self.order if node in places]
        self.order = [
            node
            for node in self.order
            if node not in self.constants and node not in places
        ]

    @property
    def needed(self) -> bool:
        """Whether there is anything to do."""
        return bool(self.checks or self.saves)

    def foresees(self, arrays: Sequence[Any]) -> bool:
        """Whether an index will be found out of range."""
        values = dict(self.constants)
        for node in self.inputs:
            values[node] = arrays[self.places[node]]
        for node in self.order:
            operands = [values[x] for x in node.inputs]
            values[node] = node.info.run(*operands, **node.params)
        for index, size in self.checks:
            found = values[index]
            if found.size and not (found.min() >= 0 and found.max() < size):
                return True
        return False

    def save(self, arrays: Sequence[Any]) -> list[tuple[ndarray, ndarray]]:
        """Return copies of what the program may write to."""
        return [(arrays[place], np.array(arrays[place])) for place in self.saves]


def restore(saved: list[tuple[ndarray, ndarray]]) -> None:
    """Undo what a failed program has written."""
    for array, copy in saved:
        array[...] = copy


def simple_order(index: Node) -> list[Node] | None:
    """Return the nodes that an index is made of, in order, if that is quickly done."""
    order: list[Node] = []

    def visit(node: Node) -> bool:
        if node in order:
            return True
        if node.size > LARGEST or len(order) > 20:
            return False
        begins = node.op in ("input", "constant", "iota")
        if not begins and (
            node.kind not in INFALLIBLE or not all([visit(x) for x in node.inputs])
        ):
            return False
        order.append(node)
        return True

    return order if visit(index) else None
