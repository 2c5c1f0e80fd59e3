"""What the passes remove, and what they must leave alone."""

import numpy as np
import pytest

from wengert.compiler.graph import Graph, Node
from wengert.compiler.passes import drop_dead, fold_constants, optimize, share_common
from wengert.compiler.program import compile_graph

from .support import assert_same


def one_input(dtype: str = "float32") -> tuple[Graph, object]:
    graph = Graph()
    return graph, graph.input(((4, 5), dtype))


def op_names(graph: Graph) -> list[str]:
    return [node.op for node in graph.nodes if node.kind != "source"]


NEUTRAL = {
    "x * 1": lambda g, x: g.add("mul", [x, 1.0]),
    "x / 1": lambda g, x: g.add("div", [x, 1.0]),
    "x - 0": lambda g, x: g.add("sub", [x, 0.0]),
    "x + -0": lambda g, x: g.add("add", [x, -0.0]),
    "--x": lambda g, x: g.add("neg", [g.add("neg", [x])]),
    "x ** 1": lambda g, x: g.add("pow", [x, 1.0]),
    "where(c, x, x)": lambda g, x: g.add("where", [g.add("gt", [x, 0.0]), x, x]),
    "permuted back": lambda g, x: g.transpose(g.transpose(x)),
    "reshaped back": lambda g, x: g.reshape(g.reshape(x, (20,)), (4, 5)),
    "a full slice": lambda g, x: g.slice(x),
    "reversed twice": lambda g, x: g.slice(
        g.slice(x, slice(None, None, -1)), slice(None, None, -1)
    ),
}


@pytest.mark.parametrize("name", NEUTRAL)
def test_neutral_operations_vanish(name):
    graph, x = one_input()
    graph.outputs = [graph.add("exp", [NEUTRAL[name](graph, x)])]
    assert op_names(optimize(graph)) == ["exp"]


KEPT = {
    "x + 0 is 0 for -0": lambda g, x: g.add("add", [x, 0.0]),
    "x - -0 is 0 for -0": lambda g, x: g.add("sub", [x, -0.0]),
    "x * 0 is NaN for infinity": lambda g, x: g.add("mul", [x, 0.0]),
    "x - x is NaN for infinity": lambda g, x: g.add("sub", [x, x]),
    "x / x is NaN for zero": lambda g, x: g.add("div", [x, x]),
}


CHEAPER = {
    "-(x * c)": (lambda g, x: neg(g, mul(g, x, 3.0)), ["mul"]),
    "-x * c": (lambda g, x: mul(g, neg(g, x), 3.0), ["mul"]),
    "-(-x * c)": (lambda g, x: neg(g, mul(g, neg(g, x), 3.0)), ["mul"]),
    "-x * -y": (lambda g, x: mul(g, neg(g, x), neg(g, x)), ["mul"]),
    "-x * -y of a row": (
        lambda g, x: mul(g, neg(g, x), g.expand(neg(g, g.slice(x, slice(1))), x.shape)),
        ["mul"],
    ),
    "x * 2 * c": (lambda g, x: mul(g, mul(g, x, 2.0), -100.0), ["mul"]),
    "what a mask lets through, twice": (
        lambda g, x: g.add("add", [masked(g, x, x), masked(g, x, mul(g, x, x))]),
        ["gt", "mul", "add", "where"],
    ),
}
DEARER = {
    "x * 3 * c rounds twice": (lambda g, x: mul(g, mul(g, x, 3.0), 5.0), 2),
    "x * 2 * 0.5 overflows": (lambda g, x: mul(g, mul(g, x, 2.0), 0.5), 2),
    "x * 0.5 * 2 underflows": (lambda g, x: mul(g, mul(g, x, 0.5), 2.0), 2),
}
EXTREMES = [0.0, -0.0, np.inf, -np.inf, np.nan, 1e-45, -3e-39, 3e38, -2e38, 1.7]


def mul(graph: Graph, x: Node, y: Node | float) -> Node:
    return graph.add("mul", [x, y])


def neg(graph: Graph, x: Node) -> Node:
    return graph.add("neg", [x])


def masked(graph: Graph, x: Node, y: Node) -> Node:
    return graph.add("where", [graph.add("gt", [x, 0.5]), y, 0.0])


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
@pytest.mark.parametrize("name", [*CHEAPER, *DEARER])
def test_cheaper_ways_to_the_same_bits(name):
    values = np.array(EXTREMES * 2, np.float32).reshape(4, 5)
    graph = Graph()
    make, expected = (CHEAPER | DEARER)[name]
    graph.outputs = [make(graph, graph.input(values))]
    (wanted,) = compile_graph(graph, "numpy").run([values])
    names = [op for op in op_names(optimize(graph)) if op not in ("expand", "slice")]
    assert (names if name in CHEAPER else len(names)) == expected
    (found,) = compile_graph(optimize(graph), "numpy").run([values])
    number = ~np.isnan(wanted)
    np.testing.assert_array_equal(found, wanted)
    np.testing.assert_array_equal(np.signbit(found)[number], np.signbit(wanted)[number])
    for machine_code in compile_graph(graph).run([values]):
        np.testing.assert_array_equal(machine_code, wanted)


