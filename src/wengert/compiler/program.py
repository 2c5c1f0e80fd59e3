"""A compiled graph that can be run: `compile_graph` and `Program`.

With the ``llvm`` backend a replay is one foreign call: `runtime` checks the arrays,
fills in their addresses and runs the launches. Steps that need Python (calls) split
the launches into stretches. Memory inside of the program is one arena, kept between
replays; output arrays are used again once nobody else holds them.

With the ``numpy`` backend the nodes run one by one, and llvmlite is not needed.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ..dtypes import with_common_dtype
from .emit import is_native
from .graph import Graph, Node
from .passes import optimize

Arrays = Sequence[Any]


class Program:
    """A graph made ready to run; see `compile_graph`."""

    graph: Graph
    fails_early = False
    """Whether an index out of range is found before anything is written."""

    def run(self, inputs: Arrays) -> tuple[np.ndarray, ...]:
        """Replay: read ``inputs``, do the writes, return the outputs.

        Args:
            inputs: an array for each ``graph.input`` and a number for each
                ``graph.scalar``, in their order.

        Returns:
            The outputs. A later replay may use the memory of an output that nobody
            holds any more.

        Raises:
            TypeError: an array's dtype is not the one compiled for.
            ValueError: its shape is not, or the number of inputs.
            IndexError: an index in a gather or scatter is out of range.
        """
        raise NotImplementedError

    def explain(self) -> str:
        """What runs, step by step: kernels and what each fuses, bytes, flops, times."""
        raise NotImplementedError


def compile_graph(
    graph: Graph, backend: str = "llvm", guarded: bool = False
) -> Program:
    """Make a program of a graph.

    Args:
        graph: the graph; it is not changed, and must not change any more.
        backend: ``"llvm"`` for machine code (needs llvmlite), ``"numpy"`` to run
            node by node.
        guarded: for tests: put poisoned bytes around every buffer of the program, and
            fail where a kernel wrote to them.

    Raises:
        ImportError: llvmlite is not installed; the message says what to install.

    >>> graph = Graph()
    >>> x = graph.input(((3,), "float64"))
    >>> graph.outputs = [graph.sum(graph.add("mul", [x, x]))]
    >>> compile_graph(graph, backend="numpy").run([np.arange(3.0)])
    (array(5.),)
    """
    if backend == "numpy":
        return NumpyProgram(optimize(graph))
    if backend == "llvm":
        from .native import NativeProgram

        return NativeProgram(optimize(graph), guarded)
    raise ValueError(f"backend must be 'llvm' or 'numpy', not {backend!r}")


def suited_program(graph: Graph, backend: str) -> Program:
    """Make a program; through NumPy if the graph holds what kernels are not for.

    These are arrays without elements, and results that are inputs of a dtype which
    kernels do not know.
    """
    handed_on = [node for node in graph.results() if node.op in ("input", "constant")]
    suits = all(node.size for node in graph.nodes) and all(
        is_native(node.dtype) for node in handed_on
    )
    return compile_graph(graph, backend if suits else "numpy")


class NumpyProgram(Program):
    """Runs a graph's nodes one by one."""

    def __init__(self, graph: Graph) -> None:
        self.graph = graph

    def run(self, inputs: Arrays) -> tuple[np.ndarray, ...]:
        values: dict[Node, Any] = {
            node: conforming(node, given)
            for node, given in zip(self.graph.inputs, inputs, strict=True)
        }
        with np.errstate(all="ignore"):
            for node in self.graph.nodes:
                if node not in values:
                    values[node] = evaluate(node, [values[x] for x in node.inputs])
        outputs = tuple(np.array(values[node]) for node in self.graph.outputs)
        written = [np.array(values[value]) for _, value in self.graph.writes]
        places = dict(zip(self.graph.inputs, inputs, strict=True))
        for (target, _), value in zip(self.graph.writes, written, strict=True):
            places[target][...] = value
        return outputs

    def explain(self) -> str:
        return f"{len(self.graph.nodes)} nodes, one by one in NumPy\n{self.graph}"


def evaluate(node: Node, operands: list[Any]) -> Any:
    """One node in NumPy."""
    result = node.info.run(*operands, **node.params)
    return result if node.op == "call" else np.asarray(result, dtype=node.dtype)


def conforming(node: Node, given: Any) -> np.ndarray:
    """An input as the array that a node stands for."""
    if node.op == "scalar":
        return np.asarray(given, dtype=node.dtype)
    name = node.params["name"]
    if not isinstance(given, np.ndarray) or given.dtype != node.dtype:
        found = getattr(given, "dtype", type(given).__name__)
        raise TypeError(f"input {name}: expected {node.dtype}, not {found}")
    if given.shape != node.shape:
        raise ValueError(
            f"input {name}: expected shape {node.shape}, not {given.shape}"
        )
    return with_common_dtype(given)
