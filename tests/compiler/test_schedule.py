"""Which nodes share a kernel: bounds on what the search and the kernels cost."""

import numpy as np

import wengert.compiler.schedule as schedules
from wengert.compiler.graph import Graph
from wengert.compiler.groups import Group
from wengert.compiler.program import compile_graph
from wengert.compiler.schedule import LARGEST_GROUP, schedule

from .support import assert_same


def recurrence(steps: int) -> tuple[Graph, list[np.ndarray]]:
    """A state that is updated by what depends on it twice, as in an LSTM."""
    graph = Graph()
    arrays = [np.linspace(-1, 1, 6), np.linspace(0, 1, 6)]
    state, x = (graph.input(array) for array in arrays)
    for _ in range(steps):
        gate = graph.add("sigmoid", [graph.add("add", [state, x])])
        kept = graph.add("mul", [gate, state])
        state = graph.add("add", [kept, graph.add("tanh", [kept])])
    graph.outputs = [state]
    return graph, arrays


def test_a_long_expression_becomes_several_kernels():
    for steps in (10, 150, 700):
        graph, arrays = recurrence(steps)
        groups = [g for g in schedule(graph).steps if isinstance(g, Group)]
        assert all(len(group.walked) <= LARGEST_GROUP for group in groups)
        assert len(groups) <= 1 + 5 * steps * 2 // LARGEST_GROUP
    graph, arrays = recurrence(150)
    (found,) = compile_graph(graph, guarded=True).run(arrays)
    (wanted,) = compile_graph(graph, "numpy").run(arrays)
    np.testing.assert_allclose(found, wanted, rtol=1e-9)


def test_the_search_grows_slower_than_pairs_of_steps(monkeypatch):
    """Of a loop over time steps all pairs of steps, and more, were looked at."""
    looked = []

    class Walk(schedules._Walk):
        def visit(self, root, place):
            super().visit(root, place)
            looked.append(len(self.seen))

    monkeypatch.setattr(schedules, "_Walk", Walk)
    costs = []
    for steps in (8, 32):
        looked.clear()
        graph, _ = unrolled(steps)
        schedule(graph)
        costs.append(sum(looked))
    assert costs[1] < 12 * costs[0]
    assert_same(*unrolled(5))


def unrolled(steps: int) -> tuple[Graph, list[np.ndarray]]:
    """A recurrent net: a product and a gated update of the state in each step."""
    rng = np.random.default_rng(0)
    arrays = [rng.standard_normal(shape) for shape in ((4, 4), (steps, 3, 4))]
    graph = Graph()
    weight, xs = (graph.input(array) for array in arrays)
    h = c = graph.expand(graph.constant(0.0, np.dtype("float64")), (3, 4))
    for t in range(steps):
        x = graph.reshape(graph.slice(xs, slice(t, t + 1)), (3, 4))
        z = graph.add("add", [graph.matmul(h, weight), x])
        gate = graph.add("sigmoid", [z])
        fresh = graph.add("mul", [gate, graph.add("tanh", [z])])
        c = graph.add("add", [graph.add("mul", [gate, c]), fresh])
        h = graph.add("mul", [gate, graph.add("tanh", [c])])
    graph.outputs = [h, graph.sum(c, (0, 1), keepdim=False)]
    return graph, arrays