@pytest.mark.parametrize("name", KEPT)
def test_what_changes_special_values_stays(name):
    values = np.array([0.0, -0.0, np.inf, -np.inf, np.nan, 2.0], np.float32)
    graph = Graph()
    graph.outputs = [KEPT[name](graph, graph.input(values))]
    (node,) = graph.outputs
    assert op_names(optimize(graph))[-1] == node.op
    (found,) = assert_same(graph, [values]).run([values])
    (wanted,) = compile_graph(graph, "numpy").run([values])
    number = ~np.isnan(wanted)
    np.testing.assert_array_equal(np.signbit(found)[number], np.signbit(wanted)[number])


def test_times_minus_one_of_a_product():
    graph, x = one_input()
    product = graph.add("mul", [x, 3.0])
    graph.outputs = [graph.add("mul", [product, -1.0])]
    assert op_names(optimize(graph)) == ["expand", "mul"]
    values = np.ones((4, 5), np.float32)
    (found,) = compile_graph(graph, backend="numpy").run([values])
    np.testing.assert_array_equal(found, -3 * values)


def test_transposes_of_products_move_to_their_operands():
    graph = Graph()
    a, b, c = [graph.input(((4, 4), "float32")) for _ in range(3)]
    total = graph.add("add", [graph.add("mul", [graph.matmul(a, b), 2.0]), c])
    both = graph.add("sub", [graph.matmul(b, c), graph.matmul(c, a)])
    kept = graph.matmul(a, a)
    results = [graph.transpose(x) for x in (total, both, kept)]
    graph.outputs = [*results, kept]
    rng = np.random.default_rng(0)
    assert_same(graph, [rng.standard_normal((4, 4), np.float32) for _ in range(3)])
    outputs = optimize(graph).outputs
    assert [node.op for node in outputs] == ["permute", "sub", "permute", "matmul"]


def test_common_subexpressions_merge():
    graph, x = one_input()
    y = graph.input(((4, 5), "float32"))
    graph.outputs = [graph.add("add", [x, y]), graph.add("add", [y, x])]
    shared = share_common(graph)
    assert shared.outputs[0] is shared.outputs[1]


def test_zeros_of_different_sign_stay_apart():
    graph = Graph()
    graph.outputs = [graph.constant(0.0), graph.constant(-0.0)]
    shared = share_common(graph)
    assert shared.outputs[0] is not shared.outputs[1]


def test_dead_code_goes_and_inputs_stay():
    graph, x = one_input()
    graph.add("exp", [x])
    unused = graph.input(((3,), "float32"))
    graph.outputs = [graph.add("neg", [x])]
    clean = drop_dead(graph)
    assert op_names(clean) == ["neg"]
    assert len(clean.inputs) == len([x, unused])


def test_constants_fold():
    graph = Graph()
    graph.outputs = [graph.sum(graph.add("mul", [graph.constant([1.0, 2.0]), 3.0]))]
    folded = drop_dead(fold_constants(graph))
    assert [node.op for node in folded.nodes] == ["constant"]
    assert folded.outputs[0].params["value"] == 9.0


def test_passes_do_not_change_their_argument():
    graph, x = one_input()
    graph.outputs = [graph.add("mul", [graph.add("neg", [x]), 1.0])]
    before = str(graph)
    optimize(graph)
    assert str(graph) == before


def test_a_graph_prints_its_nodes_types_and_lines():
    graph, x = one_input()
    graph.source = "train.py:12"
    graph.outputs = [graph.sum(x, (1,))]
    text = str(graph)
    assert "sum(%0, dims=(1,), keepdim=0)" in text
    assert "float32[4]" in text
    assert "# train.py:12" in text


@pytest.mark.parametrize(
    ("op", "shapes", "error"),
    [
        ("add", [(2, 3), (4,)], ValueError),
        ("matmul", [(2, 3), (2, 3)], ValueError),
        ("reshape", [(2, 3)], ValueError),
    ],
)
def test_shapes_are_checked_when_a_node_is_made(op, shapes, error):
    graph = Graph()
    params = {"shape": (7,)} if op == "reshape" else {}
    with pytest.raises(error):
        graph.add(op, [graph.input((shape, "float32")) for shape in shapes], **params)


def test_mixed_dtypes_are_refused():
    graph, x = one_input()
    with pytest.raises(TypeError, match=r"float32.*float64"):
        graph.add("add", [x, graph.input(((4, 5), "float64"))])


def test_an_identity_that_kernels_read_is_a_comparison_of_indices():
    x = np.random.default_rng(0).standard_normal((12, 11)).astype(np.float32)
    eye = np.eye(12, dtype=np.float32)
    graph = Graph()
    shifted = graph.slice(graph.constant(eye), slice(None), slice(1, None))
    tangents = graph.transpose(graph.add("mul", [shifted, graph.input(x)]))
    graph.outputs = [graph.add("exp", [tangents])]
    constants = [n for n in optimize(graph).nodes if n.op == "constant"]
    assert all(node.size == 1 for node in constants)
    (found,) = compile_graph(graph).run([x])
    np.testing.assert_allclose(found, np.exp((eye[:, 1:] * x).T), rtol=1e-6)


