"""Launches and who takes part in them: workers that come late, stay away or are slow.

Nothing here depends on real time: the runtime under test has a clock that the test
sets, and threads only where the test lets one take chunks.
"""

import ctypes
import threading

import numpy as np
import pytest

from wengert.compiler import llvm, threads
from wengert.compiler.graph import Graph
from wengert.compiler.program import compile_graph

LONE = 127_000
KERNEL = ctypes.CFUNCTYPE(None, ctypes.c_void_p, ctypes.c_int64, ctypes.c_void_p)
STUBS = {
    "declare i32 @pthread_create(ptr, ptr, ptr, ptr)": """
        define i32 @pthread_create(ptr %a, ptr %b, ptr %c, ptr %d) {
          ret i32 0
        }""",
    "declare i32 @pthread_detach(ptr)": """
        define i32 @pthread_detach(ptr %a) {
          ret i32 0
        }""",
    "declare i32 @clock_gettime(i32, ptr)": """
        @time = global i64 0
        define i32 @clock_gettime(i32 %clock, ptr %to) {
          store i64 0, ptr %to
          %at = getelementptr i64, ptr %to, i64 1
          %now = load i64, ptr @time
          store i64 %now, ptr %at
          ret i32 0
        }""",
    "define internal void @take_chunks": "define void @take_chunks",
    "@patience = internal": "@patience =",
}


class Stage:
    """A runtime of its own, whose workers are started but never come by themselves."""

    def __init__(self):
        ir = threads.runtime_text()
        for real, stub in STUBS.items():
            assert real in ir
            ir = ir.replace(real, stub)
        names = ["start_workers", "take_chunks", "run", "replay", "time", "patience"]
        names += ["pays", "learn_alone", "learn_shared"]
        found = llvm.compile_module(ir, names, finished=True)
        word, address, flag = ctypes.c_int64, ctypes.c_void_p, ctypes.c_bool

        def function(name, result, *arguments):
            return ctypes.CFUNCTYPE(result, *arguments)(found[name])

        self.take_chunks = function("take_chunks", None, word)
        self.run = function("run", word, address, address, word, flag)
        self.replay = function("replay", word, address, address)
        self.pays = function("pays", flag, address)
        self.learn_alone = function("learn_alone", None, address, word)
        self.learn_shared = function("learn_shared", None, address, word, word)
        self.clock = word.from_address(found["time"])
        self.patience = word.from_address(found["patience"])
        assert function("start_workers", word, word)(1) == 1
        self.program = np.zeros(8, np.int64)

    def launch(self, kernel, chunks):
        """Run a kernel, given as a Python function of a chunk's number."""
        native = KERNEL(lambda _, chunk, __: kernel(chunk))
        address = ctypes.cast(native, ctypes.c_void_p).value
        launches = np.array([[address, 0, chunks, 0, 0, 0]], np.int64)
        self.run(self.program.ctypes.data, launches.ctypes.data, 1, True)

    def stretch(self, lessons=0, least=LONE):
        return np.array([0, 0, 1, least, 0, lessons, 0], np.int64)


@pytest.fixture(scope="module")
def stage():
    return Stage()


def test_a_worker_that_never_comes_is_not_waited_for(stage):
    done = []
    stage.launch(done.append, 9)
    assert done == list(range(9))


def test_a_worker_that_comes_after_all_finds_nothing_to_do(stage):
    done = []
    stage.launch(done.append, 3)
    stage.take_chunks(1)
    assert done == [0, 1, 2]


def test_a_worker_takes_the_chunks_that_are_left(stage):
    """The first chunk waits until a worker has done all others."""
    done, others = [], threading.Event()

    def kernel(chunk):
        if chunk == 0:
            threading.Thread(target=stage.take_chunks, args=(1,)).start()
            others.wait()
        done.append(chunk)
        if len(done) == 4:
            others.set()

    stage.launch(kernel, 5)
    assert done == [4, 3, 2, 1, 0], "from the last on: the caller's are the first"


def test_a_slow_worker_is_waited_for(stage):
    """It has begun with a chunk; the rest is done meanwhile."""
    done, begun, rest = [], threading.Event(), threading.Event()
    caller = threading.get_ident()

    def kernel(chunk):
        mine = threading.get_ident() == caller
        if chunk == 0:
            threading.Thread(target=stage.take_chunks, args=(1,)).start()
            begun.wait()
        if not mine:
            begun.set()
            rest.wait()
        done.append((chunk, mine))
        if len(done) == 3:
            rest.set()

    stage.launch(kernel, 4)
    assert sorted(chunk for chunk, _ in done) == [0, 1, 2, 3]
    assert [mine for _, mine in done] == [True, True, True, False]


def test_nothing_is_shared_while_another_thread_shares(stage):
    inner = []

    def kernel(chunk):
        if chunk == 0:
            stage.launch(inner.append, 3)

    stage.launch(kernel, 2)
    assert inner == [0, 1, 2]


# --- whether sharing pays -------------------------------------------------------------


def simulated(stage, stretch, runs, shared_cost, lone_cost=lambda i: LONE):
    """Run a stretch on a machine whose times are given; what each took, and how."""
    address, costs, shared = stretch.ctypes.data, [], []
    for i in range(runs):
        shared.append(bool(stage.pays(address)))
        if shared[-1]:
            cost, waited = shared_cost(i)
            stage.learn_shared(address, cost, waited)
        else:
            cost = lone_cost(i)
            stage.learn_alone(address, cost)
        costs.append(cost)
    return np.array(costs), np.array(shared)


