"""Each op compiled against NumPy: special values, layouts, empty and 0-dim arrays."""

import os
import subprocess
import sys
import warnings

import numpy as np
import pytest

from wengert.compiler.graph import Graph
from wengert.compiler.ops import OPS
from wengert.compiler.program import compile_graph

from .support import SPECIAL, assert_same, softmax

ELEMENTWISE = [op for op in OPS.values() if op.kind == "elementwise"]
FLOATS = [op.name for op in ELEMENTWISE if op.name not in ("cast", "div_trunc")]
INTEGERS = [
    "add", "sub", "mul", "maximum", "minimum", "neg", "abs", "sign", "eq", "lt", "ge",
    "where", "div_trunc", "logical_and", "logical_not", "floor",
]  # fmt: skip
LOOSE = {"float32": 1e-6, "float64": 1e-14}


def elementwise_inputs(name: str, dtype: str) -> list[np.ndarray]:
    """Every pair (or triple) of special and ordinary values."""
    rng = np.random.default_rng(0)
    values = np.array([*SPECIAL, *rng.standard_normal(9) * 3]).astype(dtype)
    arity = OPS[name].arity
    if arity == 1:
        return [values]
    x, y = (part.ravel().copy() for part in np.meshgrid(values, values))
    return [x, y] if arity == 2 else [x > y, x, y]


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("name", FLOATS)
def test_elementwise_on_special_values(name, dtype):
    inputs = elementwise_inputs(name, dtype)
    graph = Graph()
    graph.outputs = [graph.add(name, [graph.input(x) for x in inputs])]
    assert_same(graph, inputs, rtol=LOOSE[dtype], atol=1e-37)
    (found,) = compile_graph(graph).run(inputs)
    (wanted,) = compile_graph(graph, "numpy").run(inputs)
    if found.dtype.kind == "f" and name not in ("maximum", "minimum"):
        number = ~np.isnan(wanted)
        np.testing.assert_array_equal(
            np.signbit(found)[number], np.signbit(wanted)[number]
        )


@pytest.mark.parametrize("dtype", ["int64", "int32", "int16", "int8", "uint8", "bool"])
@pytest.mark.parametrize("name", INTEGERS)
def test_elementwise_on_integers(name, dtype):
    if dtype == "bool" and name not in ("eq", "where", "logical_and", "logical_not"):
        pytest.skip("NumPy has no such op on bool")
    if dtype == "uint8" and name == "div_trunc":
        pytest.skip("the reference is written for signed integers")
    values = np.array([-7, -1, 0, 1, 2, 5, 100]).astype(dtype)
    x, y = (part.ravel().copy() for part in np.meshgrid(values, values))
    inputs = {1: [x], 2: [x, y], 3: [x > y, x, y]}[OPS[name].arity]
    graph = Graph()
    graph.outputs = [graph.add(name, [graph.input(v) for v in inputs])]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        assert_same(graph, inputs)


@pytest.mark.parametrize(
    "source", ["float32", "float64", "int64", "int32", "bool", "uint8"]
)
@pytest.mark.parametrize(
    "target", ["float32", "float64", "int64", "int32", "bool", "int8"]
)
def test_cast(source, target):
    x = np.array([0, 1, 2, 100, 3.7]).astype(source)
    graph = Graph()
    graph.outputs = [graph.cast(graph.input(x), target)]
    assert_same(graph, [x])


@pytest.mark.parametrize("dims", [(0,), (1,), (2,), (0, 1), (0, 2), (1, 2), (0, 1, 2)])
@pytest.mark.parametrize("op", ["sum", "prod", "amax", "amin"])
@pytest.mark.parametrize("shape", [(3, 5, 7), (2, 70, 33), (40, 1, 600)])
def test_reductions(op, dims, shape):
    x = np.random.default_rng(1).uniform(0.9, 1.1, shape).astype("float32")
    graph = Graph()
    value = graph.input(x)
    graph.outputs = [
        graph.reduce(op, value, dims),
        graph.reduce(op, graph.add("neg", [value]), dims, keepdim=True),
    ]
    assert_same(graph, [x], rtol=2e-4)


