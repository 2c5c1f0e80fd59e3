"""A program of machine code: memory, launches and replays."""

from __future__ import annotations

import sys
import threading
import time
from typing import Any

import numpy as np

from . import threads
from .alike import build_kernels
from .epilogues import attach_epilogues, heirs
from .graph import Graph, Node, type_of
from .groups import Call, Group, Product, Sink, Step
from .launches import Launches
from .llvm import compile_functions
from .memory import GuardedBytes, Lifetime, aligned_bytes, plan, plan_guarded
from .partials import combining_kernel
from .program import Arrays, Program, conforming, evaluate
from .schedule import schedule
from .tables import Tables
from .values import Argument

Inputs = tuple[Any, ...]


class NativeProgram(Program):
    """Runs kernels, matrix products and calls to Python."""

    def __init__(self, graph: Graph, guarded: bool = False) -> None:
        self.graph = graph
        self._runtime = threads.runtime()
        started = time.perf_counter()
        self._schedule = schedule(graph)
        self._steps, self._products = attach_epilogues(self._schedule.steps)
        self._kernels = build_kernels(
            [step for step in self._steps if isinstance(step, Group)],
            self._schedule.stored,
            {step.epilogue: plan.rows for step, plan in self._products.items()},
        )
        self._heirs = heirs(self._steps, self._kernels, graph.outputs)
        self._addresses = self._compile()
        self._batches = self._batch_steps()
        self._assign_memory(guarded)
        self._fill_tables()
        self.compile_seconds = time.perf_counter() - started
        self._lock = threading.Lock()
        self._outputs = [np.empty(n.shape, n.dtype) for n in graph.outputs]

    def _batch_steps(self) -> list[list[Step]]:
        """Neighbouring steps that run the same kernel and do not wait for each other.

        A batch is one launch: the update of many parameters has one barrier at its end,
        not one for each. So is a product with its epilogue.
        """
        batches: list[list[Step]] = []
        for step in self._steps:
            last = batches[-1] if batches else []
            if last and self._join(last, step):
                last.append(step)
            else:
                batches.append([step])
        return batches

    @property
    def fails_early(self) -> bool:  # type: ignore[override]
        """Whether the kernels that look at indices run before those that write."""
        last_look, first_write = -1, len(self._batches)
        for now, batch in enumerate(self._batches):
            if any(isinstance(step, Call) for step in batch):
                return False
            kernels = [self._kernels[step] for step in batch if isinstance(step, Group)]
            if any(Argument("error", None) in kernel.arguments for kernel in kernels):
                last_look = now
            sinks = [sink for kernel in kernels for sink in kernel.group.sinks]
            if any(sink.write is not None for sink in sinks):
                first_write = min(first_write, now)
        return last_look < first_write

    def _join(self, batch: list[Step], step: Step) -> bool:
        """Whether a step can be done in one launch with others."""
        first = batch[0]
        if isinstance(first, Product):
            beside = isinstance(step, Product) and step.beside is first
            return first.epilogue is step or beside
        if not (isinstance(first, Group) and isinstance(step, Group)):
            return False
        partials = self._kernels[first].partials or self._kernels[step].partials
        same = not partials and self._addresses[first] == self._addresses[step]
        return same and not step.after & set(batch)

    # --- memory ----------------------------------------------------------------------

    def _assign_memory(self, guarded: bool) -> None:
        """Give every stored node and every partial result a place."""
        self._input_of = {node: i for i, node in enumerate(self.graph.inputs)}
        self._output_of: dict[Any, int] = {}
        for step in self._kernels:
            for sink in step.sinks:
                if sink.output is not None:
                    self._output_of[sink] = sink.output
                    if sink.node in self._schedule.makers and (
                        self._schedule.makers[sink.node] is step
                    ):
                        self._output_of.setdefault(sink.node, sink.output)
        self._direct_outputs()
        owners, lifetimes = self._lifetimes()
        offsets, total = (plan_guarded if guarded else plan)(lifetimes)
        self._guard: GuardedBytes | None = None
        if guarded:
            spans = [
                (o, life.nbytes) for o, life in zip(offsets, lifetimes, strict=True)
            ]
            self._guard = GuardedBytes(total, spans)
            self._arena = self._guard.bytes
        else:
            self._arena = aligned_bytes(total)
        base = self._arena.ctypes.data
        self._place = {o: base + at for o, at in zip(owners, offsets, strict=True)}
        self._constants = {
            node: np.ascontiguousarray(node.params["value"])
            for node in self.graph.nodes
            if node.op == "constant"
        }
        self._arrays = dict(
            self._constants
        )  # and of nodes in the arena, once asked for
        needed = [kernel.scratch for kernel in self._kernels.values()]
        needed += [product.scratch for product in self._products.values()]
        scratch = max(needed, default=0)
        self._scratch_each = -(-(scratch + 64) // 4096) * 4096
        self._scratch = aligned_bytes(self._scratch_each * self._runtime.threads)

    def _direct_outputs(self) -> None:
        """Let products and calls write outputs where they are returned."""
        for number, node in enumerate(self.graph.outputs):
            maker = self._schedule.makers.get(node)
            if isinstance(maker, (Product, Call)):
                self._output_of.setdefault(node, number)

    def _lifetimes(self) -> tuple[list[Any], list[Lifetime]]:
        first: dict[Any, int] = {}
        last: dict[Any, int] = {}
        size: dict[Any, int] = {}

        def touch(owner: Any, nbytes: int, now: int) -> None:
            first.setdefault(owner, now)
            last[owner] = now
            size[owner] = nbytes

        timed = [(now, s) for now, batch in enumerate(self._batches) for s in batch]
        for now, step in timed:
            for node in self._touched(step):
                if self._in_arena(node):
                    touch(node, node.nbytes, now)
            kernel = self._kernels.get(step)  # type: ignore[call-overload]
            for sink in kernel.partials if kernel else ():
                touch(sink, sink.node.nbytes * kernel.chunks, now)
            product = self._products.get(step)  # type: ignore[call-overload]
            if product and product.packed:
                touch(step, product.packed, now)
        owners = list(first)
        return owners, [Lifetime(size[o], first[o], last[o]) for o in owners]

    def _touched(self, step: Step) -> list[Node]:
        if isinstance(step, Group):
            stores = [
                s.node for s in step.sinks if s.output is None and s.write is None
            ]
            return [*step.reads, *stores]
        return [*step.reads, step.node]  # type: ignore[attr-defined]

    def _in_arena(self, node: Node) -> bool:
        elsewhere = ("input", "scalar", "constant", "call")
        here = node.op not in elsewhere and node not in self._output_of
        return here and node not in self._heirs

    def _address(self, owner: Any) -> tuple[int, int | None]:
        """A fixed address, or 0 and the slot of an array that a replay brings."""
        owner = self._heirs.get(owner, owner)
        if isinstance(owner, Sink):
            if owner.write is not None:
                return 0, self._input_of[owner.write]
            if owner in self._output_of:
                return 0, len(self.graph.inputs) + self._output_of[owner]
            owner = owner.node
        if owner in self._output_of:
            return 0, len(self.graph.inputs) + self._output_of[owner]
        if owner in self._input_of:
            return 0, self._input_of[owner]
        if owner.op == "constant":
            return self._constants[owner].ctypes.data, None
        return self._place[owner], None

    # --- code ------------------------------------------------------------------------

    def _compile(self) -> dict[Any, int]:
        """Addresses of kernels, and of those that combine partial results."""
        owners: list[Any] = []
        bodies: list[str] = []
        declarations: set[str] = set()
        for step, kernel in self._kernels.items():
            owners.append(step)
            bodies.append(kernel.body)
            declarations |= kernel.declarations
            for sink in kernel.partials:
                body, more = combining_kernel(sink.node.op, sink.node)
                owners.append(sink)
                bodies.append(body)
                declarations |= more
        return dict(zip(owners, compile_functions(bodies, declarations), strict=True))

    def _fill_tables(self) -> None:
        """Write the structures that `runtime` documents."""
        tables = Tables(len(self.graph.inputs) + len(self.graph.outputs))
        self._tables = tables
        launches = Launches(
            tables,
            self._kernels,
            self._products,
            self._addresses,
            self._place,
            self._address,
            (self._scratch.ctypes.data, self._scratch_each),
            self._runtime.addresses["batched"],
        )
        steps: list[int | Call] = []  # stretches by number
        self._call_seconds: dict[Step, float] = {}  # that they took the last time
        self._labels: list[tuple[int, int, Step]] = []  # first and last launch of steps
        for batch in self._batches:
            step = batch[0]
            if isinstance(step, Call):
                steps += [tables.end_stretch(), step]
                continue
            before = len(tables.launches)
            launches.add(batch)
            self._labels.append((before, len(tables.launches), step))
        steps.append(tables.end_stretch())
        self._has_calls = len(steps) > 1
        written = {target for target, _ in self.graph.writes}
        tables.finish(self.graph, written)
        self._program = tables.program.ctypes.data
        self._stretches = [
            step if isinstance(step, Call) else tables.stretch(step)
            for step in steps
            if isinstance(step, Call) or not tables.is_empty(step)
        ]
        if not self._has_calls:
            self._enter = self._runtime.enter

    # --- running ---------------------------------------------------------------------

    def run(self, inputs: Arrays) -> tuple[np.ndarray, ...]:
        inputs = tuple(inputs)
        with self._lock:
            outputs = self._fresh_outputs()
            self._replay(inputs, outputs)
        return outputs

    def _replay(self, inputs: Inputs, outputs: tuple[np.ndarray, ...]) -> None:
        if len(inputs) != len(self.graph.inputs):
            raise ValueError(
                f"expected {len(self.graph.inputs)} inputs, not {len(inputs)}"
            )
        if self._has_calls:
            self._replay_with_calls(inputs, outputs)
            return
        status = self._enter(self._program, inputs, outputs)
        if status > 0:
            conforming = self._conform(inputs)
            status = self._enter(self._program, conforming, outputs)
            self._write_back(inputs, conforming)
        if status or self._guard is not None:
            self._check(status)

    def _check(self, status: int) -> None:
        if status:
            raise IndexError("an index in a gather or scatter is out of range")
        if self._guard is not None:
            self._guard.check()

    def _conform(self, inputs: Inputs) -> Inputs:
        """Copies of the inputs in the memory layout that the program was made for."""
        return tuple(
            _laid_out(node, given)
            for node, given in zip(self.graph.inputs, inputs, strict=True)
        )

    def _write_back(self, inputs: Inputs, conforming: Inputs) -> None:
        for target, _ in self.graph.writes:
            i = self._input_of[target]
            if inputs[i] is not conforming[i]:
                inputs[i][...] = conforming[i]

    def _replay_with_calls(
        self, inputs: Inputs, outputs: tuple[np.ndarray, ...]
    ) -> None:
        conforming = inputs
        if self._runtime.prepare(self._program, inputs, outputs):
            conforming = self._conform(inputs)
            self._runtime.prepare(self._program, conforming, outputs)
        objects: dict[Node, Any] = {}
        with np.errstate(all="ignore"):
            for stretch in self._stretches:
                if isinstance(stretch, Call):
                    began = time.perf_counter()
                    self._run_call(stretch.node, objects, conforming, outputs)
                    self._call_seconds[stretch] = time.perf_counter() - began
                else:
                    self._check(self._runtime.replay(self._program, stretch))
        if conforming is not inputs:
            self._write_back(inputs, conforming)

    def _run_call(
        self,
        node: Node,
        objects: dict[Node, Any],
        inputs: Inputs,
        outputs: tuple[np.ndarray, ...],
    ) -> None:
        operands = [
            objects[x] if x.op == "call" else self._array(x, inputs, outputs)
            for x in node.inputs
        ]
        result = evaluate(node, operands)
        if node.op == "call":
            objects[node] = result
        else:
            self._array(node, inputs, outputs)[...] = result

    def _array(
        self, node: Node, inputs: Inputs, outputs: tuple[np.ndarray, ...]
    ) -> np.ndarray:
        """A node's memory as an array."""
        if node in self._input_of:
            return np.asarray(inputs[self._input_of[node]], dtype=node.dtype)
        if node in self._output_of:
            return outputs[self._output_of[node]]
        if node not in self._arrays:
            start = self._place[node] - self._arena.ctypes.data
            raw = self._arena[start : start + node.nbytes]
            self._arrays[node] = raw.view(node.dtype).reshape(node.shape)
        return self._arrays[node]

    def _fresh_outputs(self) -> tuple[np.ndarray, ...]:
        """Arrays for the outputs: the last ones where nobody holds them any more."""
        kept = self._outputs
        for i in range(len(kept)):
            if sys.getrefcount(kept[i]) > 2:  # more than the list and this argument
                kept[i] = np.empty_like(kept[i])
        return tuple(kept)

    # --- explaining ------------------------------------------------------------------

    def explain(self) -> str:
        """What runs, step by step, and how long each takes.

        Kernels are timed now, on numbers made up; calls were when they last ran.
        """
        steps, launches = len(self._steps), len(self._tables.launches)
        compiled = f"compiled in {self.compile_seconds * 1e3:.0f} ms"
        arena = f"arena {_size(self._arena.nbytes)}{self._tables.sharing()}"
        lines = [f"{steps} steps, {launches} launches, {compiled}, {arena}"]
        made_up = [
            _laid_out(node, np.full(node.shape, node.dtype.kind == "f", node.dtype))
            for node in self.graph.inputs
        ]
        measured = {step: taken for step, _, taken in self._measured(made_up, 5)}
        measured |= self._call_seconds
        for number, step in enumerate(self._steps):
            if isinstance(step, Call) and step.node.op == "result":
                continue  # in the line of its call
            mark = "" if isinstance(step, Call) else "″"  # in the launch above
            taken = f"{measured[step] * 1e6:.1f} µs" if step in measured else mark
            lines.append(f"{number:3} {taken:>10} {self._explain_step(step)}")
        return "\n".join(lines)

    def _explain_step(self, step: Step) -> str:
        if isinstance(step, Call):
            return f"call    {self._signature(step.node)}  (no kernel: runs in Python)"
        if isinstance(step, Product):
            node = step.node
            flops = 2 * node.size * node.inputs[0].shape[-1]
            left, right = (list(x.shape) for x in node.inputs)
            return f"matmul  {left} @ {right}  {flops:,} flops"
        assert isinstance(step, Group)
        kernel = self._kernels[step]
        nodes = {n for n in step.nodes if n.kind not in ("source", "view")}
        nodes |= {sink.node for sink in step.sinks}
        ops = [n.op for n in sorted(nodes - step.reads, key=lambda n: n.number)]
        facts = [
            f"kernel  {' '.join(ops)}  over {list(step.sizes)}",
            f"{kernel.phases} phases",
            f"{kernel.chunks} chunks",
            _size(kernel.nbytes),
            f"{kernel.flops:,} flops",
        ]
        return ", ".join(facts)

    def _signature(self, node: Node) -> str:
        """What is called with which arrays, and what it returns."""
        made = [x for x in self.graph.nodes if x.op == "result" and x.inputs == (node,)]
        results = ", ".join(map(type_of, made or [node]))
        operands = ", ".join(map(type_of, node.inputs))
        name = node.params["function"].__name__ if node.op == "call" else node.op
        return f"{name}({operands}) -> {results}"

    def times(self, inputs: Arrays, repeat: int = 20) -> list[tuple[str, float]]:
        """The median seconds of each native step on ``inputs`` (writes are done)."""
        return [(text, taken) for _, text, taken in self._measured(inputs, repeat)]

    def _measured(self, inputs: Arrays, repeat: int) -> list[tuple[Step, str, float]]:
        """The same, with the steps; those of a batch count as its first."""
        outputs = self._fresh_outputs()
        result = []
        with self._lock:
            if self._runtime.prepare(self._program, tuple(inputs), outputs):
                raise ValueError("the inputs do not have the layout compiled for")
            shared = self._runtime.threads > 1
            for first, last, step in self._labels:
                samples = []
                launches = self._tables.launch_address(first)
                for _ in range(repeat):
                    start = time.perf_counter()
                    self._runtime.run(self._program, launches, last - first, shared)
                    samples.append(time.perf_counter() - start)
                taken = float(np.median(samples))
                result.append((step, self._explain_step(step), taken))
        return result


def _size(nbytes: int) -> str:
    return f"{nbytes / 1e6:.2f} MB" if nbytes >= 1e5 else f"{nbytes} B"


def _laid_out(node: Node, given: Any) -> Any:
    """An input as the native code takes it: the array itself where it fits."""
    if node.op == "scalar":
        return float(given)
    array = conforming(node, given)
    strides = node.params.get("strides")
    if strides is None:
        return np.require(array, requirements=["C", "A", "W"])
    length = 1 + sum((n - 1) * abs(s) for n, s in zip(node.shape, strides, strict=True))
    memory = np.empty(length, node.dtype)
    bytes_ = [s * node.dtype.itemsize for s in strides]
    start = sum(-(n - 1) * s for n, s in zip(node.shape, strides, strict=True) if s < 0)
    view = np.lib.stride_tricks.as_strided(memory[start:], node.shape, bytes_)
    view[...] = array
    return view
