"""The table of workloads: what is run, and what is to be reached."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from . import data, formulas, training


@dataclass(frozen=True)
class Workload:
    """A program, for Wengert and PyTorch; `in_jax` has one of the same name.

    `targets` are the least ratios of a contender's time (``best`` stands for the
    quickest of the peers) to that of compiled Wengert. `traffic` is how many bytes have
    to be read and written at least, where memory bounds the time.
    """

    program: Callable[..., Any]
    targets: dict[str, float]
    traffic: int = 0
    first_call: float | None = None
    """How many seconds the first call may take with an empty cache."""
    name: str = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "name", self.program.__name__)


FLOAT = 4
ROWS, COLUMNS = data.NORM
WORKLOADS = {
    workload.name: workload
    for workload in (
        Workload(training.tutorial, {"jax": 0.7, "torch": 6}),
        Workload(training.digits, {"best": 1.5}, first_call=0.25),
        Workload(training.wide, {"best": 1.2}, first_call=0.25),
        Workload(formulas.greeks, {"best": 1.5}, (5 + 6) * FLOAT * data.OPTIONS),
        Workload(formulas.greeks64, {"best": 1.5}, (5 + 6) * 8 * data.OPTIONS),
        Workload(formulas.elementwise, {"best": 2}, (4 + 4) * FLOAT * data.ELEMENTS),
        Workload(formulas.norm_gelu, {"best": 1.5}, (2 + 2) * FLOAT * ROWS * COLUMNS),
        Workload(
            formulas.classes,
            {"best": 1.5},
            2 * FLOAT * data.CLASSES[0] * data.CLASSES[1],
        ),
        Workload(formulas.hessian, {"best": 1.5}),
        Workload(formulas.hvp, {"best": 1.5}),
        Workload(training.adam, {"best": 1.2}, (4 + 3) * FLOAT * sum(data.ADAM_SIZES)),
    )
}