@pytest.mark.parametrize("op", ["amax", "amin", "sum"])
@pytest.mark.parametrize("dtype", ["float32", "int64", "int32", "uint8", "bool"])
def test_reductions_of_special_values_and_other_dtypes(op, dtype):
    rows = [SPECIAL, SPECIAL[:4] * 3, [np.nan] * 12, [-np.inf] * 12, [5.0] * 12]
    x = np.array(rows)
    x = (x if dtype == "float32" else np.nan_to_num(x, posinf=9, neginf=-9)).astype(
        dtype
    )
    graph = Graph()
    value = graph.input(x)
    graph.outputs = [graph.reduce(op, value, dims) for dims in [(0,), (1,), None]]
    assert_same(graph, [x])


def test_reductions_of_nothing():
    x = np.empty((0, 4), np.float32)
    graph = Graph()
    value = graph.input(x)
    graph.outputs = [
        graph.sum(value, (0,)),
        graph.add("exp", [value]),
        graph.sum(value),
    ]
    assert_same(graph, [x])


def test_large_sum_is_accurate():
    x = np.full(3_000_000, 0.1, np.float32)
    graph = Graph()
    graph.outputs = [graph.sum(graph.input(x))]
    (total,) = compile_graph(graph).run([x])
    exact = x.astype(np.float64).sum()
    assert abs(total - exact) < 1e-6 * exact


LAYOUTS = {
    "transposed": lambda x: np.array(x.T.copy()).T,
    "every second": lambda x: np.repeat(x, 2, axis=1)[:, ::2],
    "reversed": lambda x: x[::-1, ::-1],
    "broadcast": lambda x: np.broadcast_to(x[:1], x.shape),
    "one column": lambda x: np.broadcast_to(x[:, :1], x.shape),
}


@pytest.mark.parametrize("layout", LAYOUTS)
def test_strided_inputs(layout):
    base = np.random.default_rng(2).standard_normal((37, 53))
    x = LAYOUTS[layout](base)
    graph = Graph()
    value = graph.input(x)
    other = graph.input(base)
    graph.outputs = [
        graph.add("add", [graph.add("exp", [value]), other]),
        softmax(graph, value, 1),
        graph.reshape(value, (53, 37)),
        graph.matmul(value, graph.transpose(other)),
    ]
    assert_same(graph, [x, base], rtol=1e-12)


def test_an_input_in_another_layout_is_copied():
    x = np.random.default_rng(3).standard_normal((6, 8))
    graph = Graph()
    value = graph.input(x)
    graph.outputs = [graph.add("exp", [value])]
    graph.write(value, graph.add("neg", [value]))
    program = compile_graph(graph)
    given = np.asfortranarray(x)
    (result,) = program.run([given])
    np.testing.assert_allclose(result, np.exp(x))
    np.testing.assert_array_equal(given, -x)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize(
    ("m", "k", "n", "batch"),
    [
        (3, 4, 5, ()),
        (64, 300, 128, ()),
        (1, 7, 9, ()),
        (40, 1, 2, (3,)),
        (8, 8, 8, (2, 3)),
    ],
)
@pytest.mark.parametrize("turned", ["", "a", "b", "ab"])
def test_matmul(m, k, n, batch, turned, dtype):
    rng = np.random.default_rng(4)
    a = rng.standard_normal((*batch, k, m) if "a" in turned else (*batch, m, k))
    b = rng.standard_normal((*batch, n, k) if "b" in turned else (*batch, k, n))
    inputs = [a.astype(dtype), b.astype(dtype)]
    graph = Graph()
    left, right = map(graph.input, inputs)
    left = graph.transpose(left) if "a" in turned else left
    right = graph.transpose(right) if "b" in turned else right
    product = graph.matmul(left, right)
    graph.outputs = [
        product,
        graph.add("maximum", [graph.add("add", [product, 1.0]), 0.0]),
    ]
    assert_same(graph, inputs, rtol=1e-3 if dtype == "float32" else 1e-10, atol=1e-4)


