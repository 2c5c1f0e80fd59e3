"""From rounds to a line of the table."""

from __future__ import annotations

import statistics
from collections.abc import Sequence

from .processes import PEERS, Row
from .workloads import Workload

HEADER = (
    "workload",
    "compiled",
    "eager",
    *PEERS,
    "best",
    "target",
    "cold",
    "warm",
    "memory",
)
WIDTHS = (12, 10, 7, 7, 14, 7, 7, 24, 8, 8, 7)


def heading() -> str:
    return line(HEADER)


def line(cells: Sequence[str]) -> str:
    return "  ".join(map(str.rjust, cells, WIDTHS)).rstrip()


def report(workload: Workload, rows: list[Row]) -> str:
    """Return the line of a workload: medians over the rounds."""
    ratios = {name: ratio(rows, [name]) for name in rows[0] if name != "compiled"}
    peers = [name for name in PEERS if name in ratios]
    if peers:
        ratios["best"] = ratio(rows, peers)
    seconds = median(rows, "seconds")
    return line(
        (
            workload.name,
            f"{seconds * 1e3:.4g} ms",
            *(f"{ratios[x]:.2f}" if x in ratios else "" for x in HEADER[2:7]),
            judged(workload, ratios, median(rows, "first")),
            f"{median(rows, 'first'):.2f} s",
            f"{median(rows, 'again'):.2f} s",
            f"{ratios['memory']:.0%}" if workload.traffic else "",
        )
    )


def ratio(rows: list[Row], others: Sequence[str]) -> float:
    """Return how many times the quickest of others needs what compiled Wengert does."""
    return statistics.median(
        min(row[name]["seconds"] for name in others) / row["compiled"]["seconds"]
        for row in rows
    )


def median(rows: list[Row], what: str) -> float:
    return statistics.median(row["compiled"][what] for row in rows)


def judged(workload: Workload, ratios: dict[str, float], first: float) -> str:
    """Return the targets, each with whether it is reached."""
    marks = [
        f"{'✓' if ratios[name] >= least else '✗'} {name} {least:g}"
        for name, least in workload.targets.items()
        if name in ratios
    ]
    if workload.first_call is not None:
        reached = first <= workload.first_call
        marks.append(f"{'✓' if reached else '✗'} cold {workload.first_call:g} s")
    return ", ".join(marks)
