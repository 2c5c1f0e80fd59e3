"""Fresh processes of each library in turn, in rounds.

A machine has faster and slower minutes. The processes that a ratio compares therefore
run one after the other, in another order in each round; no two of them at once. Each
uses as many threads as its library takes of its own accord on this machine.
"""

import json
import math
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.measure import Outcome
from benchmarks.table import Workload
from benchmarks.worker import CONTROL

ROOT = Path(__file__).parent.parent
LIBRARY_SETTINGS = (
    "OMP_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "MKL_NUM_THREADS",
    "OPENBLAS_CORETYPE",
    "OPENBLAS_L2_SIZE",
    "PYTHONDONTWRITEBYTECODE",
)
"""Taken out of the environment.

Each library chooses its threads and kernels itself, and Python keeps the modules that
it has compiled, as it does where they are installed.
"""


class MeasurementFailed(Exception):
    """A library could not do a workload, or two computed different numbers."""


@dataclass
class Measured:
    """A workload and what each library needed, one entry a round."""

    workload: Workload
    rounds: list[dict[str, Outcome]] = field(default_factory=list)
    failure: str = ""


def measure(
    workloads: list[Workload],
    libraries: list[str],
    rounds: int,
    progress: Callable[[str], None],
) -> list[Measured]:
    """Measure every workload in every round; one that fails is left out after."""
    rows = [Measured(workload) for workload in workloads]
    for index in range(rounds):
        for row in rows:
            if not row.failure:
                progress(f"round {index + 1} of {rounds}: {row.workload.name}")
                try:
                    row.rounds.append(one_round(row.workload, libraries, index))
                except MeasurementFailed as failure:
                    row.failure = str(failure)
    return rows


def one_round(
    workload: Workload, libraries: list[str], index: int
) -> dict[str, Outcome]:
    present = [*libraries, *([CONTROL] if workload.control else [])]
    first = index % len(present)
    outcomes = {
        library: run_worker(workload, library)
        for library in present[first:] + present[:first]
    }
    check_equal(workload, outcomes)
    return outcomes


def run_worker(workload: Workload, library: str) -> Outcome:
    environment = {
        name: value
        for name, value in os.environ.items()
        if name not in LIBRARY_SETTINGS
    }
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.worker", workload.name, library],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        reason = (done.stderr.strip().splitlines() or [f"exit {done.returncode}"])[-1]
        raise MeasurementFailed(f"{library}: {reason}")
    return Outcome(**json.loads(done.stdout.splitlines()[-1]))


def check_equal(workload: Workload, outcomes: dict[str, Outcome]) -> None:
    """Compare the numbers of all libraries with those of one of them."""
    (reference, expected), *others = outcomes.items()
    for library, outcome in others:
        if not close(outcome.result, expected.result, workload.tolerance):
            raise MeasurementFailed(
                f"{library} has {outcome.result[:6]} …, "
                f"{reference} has {expected.result[:6]} …"
            )


def close(ours: list[float], theirs: list[float], tolerance: float) -> bool:
    return len(ours) == len(theirs) and all(
        math.isclose(a, b, rel_tol=tolerance, abs_tol=1e-6)
        for a, b in zip(ours, theirs, strict=True)
    )
