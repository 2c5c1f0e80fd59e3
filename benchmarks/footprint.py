"""What a library costs before it does anything: time to import, space on the disk."""

import statistics
import subprocess
import sys
from importlib.metadata import Distribution, distribution
from importlib.util import find_spec
from pathlib import Path

from packaging.requirements import Requirement

from benchmarks.measure import Outcome

REPEATS = 3
TIMER = """
import time
{before}
start = time.perf_counter()
import {library}
print(time.perf_counter() - start)
"""


def import_time(library: str) -> Outcome:
    return fresh_import(library, before="")


def import_time_after_numpy(library: str) -> Outcome:
    return fresh_import(library, before="import numpy")


def numpy_import_time() -> Outcome:
    return import_time("numpy")


def fresh_import(library: str, before: str) -> Outcome:
    """The median of several fresh processes; one goes first to fill the disk cache."""
    command = [sys.executable, "-c", TIMER.format(before=before, library=library)]
    seconds = [
        float(subprocess.run(command, capture_output=True, check=True).stdout)
        for _ in range(1 + REPEATS)
    ]
    return Outcome(statistics.median(seconds[1:]), [])


def installed_size(library: str) -> Outcome:
    """The files of a distribution and of its requirements, without bytecode."""
    sizes: dict[str, int] = {}
    add_sizes(library, sizes)
    return Outcome(sum(sizes.values()), [])


def numpy_installed_size() -> Outcome:
    return installed_size("numpy")


def add_sizes(name: str, sizes: dict[str, int]) -> None:
    if name in sizes:
        return
    found = distribution(name)
    sizes[name] = sum(path.stat().st_size for path in files_of(found))
    for text in found.requires or []:
        requirement = Requirement(text)
        if requirement.marker is None or requirement.marker.evaluate({"extra": ""}):
            add_sizes(requirement.name.lower(), sizes)


def files_of(found: Distribution) -> set[Path]:
    listed = {Path(str(file.locate())) for file in found.files or []}
    # an editable install lists a pointer to the source instead of the source
    if any(path.suffix == ".pth" for path in listed):
        spec = find_spec(found.name)
        for folder in (spec and spec.submodule_search_locations) or []:
            listed |= set(Path(folder).rglob("*"))
    return {path for path in listed if path.is_file() and path.suffix != ".pyc"}
