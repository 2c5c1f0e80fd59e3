"""Compiled Wengert against eager Wengert, PyTorch, torch.compile and JAX.

``python -m benchmarks.compile [workload ...] [--rounds N] [--peers torch jax]``

Fresh processes take turns, two threads each. The columns of contenders are medians over
rounds of their time by that of compiled Wengert: above 1, compiled Wengert is faster.
*best* is against the quickest peer. *cold* and *warm* are what the first call takes,
compiling included, with an empty cache on disk and with a full one; *memory* is the
share of the machine's memory bandwidth, for what has to be read and written at least:
what copies and an update in place of arrays of that size reach at best.
"""

from __future__ import annotations

import argparse

from benchmarks.rounds import MeasurementFailed

from .processes import PEERS, one_round
from .table import heading, report
from .workloads import WORKLOADS


def main() -> None:
    options = arguments()
    contenders = ("compiled", "eager", *options.peers)
    print(heading(), flush=True)
    failed = False
    for name in options.names or WORKLOADS:
        try:
            rows = [
                one_round(WORKLOADS[name], contenders, i) for i in range(options.rounds)
            ]
        except MeasurementFailed as failure:
            print(failure, flush=True)
            failed = True
        else:
            print(report(WORKLOADS[name], rows), flush=True)
    raise SystemExit(failed)


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.compile",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "names", nargs="*", metavar="workload", help=", ".join(WORKLOADS)
    )
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--peers", nargs="*", default=PEERS, choices=PEERS)
    return parser.parse_args()


main()
