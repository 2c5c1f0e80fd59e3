"""The arrays of words that `runtime` reads: launches, bindings, patches."""

from __future__ import annotations

from typing import Any

import numpy as np

from .emit import is_native
from .graph import Graph, Node

_ALIGNED, _WRITEABLE = 0x0100, 0x0400  # NumPy's array flags
_WAKING_NS = 100e3  # to wake a sleeping thread takes about as long
_SHARING_NS = 1e3  # less is done sooner than a worker has noticed
_JUDGED_NS = 1e6  # stretches of more work are shared without looking whether it pays
_LESSONS = 3  # lone runs that show how long those take; the first is a cold one
_ALL, _ALONE, _AWAKE = 0, 1, 2


class Tables:
    """The arrays of words that the runtime reads."""

    def __init__(self, slots: int) -> None:
        self.program = np.zeros(8, np.int64)
        self.error_address = self.program.ctypes.data + 56
        self.slots = np.zeros(max(1, slots), np.int64)
        self.values = np.zeros(max(1, slots), np.float64)
        self.launches: list[list[int]] = []
        self._arguments: list[np.ndarray] = []
        self._patches: list[list[int]] = []
        self._keep: list[np.ndarray] = []
        self._work: list[float] = []  # what is shared of each launch's
        self._stretches: list[tuple[int, int]] = []

    def launch(
        self,
        function: int,
        arguments: list[Any],
        chunks: int,
        scratch: int,
        each: int,
        work: float,
    ) -> None:
        """Add a launch; ``work`` (nanoseconds) decides who takes part in it.

        Tiny launches run alone. Sleeping threads are woken where a launch is worth it,
        or where those of a whole stretch are; small ones do without them.
        """
        words = self.words(arguments)
        small = chunks == 1 or work < _SHARING_NS
        who = _ALONE if small else _ALL if work > _WAKING_NS else _AWAKE
        self.launches.append([function, words, chunks, scratch, each, who])
        self._work.append(work * (who != _ALONE))

    def end_stretch(self) -> int:
        """End a stretch of launches that run without a break; return its number."""
        start = self._stretches[-1][1] if self._stretches else 0
        self._stretches.append((start, len(self.launches)))
        return len(self._stretches) - 1

    def stretch(self, number: int) -> int:
        """The address of a stretch, when the tables are finished."""
        return self._at[0] + 48 * number

    def launch_address(self, number: int) -> int:
        """The address of a launch, when the tables are finished."""
        return self._at[1] + 48 * number

    def words(self, arguments: list[Any]) -> int:
        """The address of a kernel's arguments in memory that replays fill in."""
        words = np.zeros(max(1, len(arguments)), np.int64)
        for i, argument in enumerate(arguments):
            if isinstance(argument, tuple):
                slot, offset = argument
                where = words.ctypes.data + 8 * i
                self._patches.append([where, self.slots.ctypes.data + 8 * slot, offset])
            else:
                words[i] = argument
        self._arguments.append(words)
        return words.ctypes.data

    def finish(self, graph: Graph, written: set[Node]) -> None:
        inputs = self._table(
            [self._binding(i, n, n in written) for i, n in enumerate(graph.inputs)], 8
        )
        count = len(graph.inputs)
        outputs = self._table(
            [self._output_binding(count + i) for i in range(len(graph.outputs))], 8
        )
        patches = self._table(self._patches, 3)
        stretches = [self._stretch(*bounds) for bounds in self._stretches]
        launches = self._table(self.launches, 6)
        for row in stretches:
            row[0] = launches + 48 * row[0]
        self._at = self._table(stretches, 6), launches
        self.program[:7] = [
            count,
            inputs,
            len(graph.outputs),
            outputs,
            len(self._patches),
            patches,
            self._at[0],
        ]

    def _stretch(self, start: int, stop: int) -> list[int]:
        work = sum(self._work[start:stop])
        if work > _WAKING_NS:
            shared = (x for x in self.launches[start:stop] if x[-1] != _ALONE)
            next(shared)[-1] = _ALL
        judged = 0 < work < _JUDGED_NS
        return [start, stop - start, judged, 1 << 60, 0, _LESSONS]

    def _table(self, rows: list[list[int]], width: int) -> int:
        table = np.array(rows, np.int64).reshape(len(rows), width)
        self._keep.append(table)
        return table.ctypes.data

    def _slot(self, number: int) -> int:
        return self.slots.ctypes.data + 8 * number

    def _output_binding(self, number: int) -> list[int]:
        return [2, id(np.ndarray), 0, 0, 0, 0, self._slot(number), 0]

    def _binding(self, number: int, node: Node, is_written: bool) -> list[int]:
        slot, value = self._slot(number), self.values.ctypes.data + 8 * number
        if node.op == "scalar":
            return [1, id(float), 0, 0, 0, 0, slot, value]
        strides = node.params.get("strides")
        if strides is None:
            strides = np.empty(node.shape, np.int8).strides if node.size else node.shape
        bytes_ = [s * node.dtype.itemsize for s in strides]
        expected = np.array([*node.shape, *bytes_], np.int64)
        self._keep.append(expected)
        flags = _ALIGNED | (_WRITEABLE if is_written else 0)
        dtype = np.dtype(node.dtype.type) if is_native(node.dtype) else node.dtype
        self._keep_dtype = dtype
        return [
            0,
            id(np.ndarray),
            id(dtype),
            len(node.shape),
            flags,
            expected.ctypes.data,
            slot,
            0,
        ]
