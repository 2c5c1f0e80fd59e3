"""Programs as wholes: replays, writes, scalars, calls, threads, forks and the cache."""

import os
import subprocess
import sys
import textwrap

import numpy as np
import pytest

from wengert.compiler import cache, llvm, memory
from wengert.compiler.graph import Graph
from wengert.compiler.program import compile_graph

from .support import assert_same, softmax


def run_python(code: str, **environment: str) -> str:
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(code)],
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def exp_program(shape: tuple = (8,)):
    graph = Graph()
    graph.outputs = [graph.add("exp", [graph.input((shape, "float32"))])]
    return compile_graph(graph)


def test_inputs_are_read_anew_and_may_move():
    program = exp_program()
    for seed in range(3):
        x = np.random.default_rng(seed).standard_normal(8).astype("float32")
        np.testing.assert_allclose(program.run([x])[0], np.exp(x), rtol=1e-6)


def test_an_output_that_is_held_is_never_overwritten():
    program = exp_program()
    ones, zeros = np.ones(8, np.float32), np.zeros(8, np.float32)
    first = program.run([ones])[0]
    part = program.run([ones])[0][2:4]
    whole = program.run([ones])
    program.run([zeros])
    assert np.all(whole[0] > 2)
    assert np.all(first > 2)
    assert np.all(part > 2)


def test_an_output_that_is_dropped_is_used_again():
    program = exp_program()
    ones = np.ones(8, np.float32)
    address = program.run([ones])[0].ctypes.data
    assert program.run([ones])[0].ctypes.data == address


@pytest.mark.parametrize(
    ("given", "error", "message"),
    [
        ([np.ones(8)], TypeError, "expected float32, not float64"),
        ([np.ones(9, np.float32)], ValueError, "expected shape"),
        ([[1.0]], TypeError, "not list"),
        ([], ValueError, "expected 1 inputs"),
    ],
)
def test_wrong_inputs(given, error, message):
    with pytest.raises(error, match=message):
        exp_program().run(given)


def test_writes_see_the_old_values():
    a, b = np.arange(4.0), np.arange(4.0) * 10
    graph = Graph()
    x, y = graph.input(a), graph.input(b)
    graph.write(x, y)
    graph.write(y, graph.add("add", [x, y]))
    graph.outputs = [graph.add("mul", [x, 2.0])]
    (doubled,) = compile_graph(graph, guarded=True).run([a, b])
    np.testing.assert_array_equal(a, [0, 10, 20, 30])
    np.testing.assert_array_equal(b, [0, 11, 22, 33])
    np.testing.assert_array_equal(doubled, [0, 2, 4, 6])


def test_a_write_may_move_elements():
    x = np.arange(12.0).reshape(3, 4)[:, :3].copy()
    graph = Graph()
    value = graph.input(x)
    graph.write(value, graph.transpose(value))
    assert_same(graph, [x])


def test_run_time_scalars():
    graph = Graph()
    rate = graph.cast(graph.scalar(), "float32")
    x = graph.input(((3,), "float32"))
    graph.outputs = [graph.add("mul", [x, rate])]
    program = compile_graph(graph)
    ones = np.ones(3, np.float32)
    for rate in (0.5, 2, np.float64(3)):
        np.testing.assert_array_equal(program.run([rate, ones])[0], ones * float(rate))


def test_calls_run_in_their_place():
    def sort_both(a, b):
        return np.sort(a), np.sort(b) + 1

    x = np.random.default_rng(0).standard_normal((3, 4))
    graph = Graph()
    value = graph.input(x)
    spec = ((3, 4), "float64")
    first, second = graph.call(
        sort_both, [graph.add("neg", [value]), value], [spec] * 2
    )
    graph.outputs = [graph.add("add", [first, second]), second]
    graph.write(value, graph.add("exp", [first]))
    program = assert_same(graph, [x])
    assert "sort_both" in program.explain()


def test_ops_without_a_kernel_run_in_numpy():
    x = np.array([1 + 2j, 3j])
    y = np.array([1, 2], np.float16)
    graph = Graph()
    value, half = graph.input(x), graph.input(y)
    graph.outputs = [graph.add("mul", [value, value]), graph.sum(half)]
    program = assert_same(graph, [x, y])
    assert "no kernel" in program.explain()


def test_softmax_is_one_kernel_and_explain_says_so():
    graph = Graph()
    graph.outputs = [softmax(graph, graph.input(((50, 60), "float32")), 1)]
    program = compile_graph(graph)
    assert program.explain().count("kernel ") == 1
    assert "3 phases" in program.explain()
    steps = program.times([np.ones((50, 60), np.float32)])
    assert len(steps) == 1
    assert steps[0][1] > 0


