"""One workload with one library in this process; what came out goes to stdout as JSON.

Called as `python -m benchmarks.worker WORKLOAD LIBRARY`.
"""

import json
import sys
from dataclasses import asdict

from benchmarks.measure import Outcome
from benchmarks.table import WORKLOADS

CONTROL = "numpy"


def run(workload_name: str, library: str) -> Outcome:
    workload = next(row for row in WORKLOADS if row.name == workload_name)
    if library != CONTROL:
        return workload.run(library)
    if workload.control is None:
        raise LookupError(f"{workload_name} has no control")
    return workload.control()


if __name__ == "__main__":
    print(json.dumps(asdict(run(*sys.argv[1:]))))