def test_gather_scatter_and_index_select():
    rng = np.random.default_rng(5)
    x = rng.standard_normal((20, 30)).astype("float32")
    wide = rng.integers(0, 30, (20, 30))
    one = rng.integers(0, 30, (20, 1))
    rows = rng.integers(0, 20, 11)
    graph = Graph()
    value, many, single, chosen = map(graph.input, (x, wide, one, rows))
    graph.outputs = [
        graph.gather(value, 1, many),
        graph.gather(softmax(graph, value, 1), 1, single),
        graph.scatter_add(value, 1, many, value),
        graph.scatter_add(value, 1, single, graph.gather(value, 1, single)),
        graph.index_select(graph.add("exp", [value]), 0, chosen),
        graph.argmax(value, 1),
    ]
    assert_same(graph, [x, wide, one, rows])


@pytest.mark.parametrize("bad", [-1, 30])
@pytest.mark.parametrize("op", ["gather", "scatter_add"])
def test_index_out_of_range(op, bad):
    x, index = np.zeros((20, 30), "float32"), np.zeros((20, 1), "int64")
    graph = Graph()
    value, place = graph.input(x), graph.input(index)
    if op == "gather":
        graph.outputs = [graph.gather(value, 1, place)]
    else:
        ones = graph.expand(graph.constant(1, "float32"), (20, 1))
        graph.outputs = [graph.scatter_add(value, 1, place, ones)]
    program = compile_graph(graph)
    index[7] = bad
    with pytest.raises(IndexError, match="out of range"):
        program.run([x, index])
    index[7] = 0
    program.run([x, index])  # the error does not stick


def test_argmax_prefers_the_first_and_nan():
    x = np.array([[1.0, 3, 3], [np.nan, 5, np.nan], [-np.inf] * 3], np.float32)
    graph = Graph()
    graph.outputs = [graph.argmax(graph.input(x), 1)]
    np.testing.assert_array_equal(compile_graph(graph).run([x])[0], [1, 0, 0])


THREADED = """
import hashlib, numpy as np
from wengert.compiler import threads
from wengert.compiler.graph import Graph
from wengert.compiler.program import compile_graph
x = np.random.default_rng(6).standard_normal((2000, 300)).astype("float32")
graph = Graph()
value = graph.input(x)
total = graph.sum(graph.add("exp", [value]), (0,))
graph.outputs = [total, graph.sum(value), graph.matmul(graph.transpose(value), value)]
program = compile_graph(graph)
hashes = {hashlib.sha256(b"".join(program.run([x]))).hexdigest() for _ in range(20)}
print(threads.runtime().threads, *hashes)
"""


def test_results_do_not_depend_on_the_number_of_threads():
    lines = []
    for count in (1, 2, 5):
        environment = {**os.environ, "WENGERT_NUM_THREADS": str(count)}
        done = subprocess.run(
            [sys.executable, "-c", THREADED],
            env=environment,
            capture_output=True,
            text=True,
            check=True,
        )
        threads, digest = done.stdout.split()
        assert int(threads) == count
        lines.append(digest)
    assert len(set(lines)) == 1


def test_a_loss_and_its_gradient_are_one_pass_over_the_logits():
    import wengert

    @wengert.compile(fullgraph=True)
    def step(x, y):
        loss = wengert.nn.functional.cross_entropy(x, y)
        return loss.detach(), *wengert.autograd.grad(loss, x)

    x = wengert.randn(64, 5000, requires_grad=True)
    step(x, wengert.arange(64))
    large = [line for line in step.explain().splitlines() if "[64, 5000]" in line]
    assert len(large) == 1


def test_masked_maximum_is_vectorised(tmp_path, monkeypatch, capfd):
    """LLVM says so when it cannot do what a loop asks for."""
    monkeypatch.setenv("WENGERT_CACHE_DIR", str(tmp_path))
    graph, rng = Graph(), np.random.default_rng(0)
    inputs = [rng.standard_normal((5, 37)).astype("f"), rng.random((5, 37)) > 0.5]
    x, mask = (graph.input(array) for array in inputs)
    graph.outputs = [softmax(graph, graph.add("where", [mask, x, -np.inf]), 1)]
    assert_same(graph, inputs)
    assert capfd.readouterr().err == ""