NOT_COMPARED = {
    "an operand of a product": lambda g, c, x: g.matmul(g.transpose(c), x),
    "an output": lambda g, c, x: g.transpose(c),
}


@pytest.mark.parametrize("name", NOT_COMPARED)
def test_an_identity_that_has_to_lie_in_memory_stays(name):
    graph = Graph()
    x = graph.input(((12, 12), "float32"))
    eye = graph.constant(np.eye(12, dtype=np.float32))
    graph.outputs = [NOT_COMPARED[name](graph, eye, x)]
    assert "eq" not in op_names(optimize(graph))


@pytest.mark.parametrize(
    "value",
    [
        np.eye(12) * 2,
        np.eye(12, 13),
        np.eye(12, k=1),
        np.eye(12)[::-1],
        np.where(np.eye(12), 1, -0.0),
    ],
)
def test_what_resembles_an_identity_is_none(value):
    graph = Graph()
    x = graph.input(value)
    graph.outputs = [graph.add("mul", [graph.constant(value), x])]
    assert "eq" not in op_names(optimize(graph))
    np.testing.assert_array_equal(compile_graph(graph).run([value])[0], value * value)


# --- products and their operands ------------------------------------------------------


def numbers(*shape: int) -> np.ndarray:
    return np.random.default_rng(sum(shape)).standard_normal(shape).astype(np.float32)


def product_shapes(graph: Graph) -> list[tuple[int, ...]]:
    return [node.shape for node in optimize(graph).nodes if node.op == "matmul"]


def layer(graph: Graph, x: Node, arrays: list[np.ndarray]) -> Node:
    """An activation of a wide layer, whose weight and bias are new inputs."""
    weight, bias = numbers(80, x.shape[1]), numbers(80)
    arrays += [weight, bias]
    z = graph.matmul(x, graph.transpose(graph.input(weight)))
    biased = graph.add("add", [z, graph.expand(graph.input(bias), z.shape)])
    return graph.add("maximum", [biased, 0.0])


USES = {
    "products": lambda g, h: g.matmul(g.input(((3, 20), "float32")), h),
    "transposed products": lambda g, h: g.matmul(g.transpose(h), h),
    "sums of rows": lambda g, h: g.sum(h, (1,)),
    "sums of columns": lambda g, h: g.sum(h, (0,), keepdim=True),
    "a lone sum": lambda g, h: g.sum(h),
}


@pytest.mark.parametrize("use", USES)
def test_wide_products_are_turned_with_what_is_made_of_them(use):
    graph, arrays = Graph(), [numbers(20, 30)]
    hidden = layer(graph, graph.input(arrays[0]), arrays)
    hidden = layer(graph, hidden, arrays)
    arrays += [numbers(3, 20)] if use == "products" else []
    graph.outputs = [USES[use](graph, hidden)]
    assert product_shapes(graph)[:2] == [(80, 20), (80, 20)]
    assert_same(graph, arrays, rtol=1e-3, atol=1e-3)


MIXED = {
    "an output": lambda g, h: h,
    "a reshape": lambda g, h: g.sum(g.reshape(h, (4, 5, 80)), (1,)),
    "a slice": lambda g, h: g.sum(g.slice(h, slice(3, 9)), (1,)),
    "another matrix": lambda g, h: g.sum(
        g.add("mul", [h, g.input(((20, 80), "float32"))]), (1,)
    ),
    "indices": lambda g, h: g.sum(
        g.add("mul", [h, g.iota(h.shape, 1, np.float32)]), (1,)
    ),
}


@pytest.mark.parametrize("use", MIXED)
def test_wide_products_that_are_needed_as_they_are_stay(use):
    graph, arrays = Graph(), [numbers(20, 30)]
    hidden = layer(graph, graph.input(arrays[0]), arrays)
    graph.outputs = [MIXED[use](graph, hidden)]
    arrays += [numbers(20, 80)] if use == "another matrix" else []
    assert product_shapes(graph) == [(20, 80)]
    assert_same(graph, arrays, rtol=1e-3, atol=1e-3)


@pytest.mark.parametrize("updated", [True, False])
def test_products_of_transposed_parameters_are_cut_in_two(updated):
    """Where the parameter is updated: each core reads what it is going to write."""
    weight, grad = numbers(600, 500), numbers(600, 70)
    graph = Graph()
    w, g = graph.input(weight), graph.input(grad)
    graph.outputs = [graph.matmul(graph.transpose(w), g)]
    if updated:
        graph.write(w, graph.add("mul", [w, 0.5]))
    assert product_shapes(graph) == [(500, 70)] * (1 + updated)
    assert_same(graph, [weight, grad], rtol=1e-3, atol=1e-3)
