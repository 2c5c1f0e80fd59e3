"""Measure Wengert beside PyTorch and raw NumPy, and print a table of ratios."""

import argparse
import json
import sys
from pathlib import Path

from benchmarks import report
from benchmarks.rounds import measure
from benchmarks.table import WORKLOADS


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument(
        "--only",
        action="append",
        metavar="NAME",
        choices=[workload.name for workload in WORKLOADS],
        help="measure this workload alone; may be given several times: %(choices)s",
    )
    parser.add_argument("--rounds", type=int, default=5, metavar="N")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write all numbers")
    parser.add_argument("--candidate", default="wengert", metavar="LIBRARY")
    parser.add_argument("--reference", default="torch", metavar="LIBRARY")
    return parser.parse_args()


def show_progress(text: str) -> None:
    if sys.stderr.isatty():
        print(f"\r\033[K{text}", end="", file=sys.stderr, flush=True)


def main() -> int:
    options = arguments()
    libraries = [options.candidate, options.reference]
    chosen = [w for w in WORKLOADS if not options.only or w.name in options.only]
    rows = measure(chosen, libraries, options.rounds, show_progress)
    show_progress("")

    for name, value in report.machine(libraries).items():
        print(f"{name}: {value}")
    print(f"rounds: {options.rounds}; median (lowest–highest) of the ratios\n")
    print(report.table(rows, *libraries))
    failures = [row for row in rows if row.failure]
    for row in failures:
        print(f"FAILED {row.workload.name}: {row.failure}")
    if options.json:
        options.json.write_text(json.dumps(report.as_json(rows, *libraries), indent=1))
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
