"""Random graphs give the same results compiled and in NumPy."""

import numpy as np
from hypothesis import HealthCheck, Phase, given, settings, strategies as st

from wengert.compiler.alike import Dense, build_kernels
from wengert.compiler.graph import Graph, Node
from wengert.compiler.groups import Group
from wengert.compiler.kernels import build_kernel
from wengert.compiler.passes import optimize
from wengert.compiler.schedule import schedule

from .support import assert_same

SIZES = st.sampled_from([1, 2, 3, 5, 16, 17])
UNARY = ["neg", "abs", "exp", "tanh", "sigmoid", "erf", "sin", "sqrt", "sign", "floor"]
BINARY = ["add", "sub", "mul", "maximum", "minimum"]


def tame(graph: Graph, x: Node) -> Node:
    """Keep values small, so that comparisons stay meaningful."""
    return graph.add("maximum", [graph.add("minimum", [x, 3.0]), -3.0])


def broadcasts(shape: tuple, target: tuple) -> bool:
    tail = target[len(target) - len(shape) :]
    return len(shape) <= len(target) and all(
        a in (1, b) for a, b in zip(shape, tail, strict=True)
    )


def elementwise(draw, graph: Graph, x: Node, pool: list[Node]) -> Node:
    if draw(st.booleans()):
        op = draw(st.sampled_from(UNARY))
        return graph.add(op, [graph.add("abs", [x]) if op == "sqrt" else x])
    y = draw(st.sampled_from([y for y in pool if broadcasts(y.shape, x.shape)]))
    op = draw(st.sampled_from([*BINARY, "where"]))
    if op == "where":
        return graph.add("where", [graph.add("gt", [x, y]), x, 0.5])
    return graph.add(op, [x, y])


def view(draw, graph: Graph, x: Node) -> Node:
    kind = draw(st.sampled_from(["permute", "slice", "expand", "reshape"]))
    rank = len(x.shape)
    if kind == "permute" and rank:
        return graph.permute(x, draw(st.permutations(range(rank))))
    if kind == "slice" and rank:
        return graph.slice(x, *[draw(slices(n)) for n in x.shape])
    if kind == "expand":
        return graph.expand(x, (draw(st.sampled_from([1, 3])), *x.shape))
    shapes = [(x.size,), (1, *x.shape), (*x.shape, 1)]
    if rank >= 2:
        shapes.append((x.shape[0] * x.shape[1], *x.shape[2:]))
    return graph.reshape(x, draw(st.sampled_from(shapes)))


@st.composite
def slices(draw, size: int):
    start = draw(st.integers(0, size - 1))
    stop = draw(st.integers(start + 1, size))
    step = draw(st.sampled_from([1, 1, 2, -1]))
    if step < 0:
        return slice(stop - 1, start - 1 if start else None, -1)
    return slice(start, stop, step)


def reduction(draw, graph: Graph, x: Node) -> Node:
    rank = len(x.shape)
    dims = draw(st.lists(st.integers(0, max(0, rank - 1)), max_size=rank, unique=True))
    op = draw(st.sampled_from(["sum", "amax", "amin", "mean"]))
    keep = draw(st.booleans())
    if op == "mean":
        result = graph.mean(x, dims if rank else None, keep)
    else:
        result = graph.reduce(op, x, dims if rank else None, keep)
    return tame(graph, result)


def product(draw, graph: Graph, x: Node, pool: list[Node]) -> Node:
    matrices = [y for y in pool if len(y.shape) == 2]
    if len(x.shape) != 2 or not matrices:
        return graph.add("neg", [x])
    y = draw(st.sampled_from(matrices))
    if y.shape[0] != x.shape[1]:
        y = graph.transpose(x)
    return tame(graph, graph.matmul(x, y))


