"""Steps as launches: what a program writes into the tables that `runtime` reads."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from . import gemm, products
from .epilogues import fetched_ahead
from .groups import Group, Product, Step
from .kernels import Kernel
from .tables import Tables
from .values import Argument

Job = tuple[int, list[Any], int]  # a kernel, its arguments, chunks


class Launches:
    """Adds launches to tables.

    ``addresses`` are those of code, by groups and sinks; ``place`` those of memory that
    the program has for itself. ``locate`` finds that of a node or a sink, or the slot
    of an array that a replay brings. ``scratch`` is the memory of threads: an address,
    and how many bytes each has. ``batched`` is the kernel that runs others.
    """

    def __init__(
        self,
        tables: Tables,
        kernels: dict[Group, Kernel],
        plans: dict[Product, products.Product],
        addresses: dict[Any, int],
        place: dict[Any, int],
        locate: Callable[[Any], tuple[int, int | None]],
        scratch: tuple[int, int],
        batched: int,
    ) -> None:
        self.tables = tables
        self.kernels = kernels
        self.plans = plans
        self.addresses = addresses
        self.place = place
        self.locate = locate
        self.scratch = scratch
        self.batched = batched

    def add(self, batch: list[Step]) -> None:
        """Add what is done together: kernels, or products, or one with its epilogue."""
        found = [step for step in batch if isinstance(step, Product)]
        groups = [step for step in batch if isinstance(step, Group)]
        if found:
            jobs = [self._product(step) for step in found]
        else:
            jobs = [self._kernel(step) for step in groups]
        work = sum(self.plans[step].nanoseconds for step in found)
        work += sum(self.kernels[step].estimate for step in groups)
        self._launch(jobs, work)
        for group in groups:
            self._fold(self.kernels[group])

    def _launch(self, jobs: list[Job], work: float) -> None:
        if len(jobs) == 1:
            self.tables.launch(*jobs[0], *self.scratch, work)
            return
        entries: list[Any] = []
        for function, arguments, chunks in jobs:
            words = self.tables.words(arguments)
            for chunk in range(chunks):
                entries += [function, words, chunk]
        every = len(entries) // 3
        self.tables.launch(self.batched, entries, every, *self.scratch, work)

    def _kernel(self, group: Group) -> Job:
        kernel = self.kernels[group]
        return self.addresses[group], self._resolved(kernel.arguments), kernel.chunks

    def _product(self, step: Product) -> Job:
        """The product itself; the packing of its right operand comes before."""
        plan = self.plans[step]
        if step.epilogue:
            self._tell(plan, step, step.epilogue)
        arguments = self._resolved(plan.arguments(self.place.get(step, 0)))
        functions = gemm.functions(plan.kind)
        if plan.packed:
            self._launch([(functions["pack"], arguments, plan.packs)], plan.nanoseconds)
        return functions["multiply"], arguments, plan.chunks

    def _tell(self, plan: products.Product, step: Product, group: Group) -> None:
        """Write into a product's arguments what its chunks end with."""
        function, arguments, _ = self._kernel(group)
        plan.words["epilogue"] = function
        plan.words["epilogue_args"] = self.tables.words(arguments)
        for i, node in enumerate(fetched_ahead(step)):
            plan.words[f"ahead{i}"] = Argument("node", node)

    def _fold(self, kernel: Kernel) -> None:
        """Fold what a kernel's chunks have left of final reductions."""
        for sink in kernel.partials:
            where, chunks = self.place[sink], kernel.chunks
            arguments = [Argument("sink", sink), where, sink.node.size, chunks]
            self._launch([(self.addresses[sink], self._resolved(arguments), 1)], 0.0)

    def _resolved(self, arguments: Sequence[Any]) -> list[Any]:
        """Arguments as numbers, or as ``(slot, offset)`` where a replay brings them."""
        return [
            self._word(argument) if isinstance(argument, Argument) else argument
            for argument in arguments
        ]

    def _word(self, argument: Argument) -> Any:
        if argument.what == "error":
            return self.tables.error_address
        if argument.what == "partial":
            return self.place[argument.owner]
        address, slot = self.locate(argument.owner)
        if slot is None:
            return address + argument.offset
        return slot, argument.offset
