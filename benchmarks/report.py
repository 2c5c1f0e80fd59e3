"""From measurements to ratios, and to a table.

A ratio is formed within a round and says how many times less the candidate needs than
another library: above 1, the candidate is better. The table shows the median over the
rounds, with the lowest and the highest.
"""

import os
import platform
import statistics
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from benchmarks.rounds import Measured
from benchmarks.worker import CONTROL

SCALES = {"µs": 1e6, "ms": 1e3, "MB": 1e-6, "B": 1.0}


def ratios(row: Measured, candidate: str, other: str) -> list[float]:
    """Round by round, the other library's cost over the candidate's."""
    return [
        outcomes[other].cost / outcomes[candidate].cost
        for outcomes in row.rounds
        if other in outcomes
    ]


def mean_ratios(rows: list[Measured], candidate: str, other: str) -> list[float]:
    """Round by round, the geometric mean over the rows of a group."""
    columns = (ratios(row, candidate, other) for row in rows)
    return [statistics.geometric_mean(column) for column in zip(*columns, strict=True)]


def spread(values: list[float]) -> str:
    if not values:
        return "—"
    return f"{statistics.median(values):.3g} ({min(values):.3g}–{max(values):.3g})"


def cost(row: Measured, library: str) -> str:
    unit = row.workload.unit
    costs = [outcomes[library].cost for outcomes in row.rounds if library in outcomes]
    return f"{statistics.median(costs) * SCALES[unit]:.3g} {unit}" if costs else "—"


def table(rows: list[Measured], candidate: str, reference: str) -> str:
    """The table as text, a line for each workload and one for each group's mean."""
    others = (reference, CONTROL)
    lines = [
        ["workload", candidate, *others, *(f"{o} ÷ {candidate}" for o in others), ""]
    ]
    done = [row for row in rows if not row.failure]
    for row in done:
        costs = (cost(row, library) for library in (candidate, *others))
        spreads = (spread(ratios(row, candidate, other)) for other in others)
        lines.append([row.workload.name, *costs, *spreads, row.workload.about])
    for group in dict.fromkeys(row.workload.group for row in done):
        members = [row for row in done if row.workload.group == group]
        if group and len(members) > 1:
            spreads = (spread(mean_ratios(members, candidate, o)) for o in others)
            names = ", ".join(row.workload.name for row in members)
            lines.append([group, *[""] * 3, *spreads, f"geometric mean of {names}"])
    return aligned(lines)


def aligned(lines: list[list[str]]) -> str:
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    return "\n".join("  ".join(map(str.ljust, line, widths)).rstrip() for line in lines)


def machine(libraries: list[str]) -> dict[str, Any]:
    """What the numbers depend on."""
    return {
        "processor": processor(),
        "cores": os.cpu_count(),
        "threads": "each library's own default",
        "system": platform.platform(),
        "python": platform.python_version(),
        **{library: version_of(library) for library in (*libraries, CONTROL)},
    }


def processor() -> str:
    details = Path("/proc/cpuinfo")
    for line in details.read_text("utf-8").splitlines() if details.exists() else ():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()


def version_of(library: str) -> str:
    try:
        return version(library)
    except PackageNotFoundError:
        return "not installed"


def as_json(rows: list[Measured], candidate: str, reference: str) -> dict[str, Any]:
    """Everything that was measured; costs in seconds or bytes."""
    return {
        "machine": machine([candidate, reference]),
        "workloads": {
            row.workload.name: {
                "about": row.workload.about,
                "failure": row.failure,
                "costs": [
                    {library: outcome.cost for library, outcome in outcomes.items()}
                    for outcomes in row.rounds
                ],
                "ratios": {
                    other: ratios(row, candidate, other)
                    for other in (reference, CONTROL)
                },
            }
            for row in rows
        },
    }
