"""Kernels of groups that are alike are written once: `build_kernels`.

An optimizer does the same with hundreds of parameters. Their groups differ in how many
elements there are, which is an argument of such a kernel, and in where these lie. So
the text of the first serves all others; only its arguments are made anew.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping
from dataclasses import replace
from math import prod
from typing import Any

from .graph import Node
from .groups import STORE, Group, Sink
from .index import ZERO, Place, axis
from .kernels import Kernel, build_kernel, bytes_of, cut, flops_of
from .values import Argument


def build_kernels(
    groups: Iterable[Group],
    stored: set[Node],
    rows: Mapping[Any, int] | None = None,
) -> dict[Group, Kernel]:
    """Write the kernels of groups.

    Args:
        groups: what to compute.
        stored: the nodes that others read.
        rows: how many rows of a matrix each chunk has, for groups where that is given.
    """
    known: dict[Hashable, tuple[Kernel, Dense]] = {}
    result = {}
    for group in groups:
        dense = Dense(group)
        if rows and group in rows:
            kernel = build_kernel(group, stored, rows[group])
        elif dense.key in known:
            kernel = adapted(*known[dense.key], dense)
        else:
            kernel = build_kernel(group, stored)
            if dense.key is not None:
                known[dense.key] = kernel, dense
        result[group] = kernel
    return result


def adapted(kernel: Kernel, old: Dense, new: Dense) -> Kernel:
    """The kernel of one group for another that is alike."""
    owner_of: dict[object, object] = dict(zip(old.owners, new.owners, strict=True))
    elements = prod(new.group.sizes)
    estimate, chunks, each = cut(new.group, 1, elements, flat=True)
    arguments: list[Argument | int] = [
        replace(argument, owner=owner_of[argument.owner])
        for argument in kernel.arguments
        if isinstance(argument, Argument)
    ]
    return replace(
        kernel,
        group=new.group,
        arguments=[*arguments, elements, each],
        chunks=chunks,
        estimate=estimate,
        flops=flops_of(new.group, elements),
        nbytes=bytes_of(new.group),
    )


class _Other(Exception):
    """A group that is not dense."""


class Dense:
    """What the text of a group's kernel depends on, if it reads and writes densely.

    All accesses are to whole contiguous arrays, element by element, or to lone numbers.
    """

    def __init__(self, group: Group) -> None:
        self.group = group
        self.owners: list[Node | Sink] = []
        self.key: Hashable | None = None
        self._numbers: dict[Node, int] = {}
        self._rows: list[Hashable] = []
        self._axes = tuple(axis(a) for a in range(len(group.sizes)))
        try:
            if group.aliases or not group.sizes:
                raise _Other
            for sink in group.sinks:
                self._add_sink(sink)
        except _Other:
            return
        self.key = tuple(self._rows)

    def _add_sink(self, sink: Sink) -> None:
        strided = sink.write is not None and "strides" in sink.write.params
        if sink.kind != STORE or strided:
            raise _Other
        number = self._number(sink.node, sink.place)
        self.owners.append(sink)
        self._rows.append((number, sink.write is not None))

    def _number(self, node: Node, place: Place) -> int:
        """The number of a node; its row says what is computed of which numbers."""
        if node in self._numbers:
            return self._numbers[node]
        terms = tuple(index for index in place if index != ZERO)
        lone = node.size == 1
        if terms != (() if lone else self._axes) or "strides" in node.params:
            raise _Other
        row: tuple[Hashable, ...] = (node.op, node.dtype.str, lone)
        if node.op == "constant" and lone:
            row = (*row, node.params["value"].tobytes())
        elif node in self.group.reads or (node.kind == "source" and node.op != "iota"):
            self.owners.append(node)
        elif node.kind == "view":
            (x,) = node.inputs
            if x.size != 1:
                raise _Other
            row = (*row, self._number(x, (ZERO,) * len(x.shape)))
        elif node.kind == "elementwise":
            row = (*row, *[self._number(x, place) for x in node.inputs])
        else:
            raise _Other
        self._numbers[node] = len(self._rows)
        self._rows.append(row)
        return self._numbers[node]
