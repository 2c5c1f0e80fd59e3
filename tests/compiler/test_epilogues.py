"""Elementwise work that runs inside of products: where it may, and what it leaves."""

import numpy as np
import pytest

from wengert.compiler import products
from wengert.compiler.epilogues import attach_epilogues
from wengert.compiler.graph import Graph
from wengert.compiler.groups import Product
from wengert.compiler.passes import optimize
from wengert.compiler.program import compile_graph
from wengert.compiler.schedule import schedule

from .support import assert_same, softmax

# whole parts of rows and less, rows that are no multiple of a tile's, one tile
SHAPES = [(64, 20, 48), (130, 70, 33), (300, 40, 100), (96, 300, 700), (40, 5, 600)]


def numbers(*shape: int, dtype: str = "float32") -> np.ndarray:
    rng = np.random.default_rng(sum(shape))
    return rng.standard_normal(shape).astype(dtype)


def operands(graph: Graph, m: int, k: int, n: int, dtype: str = "float32"):
    arrays = [numbers(m, k, dtype=dtype), numbers(k, n, dtype=dtype)]
    return arrays, graph.matmul(*(graph.input(x) for x in arrays))


def hosts(graph: Graph) -> list[bool]:
    """Whether each product of the optimised graph has an epilogue."""
    steps, _ = attach_epilogues(schedule(optimize(graph)).steps)
    return [step.epilogue is not None for step in steps if isinstance(step, Product)]


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("shape", SHAPES)
def test_a_bias_and_an_activation(shape, dtype):
    graph = Graph()
    arrays, z = operands(graph, *shape, dtype=dtype)
    arrays.append(numbers(shape[2], dtype=dtype))
    bias = graph.expand(graph.input(arrays[-1]), z.shape)
    graph.outputs = [graph.add("maximum", [graph.add("add", [z, bias]), 0.0])]
    assert hosts(graph) == [True]
    program = assert_same(graph, arrays, rtol=1e-4, atol=1e-4)
    assert len(program._heirs) == 1, "the activation takes over the product's memory"


@pytest.mark.parametrize("shape", SHAPES)
def test_an_update_by_a_gradient_that_is_returned(shape):
    graph = Graph()
    arrays, grad = operands(graph, *shape)
    arrays += [numbers(*grad.shape), numbers(*grad.shape)]
    param, momentum = graph.input(arrays[2]), graph.input(arrays[3])
    new = graph.add("add", [graph.add("mul", [momentum, 0.9]), grad])
    graph.write(momentum, new)
    graph.write(param, graph.add("sub", [param, graph.add("mul", [new, 0.1])]))
    graph.outputs = [grad]
    assert hosts(graph) == [True]
    program = assert_same(graph, arrays, rtol=1e-4, atol=1e-4)
    assert not program._heirs


@pytest.mark.parametrize("shape", SHAPES)
def test_reductions_along_rows_and_columns(shape):
    graph = Graph()
    arrays, z = operands(graph, *shape)
    square = graph.add("mul", [z, z])
    graph.outputs = [square, graph.sum(square, (0,))]
    assert hosts(graph) == [True]
    assert_same(graph, arrays, rtol=1e-4, atol=1e-4)
    graph.outputs = [softmax(graph, z, 1), graph.reduce("amax", z, (1,))]
    assert hosts(graph) == [True]
    assert_same(graph, arrays, rtol=1e-4, atol=1e-4)


def test_a_product_that_others_read_keeps_its_memory():
    graph = Graph()
    arrays, z = operands(graph, 64, 30, 64)
    root = graph.add("tanh", [z])
    graph.outputs = [graph.matmul(root, z), z]
    assert not assert_same(graph, arrays, rtol=1e-4, atol=1e-4)._heirs


def test_what_reads_other_rows_waits_for_all():
    graph = Graph()
    arrays, z = operands(graph, 64, 30, 64)
    graph.outputs = [graph.add("add", [z, graph.transpose(z)])]
    assert hosts(graph) == [False]
    assert_same(graph, arrays, rtol=1e-4, atol=1e-4)


def test_what_overwrites_an_operand_waits_for_all():
    graph = Graph()
    arrays = [numbers(64, 64), numbers(64, 64)]
    a, b = (graph.input(x) for x in arrays)
    graph.write(b, graph.add("sub", [b, graph.matmul(a, b)]))
    assert hosts(graph) == [False]
    assert_same(graph, arrays, rtol=1e-4, atol=1e-4)


def test_a_group_that_needs_a_later_step_waits_for_it():
    """Its product is computed later, if nobody else needs it before."""
    graph = Graph()
    arrays, z = operands(graph, 64, 30, 64)
    total = graph.sum(graph.add("exp", [graph.input(arrays[0])]))
    arrays.append(arrays[0])
    graph.outputs = [graph.add("mul", [z, graph.expand(total, z.shape)])]
    assert hosts(graph) == [True]
    assert_same(graph, arrays, rtol=1e-4, atol=1e-4)


def test_products_that_are_added_run_side_by_side():
    graph = Graph()
    arrays, first = operands(graph, 64, 30, 64)
    arrays += [numbers(64, 20), numbers(20, 64)]
    second = graph.matmul(graph.input(arrays[2]), graph.input(arrays[3]))
    graph.outputs = [graph.add("tanh", [graph.add("add", [first, second])])]
    assert hosts(graph) == [False, False]
    program = assert_same(graph, arrays, rtol=1e-4, atol=1e-4)
    assert "3 steps, 2 launches" in program.explain()


def test_the_cut_does_not_change_what_an_epilogue_makes(monkeypatch):
    arrays = [numbers(200, 50), numbers(50, 320)]

    def run() -> list[np.ndarray]:
        graph = Graph()
        z = graph.matmul(*(graph.input(x) for x in arrays))
        graph.outputs = [z, graph.add("exp", [graph.add("mul", [z, z])])]
        return [x.copy() for x in compile_graph(graph).run(arrays)]

    whole = run()
    monkeypatch.setattr(products, "ROWS", 8)
    for found, wanted in zip(run(), whole, strict=True):
        np.testing.assert_array_equal(found, wanted)


def test_the_work_of_an_epilogue_counts():
    """A program that is worth a worker's waking by its epilogues has to wake it."""
    graph = Graph()
    _, z = operands(graph, 128, 64, 128)
    for _ in range(20):
        z = graph.add("sigmoid", [z])
    graph.outputs = [z]
    program = compile_graph(graph)
    (product,) = program._products
    (kernel,) = program._kernels.values()
    expected = program._products[product].nanoseconds + kernel.estimate
    assert sum(program._tables._work) == expected
    assert product.epilogue is not None
