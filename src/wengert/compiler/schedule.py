"""Which nodes are computed together: a graph becomes a list of steps.

The idea: most nodes never exist in memory. Only a *sink* does: a reduction's result, or
a node that must be stored (an output, a write, an operand of a matrix product). All
else (elementwise ops, views, ``iota``, ``gather``) is recomputed inside of whoever
needs it, from *leaves*: inputs, constants and stored nodes.

A `Group` is one kernel: sinks over one iteration space, whose axes are split in two:

- *inner* axes are those that its row reductions fold. For each point of the outer axes
  (a *row*) the kernel passes over the inner axes, in as many *phases* as reductions
  depend on one another (softmax has three), and the row stays in cache.
- column and full reductions fold outer axes. Their results exist when all rows are
  done, so what needs them goes to another group.

Groups grow greedily: each sink, in the graph's order, joins a group with the same
iteration space that computes what it needs or reads what it reads, if that makes no
cycle. What `schedule` learns on the way (a node must be stored, as a place in it is not
affine; a node is dear and two groups need it; an expression is too large for a kernel)
starts it over with that knowledge.

Everything that has no loop kernel is a step of its own: matrix products and calls.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from math import prod

from .graph import Graph, Node
from .groups import (
    OUTER,
    ROW,
    SMALL,
    STORE,
    Call,
    Group,
    Product,
    Sink,
    Step,
    axes_for,
    is_fused,
    is_loop,
    reduction_kind,
    result_place,
    settle_axes,
)
from .index import Dynamic, Index, Place, natural_place, through_view
from .layout import is_product, memory_of

LARGEST_GROUP = 400  # node-place pairs
DEAR = 20  # operations: rather stored than computed twice


@dataclass
class Schedule:
    """Steps in the order of running, and which nodes lie in memory."""

    graph: Graph
    steps: list[Step]
    stored: set[Node]
    makers: dict[Node, Step]


class _MustStore(Exception):
    def __init__(self, node: Node) -> None:
        self.node = node


class _Unfit(Exception):
    """A sink cannot be computed in a group."""


class _TooLarge(Exception):
    """The expression under a sink is too large for a kernel of its own."""

    def __init__(self, root: Node) -> None:
        self.root = root


def schedule(graph: Graph) -> Schedule:
    """Assign every needed node to a step."""
    stored = set(_operands_in_memory(graph))
    while True:
        scheduler = _Scheduler(graph, stored)
        try:
            scheduler.assign()
        except _MustStore as need:
            if need.node in stored:
                message = f"{need.node.describe()} is stored already"
                raise AssertionError(message) from None
            stored |= {need.node, *scheduler.computed_twice()}
            continue
        except _TooLarge as found:
            stored |= scheduler.computed_twice() or scheduler.cuts(found.root)
            continue
        dear = scheduler.computed_twice()
        if not dear:
            return Schedule(
                graph, scheduler.ordered(), scheduler.in_memory, scheduler.maker
            )
        stored |= dear


def _operands_in_memory(graph: Graph) -> Iterator[Node]:
    """What steps other than loops read, and the outputs that loops compute."""
    yield from (node for node in graph.outputs if node.kind != "view" and is_loop(node))
    for node in graph.nodes:
        if node.kind == "source" or is_loop(node):
            continue
        for operand in node.inputs:
            yield memory_of(operand) if is_product(node) else operand


class _Scheduler:
    """One attempt; `schedule` repeats it with more nodes in ``stored``."""

    def __init__(self, graph: Graph, stored: set[Node]) -> None:
        self.graph = graph
        self.in_memory = set(stored)
        self.steps: list[Step] = []
        self.maker: dict[Node, Step] = {}
        self.writer: dict[Node, Group] = {}
        self.before: dict[Step, set[Step]] = {}

    # --- assignment ------------------------------------------------------------------

    def assign(self) -> None:
        needed = self._needed()
        for node in self.graph.nodes:
            if node not in needed or (node.kind == "source" and node.op != "iota"):
                continue
            if not is_loop(node):
                self._add_extern(node)
            elif node.kind == "reduction":
                self._add_reduction(node)
            elif node in self.in_memory:
                self._add_store(Sink(node, STORE, ()))
        self._add_outputs()
        self._add_writes()

    def _needed(self) -> set[Node]:
        live = set(self.graph.results())
        for node in reversed(self.graph.nodes):
            if node in live:
                live.update(node.inputs)
        return live

    def _add_extern(self, node: Node) -> None:
        make = Product if is_product(node) else Call
        step = make(len(self.steps), node=node)
        self._insert(step)
        for operand in node.inputs:
            base = memory_of(operand) if isinstance(step, Product) else operand
            step.reads.add(base)
            self._depend(step, self._makers([base]))
        self.maker[node] = step
        self.in_memory.add(node)

    def _add_outputs(self) -> None:
        taken: set[Node] = set()
        for number, node in enumerate(self.graph.outputs):
            sink = self._own_sink(node)
            if sink is not None and node not in taken:
                sink.output = number
                taken.add(node)
            elif (
                isinstance(self.maker.get(node), (Product, Call)) and node not in taken
            ):
                taken.add(node)  # the program lets the step write into the output
            else:
                self._add_store(Sink(node, STORE, (), output=number))

    def _own_sink(self, node: Node) -> Sink | None:
        step = self.maker.get(node)
        if not isinstance(step, Group):
            return None
        return next((s for s in step.sinks if s.node is node and s.write is None), None)

    def _add_writes(self) -> None:
        for target, value in self.graph.writes:
            try:
                self._add_store(Sink(value, STORE, (), write=target))
            except AssertionError:  # it reads elsewhere what it overwrites
                raise _MustStore(value) from None

    def _insert(self, step: Step) -> None:
        self.steps.append(step)
        self.before[step] = set()

    def _makers(self, nodes: Iterable[Node]) -> set[Step]:
        return {self.maker[node] for node in nodes if node in self.maker}

    def _depend(self, step: Step, on: set[Step]) -> None:
        """Let ``step`` run after ``on``, and keep ``before`` transitive."""
        on = on - {step}
        step.after |= on
        extra = set(on)
        for other in on:
            extra |= self.before[other]
        for other in self.steps:
            if other is step or step in self.before[other]:
                self.before[other] |= extra

    # --- sinks -----------------------------------------------------------------------

    def _add_reduction(self, node: Node) -> None:
        (x,) = node.inputs
        self._join_or_open(Sink(node, ROW, ()), x)

    def _add_store(self, sink: Sink) -> None:
        if sink.node.size:
            self._join_or_open(sink, sink.node)
        if sink.output is None and sink.write is None:
            self.in_memory.add(sink.node)

    def _join_or_open(self, sink: Sink, x: Node) -> None:
        """Put a sink over ``x``'s elements into the best group, or a new one."""
        sizes = tuple(n for n in x.shape if n != 1)
        reach = self._reach(x)
        earlier: set[Step] = set()  # what has to be done before the sink can be
        for step in self._makers(reach):
            earlier |= self.before[step]
        for group in reversed(self.steps):
            if (
                isinstance(group, Group)
                and axes_for(group, sizes) is not None
                and group not in earlier
                and _may_share(group, sink, reach)
                and self._join(group, sink, x, sizes)
            ):
                return
        group = Group(len(self.steps), sizes=sizes)
        self._insert(group)
        if not self._join(group, sink, x, sizes):
            raise AssertionError(f"{sink.node.describe()} fits no group")

    def _reach(self, root: Node) -> set[Node]:
        """The nodes of the expression under a sink, without regard to places."""
        seen: set[Node] = set()
        stack = [root]
        while stack:
            node = stack.pop()
            if node not in seen:
                seen.add(node)
                if is_fused(node) and node not in self.maker:
                    stack.extend(node.inputs)
        return seen

    def _join(self, group: Group, sink: Sink, x: Node, sizes: tuple[int, ...]) -> bool:
        axes = axes_for(group, sizes)
        if axes is None:
            return False
        place = natural_place(x.shape, axes)
        kind = sink.kind
        if kind != STORE:
            kind = reduction_kind(group, sink.node, axes) or ""
            if not kind:
                return False
        walk = _Walk(self, group)
        try:
            walk.visit(x, place)
        except _Unfit:
            return False
        if group.sinks and not self._belongs(group, walk, kind):
            return False
        needs = self._makers(walk.loads) - {group}
        if sink.write is not None:
            needs |= self._readers(sink.write) - {group}
            if not _overwrites_in_place(group, walk, sink, place):
                return False
        if any(group in self.before[other] for other in needs):
            return False
        if group.sinks and self._would_wait(group, walk, needs, kind):
            return False
        late = {self.writer[n] for n in walk.loads if n in self.writer} - {group}
        if late & (needs | self.before[group]):
            return False
        sink.kind, sink.place = kind, place
        self._accept(group, sink, walk, needs, axes)
        for writer in late:  # it must find the input as it was
            self._depend(writer, {group})
        return True

    def _would_wait(
        self, group: Group, walk: _Walk, needs: set[Step], kind: str
    ) -> bool:
        """Whether something small that needs inputs alone would wait for other steps.

        Such are the counts of a loss's targets: who needs them may be one of those
        steps, and can then do forward and backward in one pass.
        """
        if walk.reductions and not needs:
            return False
        if prod(group.sizes) > SMALL:
            return kind == OUTER and not needs
        return bool(self.before[group]) != bool(needs)

    def _readers(self, node: Node) -> set[Step]:
        return {step for step in self.steps if node in step.reads}

    def _belongs(self, group: Group, walk: _Walk, kind: str) -> bool:
        """Whether a sink shares work or memory with a group."""
        if not group.sizes and not walk.size:
            return True
        if walk.reductions:
            return True
        shared = {node for node, _ in walk.seen} & group.nodes
        if any(node.size > 1 for node in shared):
            return True
        elements = prod(group.sizes)  # a row's sum of next to nothing may ride along
        return kind == ROW and all(8 * node.size <= elements for node in walk.loads)

    def _accept(
        self,
        group: Group,
        sink: Sink,
        walk: _Walk,
        needs: set[Step],
        axes: tuple[int, ...],
    ) -> None:
        node = sink.node
        group.sinks.append(sink)
        group.walked |= walk.seen
        group.nodes |= {n for n, _ in walk.seen}
        group.reads |= walk.loads
        group.loaded |= walk.loaded
        group.aliases.update(walk.aliases)
        self._depend(group, needs)
        self.in_memory |= {n for n in walk.loads if n.kind == "reduction"}
        if sink.kind != STORE:
            self.maker[node] = group
            settle_axes(group, sink, axes)
            if sink.is_final:
                self.in_memory.add(node)
            else:
                group.places[node] = result_place(node, sink.place)
        elif sink.output is None and sink.write is None:
            self.maker[node] = group
            group.places[node] = sink.place
        if sink.write is not None:
            self.writer[sink.write] = group

    # --- what was learnt -------------------------------------------------------------

    def computed_twice(self) -> set[Node]:
        """Dear nodes that several groups compute: better stored."""
        users: dict[Node, list[Group]] = {}
        for step in self.steps:
            if isinstance(step, Group):
                elements = prod(step.sizes)
                for node in step.nodes:
                    if node.size < 8 * elements:  # else it picks a few, by a gather
                        users.setdefault(node, []).append(step)
        dear = set()
        for node, groups in users.items():
            if not is_fused(node) or node.kind != "elementwise" or node in self.maker:
                continue
            lone = node.size == 1 and any(group.sizes for group in groups)
            if (len(groups) > 1 or lone) and self._is_dear(node):
                dear.add(node)
        return {n for n in dear if not self._only_inside(n, dear)}

    def _is_dear(self, node: Node) -> bool:
        seen: set[Node] = set()
        cost, leaves = 0, 0
        stack = [node]
        while stack:
            x = stack.pop()
            if x in seen:
                continue
            seen.add(x)
            if x in self.in_memory or x.kind in ("source", "reduction", "other"):
                leaves += x.size > 1 and x.op not in ("constant", "iota")
                continue
            cost += x.info.cost
            stack.extend(x.inputs)
        return cost >= DEAR or (leaves >= 3 and node.size > 1)

    def cuts(self, root: Node) -> set[Node]:
        """Return what to store of an expression so that each part fits a kernel."""
        reach = self._reach(root)
        parts: dict[Node, set[Node]] = {}  # of each node, what its kernel computes
        cuts, last = set(), root
        for node in self.graph.nodes:
            if node not in reach:
                continue
            parts[node] = {node}.union(*[parts[x] for x in node.inputs if x in parts])
            if node.kind != "elementwise" or node is root or node in self.maker:
                continue
            last = node
            if len(parts[node]) > LARGEST_GROUP // 2:
                cuts.add(node)
                parts[node] = {node}
        return cuts or {last}

    def _only_inside(self, node: Node, dear: set[Node]) -> bool:
        """Whether all users of a dear node are dear as well (then they are stored)."""
        users = [n for n in self.graph.nodes if node in n.inputs]
        return bool(users) and all(user in dear for user in users)

    def ordered(self) -> list[Step]:
        """The steps as they were made, as far as ``after`` allows."""
        done: set[Step] = set()
        result: list[Step] = []
        pending = list(self.steps)
        while pending:
            ready = next(step for step in pending if step.after <= done)
            pending.remove(ready)
            done.add(ready)
            result.append(ready)
        return result