def test_updates_of_many_tensors_are_one_launch():
    graph = Graph()
    for n in range(10, 30):
        p, g = graph.input(((n, 7), "float32")), graph.input(((n, 7), "float32"))
        graph.write(p, graph.add("sub", [p, graph.add("mul", [g, 0.1])]))
    program = compile_graph(graph)
    assert "20 steps, 1 launches" in program.explain()
    inputs = [np.ones(n.shape, np.float32) for n in graph.inputs]
    program.run(inputs)
    assert all(np.allclose(p, 0.9) for p in inputs[::2])


def test_a_guarded_program_notices_stray_writes():
    guarded = memory.GuardedBytes(1024, [(256, 100)])
    guarded.bytes[256:356] = 1
    guarded.check()
    guarded.bytes[356] = 1
    with pytest.raises(AssertionError, match="outside"):
        guarded.check()


def test_the_memory_plan_shares_what_does_not_meet():
    lives = [
        memory.Lifetime(1000, 0, 1),
        memory.Lifetime(1000, 1, 2),
        memory.Lifetime(900, 2, 3),
    ]
    offsets, total = memory.plan(lives)
    assert offsets[0] == offsets[2]
    assert offsets[0] != offsets[1]
    assert total == 2048


def test_several_python_threads_may_run_programs():
    from concurrent.futures import ThreadPoolExecutor

    x = np.random.default_rng(0).standard_normal(300_000).astype("float32")
    programs = [exp_program(x.shape) for _ in range(3)]
    with ThreadPoolExecutor(6) as pool:
        futures = [pool.submit(programs[i % 3].run, [x]) for i in range(60)]
        for future in futures:
            np.testing.assert_allclose(future.result()[0], np.exp(x), rtol=1e-6)


FORKING = """
import os, numpy as np
from wengert.compiler.graph import Graph
from wengert.compiler.program import compile_graph
x = np.ones((1000, 1000), np.float32)
graph = Graph()
graph.outputs = [graph.sum(graph.add("exp", [graph.input(x)]), (0,))]
program = compile_graph(graph)
program.run([x])
child = os.fork()
assert np.allclose(program.run([x])[0], 1000 * np.e)
if child:
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    print("both")
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
def test_programs_run_after_a_fork_and_processes_end():
    assert run_python(FORKING, WENGERT_NUM_THREADS="3") == "both"


def test_without_llvmlite_the_error_names_the_extra():
    output = run_python(
        """
        import sys
        sys.modules["llvmlite"] = None
        from wengert.compiler.graph import Graph
        from wengert.compiler.program import compile_graph
        graph = Graph()
        graph.outputs = [graph.add("exp", [graph.input(((2,), "float32"))])]
        compile_graph(graph, backend="numpy")
        try:
            compile_graph(graph)
        except ImportError as error:
            print(error)
        """
    )
    assert "wengert[jit]" in output
    assert "backend='numpy'" in output


def test_the_compiler_loads_llvmlite_only_when_it_compiles():
    code = """
        import sys, wengert.compiler.program
        print("llvmlite" in sys.modules)
        """
    assert run_python(code) == "False"


def test_the_cache_keeps_whole_entries_only(tmp_path, monkeypatch):
    monkeypatch.setenv("WENGERT_CACHE_DIR", str(tmp_path))
    key = cache.key_of("a", "b")
    assert cache.load(key) is None
    cache.save(key, b"code")
    assert cache.load(key) == b"code"
    (tmp_path / key).write_bytes((tmp_path / key).read_bytes()[:-1])
    assert cache.load(key) is None
    assert not (tmp_path / key).exists()


def test_the_cache_forgets_the_oldest(tmp_path, monkeypatch):
    monkeypatch.setenv("WENGERT_CACHE_DIR", str(tmp_path))
    monkeypatch.setattr(cache, "LARGEST_TOTAL", 500)
    for i in range(4):
        cache.save(f"1{i}", bytes(150))
        os.utime(tmp_path / f"1{i}", (i, i))
    cache.save("00", bytes(150))  # such a key makes it look
    assert cache.load("10") is None
    assert cache.load("00") is not None


def test_without_a_cache_directory_everything_is_compiled(monkeypatch):
    monkeypatch.setenv("WENGERT_CACHE_DIR", "")
    cache.save("key", b"code")
    assert cache.load("key") is None


def test_equal_kernels_are_compiled_once(monkeypatch):
    exp_program((17,))
    compiled = []
    monkeypatch.setattr(llvm, "compile_module", lambda *args: compiled.append(args))
    exp_program((18,))  # the size of a flat kernel is an argument
    assert not compiled


def test_unknown_backend():
    with pytest.raises(ValueError, match="backend"):
        compile_graph(Graph(), backend="cuda")