def test_the_first_runs_are_lone_and_then_sharing_is_tried(stage):
    stretch = stage.stretch(lessons=3, least=1 << 60)
    lone = [900_000, LONE + 1000, LONE]  # the first is a cold one
    _, shared = simulated(stage, stretch, 5, lambda i: (99_000, 0), lambda i: lone[i])
    assert shared.tolist() == [False] * 3 + [True] * 2
    assert stretch[3] == LONE


def test_what_pays_is_always_shared(stage):
    _, shared = simulated(stage, stage.stretch(), 1000, lambda i: (99_000, 0))
    assert shared.all()


def test_a_caller_that_loses_its_own_cpu_now_and_then_goes_on_sharing(stage):
    def cost(i):
        return (4_000_000, 0) if i % 20 == 10 else (99_000, 0)

    _, shared = simulated(stage, stage.stretch(), 1000, cost)
    assert shared.all()


@pytest.mark.parametrize("shared_cost", [130_000, 150_000, 208_000, 1_000_000])
def test_another_core_that_is_slow_or_far_costs_little(stage, shared_cost):
    costs, _ = simulated(stage, stage.stretch(), 20_000, lambda i: (shared_cost, 0))
    assert np.median(costs) == LONE
    assert costs.mean() < 1.01 * LONE


def test_a_worker_that_loses_its_cpu_in_a_chunk_is_not_asked_for_a_while(stage):
    """Each time that it is asked it helps for 25 runs, and then stalls for 3 ms."""
    helped = 0

    def cost(i):
        nonlocal helped
        helped += 1
        return (3_100_000, 3_000_000) if helped % 25 == 0 else (99_000, 0)

    costs, shared = simulated(stage, stage.stretch(), 20_000, cost)
    assert costs.mean() < 1.05 * LONE
    assert shared.mean() < 0.1


def test_workers_have_time_to_wake_up(stage):
    """The first run after a rest is late, as they were asleep; the others pay."""
    stretch = stage.stretch()
    simulated(stage, stretch, 1, lambda i: (10 * LONE, 0))
    resting = int(32 * 9.1)
    assert not simulated(stage, stretch, resting - 10, None)[1].any()
    late = iter([140_000, 135_000])
    _, shared = simulated(stage, stretch, 200, lambda i: (next(late, 99_000), 0))
    assert shared[20:].all()


def test_a_core_that_is_free_again_is_used_again(stage):
    stretch = stage.stretch()
    simulated(stage, stretch, 50, lambda i: (50_000_000, 50_000_000))
    costs, shared = simulated(stage, stretch, 5000, lambda i: (99_000, 0))
    first = int(np.argmax(shared))
    assert 0 < costs[:first].sum() < 70e6  # nanoseconds
    assert shared[first:].all()


def test_rests_become_longer_but_end(stage):
    """After a second of a busy core, and again as short once that has been of use."""
    stretch = stage.stretch()
    simulated(stage, stretch, 10_000, lambda i: (50_000_000, 50_000_000))
    costs, shared = simulated(stage, stretch, 6000, lambda i: (99_000, 0))
    first = int(np.argmax(shared))
    assert costs[:first].sum() < 600e6
    assert shared[first:].all()
    simulated(stage, stretch, 1, lambda i: (50_000_000, 50_000_000))
    _, shared = simulated(stage, stretch, 1000, lambda i: (99_000, 0))
    assert 450 < int(np.argmax(shared)) < 550


def test_what_lone_runs_take_is_learnt_anew(stage):
    """The whole machine is half as quick now: sharing still pays."""
    stretch = stage.stretch()
    _, shared = simulated(
        stage, stretch, 3000, lambda i: (200_000, 0), lambda i: 2 * LONE
    )
    assert shared[-500:].all()


def test_workers_are_sent_to_sleep_where_sharing_does_not_pay(stage):
    stretch = stage.stretch()
    stage.launch(lambda chunk: None, 2)
    assert stage.patience.value > 0
    stage.learn_shared(stretch.ctypes.data, 10 * LONE, 8 * LONE)
    assert stage.patience.value == 0
    stage.launch(lambda chunk: None, 2)
    assert stage.patience.value > 0


def test_a_replay_measures_itself(stage):
    stretch = stage.stretch(lessons=1, least=1 << 60)

    def kernel(*_):
        stage.clock.value += 5000

    native = KERNEL(kernel)
    address = ctypes.cast(native, ctypes.c_void_p).value
    launches = np.array([[address, 0, 2, 0, 0, 0]], np.int64)
    stretch[:2] = launches.ctypes.data, 1
    stage.replay(stage.program.ctypes.data, stretch.ctypes.data)
    assert stretch[3:].tolist() == [10_000, 0, 0, 0]
    stage.replay(stage.program.ctypes.data, stretch.ctypes.data)
    assert stretch[3:].tolist() == [
        10_000,
        0,
        0,
        0,
    ]  # shared: nothing won, nothing lost


def judged(shape):
    graph = Graph()
    graph.outputs = [graph.add("exp", [graph.input((shape, "float32"))])]
    program = compile_graph(graph)
    address = program._tables.stretch(0)
    return (ctypes.c_int64 * 6).from_address(address)[2]


def test_explain_says_whether_a_program_is_shared():
    graph = Graph()
    x = np.ones(1 << 16, np.float32)
    graph.outputs = [graph.add("exp", [graph.input(x)])]
    program = compile_graph(graph)
    assert "0 of 1 small stretches shared" in program.explain()  # it learns yet
    stretch = (ctypes.c_int64 * 6).from_address(program._tables.stretch(0))
    stretch[5] = 0
    assert "1 of 1 small stretches shared" in program.explain()


def test_small_programs_are_judged():
    assert judged((8,)) == 0  # never shared
    assert judged((1 << 16,)) == 1
    assert judged((1 << 23,)) == 0  # always shared
