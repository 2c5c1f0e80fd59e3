"""Matrix products against NumPy in more precision: shapes, layouts, edges."""

import numpy as np
import pytest

from wengert.compiler import products
from wengert.compiler.graph import Graph
from wengert.compiler.program import compile_graph

DTYPES = ["float32", "float64"]
SHAPES = [  # the tile's edges, several chunks, several blocks of depth
    *[(1, 1, 1), (1, 17, 5), (9, 1, 3), (7, 15, 4), (8, 48, 16), (9, 49, 17)],
    *[(64, 10, 128), (65, 130, 33), (16, 100, 1000), (260, 97, 801), (130, 500, 90)],
]


def laid_out(shape: tuple[int, ...], dtype: str, layout: str, seed: int) -> np.ndarray:
    values = np.random.default_rng(seed).standard_normal(shape).astype(dtype)
    if layout == "turned":
        return values.mT.copy().mT
    if layout == "gaps":
        wide = np.full((*shape[:-2], shape[-2] * 2, shape[-1] * 3), np.nan, dtype)
        wide[..., ::2, ::3] = values
        return wide[..., ::2, ::3]
    return (
        np.ascontiguousarray(values[..., ::-1])[..., ::-1]
        if layout == "back"
        else values
    )


def assert_product(a: np.ndarray, b: np.ndarray) -> None:
    graph = Graph()
    graph.outputs = [graph.matmul(graph.input(a), graph.input(b))]
    (found,) = compile_graph(graph, guarded=True).run([a, b])
    exact = np.matmul(a.astype(np.longdouble), b.astype(np.longdouble))
    scale = np.matmul(abs(a).astype(np.longdouble), abs(b).astype(np.longdouble))
    depth = min(a.shape[-1], 40)  # roundings largely cancel
    assert (abs(found - exact) <= np.finfo(a.dtype).eps * depth * scale).all()


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize(
    "layouts",
    [("rows", "rows"), ("rows", "turned"), ("turned", "rows"), ("gaps", "back")],
)
def test_products(shape, layouts, dtype):
    m, n, k = shape
    a = laid_out((m, k), dtype, layouts[0], 1)
    assert_product(a, laid_out((k, n), dtype, layouts[1], 2))


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("layout", ["rows", "turned", "gaps"])
def test_stacks_of_products(layout, dtype):
    a = laid_out((2, 3, 9, 20), dtype, layout, 1)
    assert_product(a, laid_out((2, 3, 20, 11), dtype, layout, 2))
    assert_product(a[:1], laid_out((2, 1, 20, 11), dtype, layout, 2))


def test_special_values_stay_where_they_belong():
    a, b = np.ones((20, 30), np.float32), np.ones((30, 60), np.float32)
    a[3, 4], a[5, 6], b[7, 50] = np.nan, np.inf, -np.inf
    graph = Graph()
    graph.outputs = [graph.matmul(graph.input(a), graph.input(b))]
    (found,) = compile_graph(graph).run([a, b])
    with np.errstate(invalid="ignore"):
        wanted = np.matmul(a, b)
    np.testing.assert_array_equal(found, wanted)


def test_the_cut_does_not_change_the_result(monkeypatch):
    """So neither does the number of threads: each element is summed in one order."""
    a = laid_out((120, 300), "float32", "rows", 1)
    b = laid_out((300, 200), "float32", "turned", 2)

    def product() -> np.ndarray:
        graph = Graph()
        graph.outputs = [graph.matmul(graph.input(a), graph.input(b))]
        return compile_graph(graph).run([a, b])[0].copy()

    whole = product()
    for name, value in {"CHUNK": 50_000, "OWN": 0, "MOST_CHUNKS": 3}.items():
        monkeypatch.setattr(products, name, value)
        np.testing.assert_array_equal(product(), whole)