@st.composite
def programs(draw):
    graph, inputs, pool = Graph(), [], []
    random = np.random.default_rng(draw(st.integers(0, 2**31)))
    dtype = draw(st.sampled_from(["float32", "float64"]))
    for _ in range(draw(st.integers(1, 3))):
        shape = tuple(draw(st.lists(SIZES, max_size=3)))
        array = random.standard_normal(shape).astype(dtype)
        if draw(st.booleans()) and len(shape) > 1:
            array = np.array(array.T.copy()).T
        inputs.append(array)
        pool.append(graph.input(array))
    sources = list(pool)
    for _ in range(draw(st.integers(1, 14))):
        x = draw(st.sampled_from(pool))
        kind = draw(st.sampled_from("eeeevvrrmc"))
        if kind == "e":
            new = elementwise(draw, graph, x, pool)
        elif kind == "v":
            new = view(draw, graph, x)
        elif kind == "r":
            new = reduction(draw, graph, x)
        elif kind == "m":
            new = product(draw, graph, x, pool)
        else:
            new = (
                graph.cat([x, x], draw(st.integers(0, len(x.shape) - 1)))
                if (x.shape)
                else x
            )
        pool.append(new if new.size < 20000 else x)
    count = draw(st.integers(1, 4))
    graph.outputs = [draw(st.sampled_from(pool)) for _ in range(count)]
    graph.outputs.append(pool[-1])
    for target in sources:
        values = [x for x in pool if x.shape == target.shape and x is not target]
        if values and draw(st.booleans()):
            graph.write(target, draw(st.sampled_from(values)))
    return graph, inputs


@settings(
    max_examples=40,
    deadline=None,
    suppress_health_check=list(HealthCheck),
    derandomize=True,
    phases=[Phase.generate],  # shrinking would compile hundreds of programs
)
@given(programs())
def test_compiled_equals_numpy(program):
    graph, inputs = program
    tolerance = 2e-4 if inputs[0].dtype == np.float32 else 1e-9
    assert_same(graph, inputs, rtol=tolerance, atol=tolerance)


@st.composite
def families(draw):
    """The same random elementwise function of arrays of several shapes."""
    graph, inputs = Graph(), []
    rate = graph.scalar()
    script = draw(st.lists(st.integers(0, 2**31), min_size=2, max_size=8))
    shapes = [(5000,), (7,), (64, 130), (3, 4, 5), (1,), (6, 1), (2, 3), ()]
    writes, stores = draw(st.booleans()), draw(st.booleans())
    for shape in draw(st.permutations(shapes)):
        pool = [graph.input((shape, "float32")), graph.input((shape, "float32"))]
        targets = list(pool)
        pool.append(graph.expand(graph.cast(rate, "float32"), shape))
        for seed in script:
            random = np.random.default_rng(seed)
            x, y = [pool[i] for i in random.integers(0, len(pool), 2)]
            op = random.choice([*BINARY, "exp", "cast"])
            if op == "cast":
                new = graph.cast(graph.cast(x, "int32"), "float32")
            else:
                new = graph.add(op, [x] if op == "exp" else [x, y])
            pool.append(new)
        graph.outputs += [pool[-1], *pool[-2:-1] * stores]
        if writes:
            graph.write(targets[0], pool[-2])
            graph.write(targets[1], pool[-1])
    return graph, inputs


@settings(deadline=None, derandomize=True, max_examples=60)
@given(st.one_of(families(), programs()))
def test_kernels_that_are_written_once_are_as_if_written_anew(program):
    graph, _ = program
    plan = schedule(optimize(graph))
    groups = [step for step in plan.steps if isinstance(step, Group)]
    for group, kernel in build_kernels(groups, plan.stored).items():
        assert kernel == build_kernel(group, plan.stored)


def test_alike_groups_share_a_kernel():
    graph = Graph()
    for n in (5, 5000, 70_000):
        graph.outputs.append(graph.add("exp", [graph.input(((n,), "float32"))]))
    plan = schedule(optimize(graph))
    texts = {k.body for k in build_kernels(plan.steps, plan.stored).values()}
    assert len(texts) == 1
    assert len({Dense(group).key for group in plan.steps} - {None}) == 1