class _Walk:
    """The expression under a sink: what it reads, if a group can compute it."""

    def __init__(self, scheduler: _Scheduler, group: Group) -> None:
        self.scheduler = scheduler
        self.group = group
        self.seen: set[tuple[Node, Place]] = set()
        self.loads: set[Node] = set()
        self.aliases: dict[Node, Node] = {}
        self.loaded: set[tuple[Node, Place]] = set()
        self.reductions: set[Node] = set()
        self.size = 0

    def visit(self, root: Node, place: Place) -> None:
        self.size = root.size > 1
        room = LARGEST_GROUP - len(self.group.walked)
        stack = [(root, place)]
        while stack:
            item = stack.pop()
            if item in self.seen:
                continue
            if len(self.seen) >= room:
                raise _Unfit if self.group.sinks else _TooLarge(root)
            self.seen.add(item)
            stack.extend(self._operands(*item))

    def _operands(self, node: Node, place: Place) -> list[tuple[Node, Place]]:
        if node.op == "constant":
            return []
        here = self.group.places.get(node)
        if here is not None:
            if here != place:
                raise _Unfit
            if node.kind == "reduction":
                self.reductions.add(node)
                return []
            return [] if node.kind != "elementwise" else self._inside(node, place)
        if self._is_leaf(node):
            if self.scheduler.maker.get(node) is self.group:
                raise _Unfit
            self.loads.add(node)
            self.loaded.add((node, place))
            return []
        return self._inside(node, place)

    def _inside(self, node: Node, place: Place) -> list[tuple[Node, Place]]:
        if node.op == "iota":
            return []
        if node.kind == "view":
            inner = through_view(node, place, self.group.sizes)
            if inner is None:
                return self._reinterpret(node)
            return [(node.inputs[0], inner)]
        if node.op == "gather":
            x, index = node.inputs
            dim = node.params["dim"]
            dynamic = Dynamic(index, place, x.shape[dim])
            inner = (*place[:dim], Index(0, ((dynamic, 1),)), *place[dim + 1 :])
            return [(index, place), (x, inner)]
        return [(x, place) for x in node.inputs]

    def _reinterpret(self, node: Node) -> list[tuple[Node, Place]]:
        """A reshape that no affine place goes through: memory seen in another shape."""
        base = node
        while base.op == "reshape":
            (base,) = base.inputs
        if not self._is_leaf(base) or "strides" in base.params:
            raise _MustStore(base)
        if self.scheduler.maker.get(base) is self.group:
            raise _Unfit
        self.aliases[node] = base
        self.loads.add(base)
        self.loaded.add((base, ()))
        return []

    def _is_leaf(self, node: Node) -> bool:
        return not is_fused(node) or node in self.scheduler.maker


def _may_share(group: Group, sink: Sink, reach: set[Node]) -> bool:
    """Whether a sink may share work or memory with a group: a quick look ahead."""
    if not group.sizes or sink.kind != STORE:
        return True
    if any(node.size > 1 for node in reach & group.nodes):
        return True
    return not reach.isdisjoint(group.places)


def _overwrites_in_place(group: Group, walk: _Walk, sink: Sink, place: Place) -> bool:
    """Whether a group reads the input it overwrites only where it writes it."""
    loaded = group.loaded | walk.loaded
    return all(p == place for n, p in loaded if n is sink.write)
