"""Shared by the compiler's tests: running a graph both ways, and random graphs."""

from __future__ import annotations

from typing import Any

import numpy as np

import wengert as torch
from wengert.compiler.graph import Graph, Node
from wengert.compiler.program import compile_graph

SPECIAL = [0.0, -0.0, np.inf, -np.inf, np.nan, 1.0, -1.0, 1e-40, -1e-40, 0.5, 2.5, -3.5]


def copies(inputs: list) -> list:
    """The inputs in memory of their own, with the same strides."""
    return [
        np.array(x, order="K", copy=True) if isinstance(x, np.ndarray) else x
        for x in inputs
    ]


def assert_same(
    graph: Graph, inputs: list, rtol: float = 1e-5, atol: float = 1e-6
) -> Any:
    """Compiled and NumPy agree on outputs and on what is written; the program."""
    ours, theirs = copies(inputs), copies(inputs)
    program = compile_graph(graph, guarded=True)
    expected = compile_graph(graph, backend="numpy").run(theirs)
    for _ in range(1 if graph.writes else 2):  # the second replay reuses all memory
        outputs = program.run(ours)
    for found, wanted in zip([*outputs, *ours], [*expected, *theirs], strict=True):
        np.testing.assert_allclose(found, wanted, rtol=rtol, atol=atol)
        assert np.asarray(found).dtype == np.asarray(wanted).dtype
    return program


def softmax(graph: Graph, x: Node, dim: int) -> Node:
    top = graph.expand(graph.reduce("amax", x, (dim,), keepdim=True), x.shape)
    grown = graph.add("exp", [graph.add("sub", [x, top])])
    total = graph.expand(graph.sum(grown, (dim,), keepdim=True), x.shape)
    return graph.add("div", [grown, total])


def close(actual, expected, tolerance=1e-5):
    np.testing.assert_allclose(
        actual.detach().numpy(), expected.detach().numpy(), tolerance, tolerance
    )


def data(*shape, seed=0, **options):
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(*shape, generator=generator, **options)
