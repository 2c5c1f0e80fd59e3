"""Write ops/contents.py: the functions and methods of each family of ops.

`python -m tools.contents` writes it, `--check` only says whether it is up to date. It
watches a fresh process import the families.
"""

from __future__ import annotations

import argparse
import sys
import textwrap
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib import import_module
from importlib.machinery import ModuleSpec, PathFinder
from pathlib import Path
from types import ModuleType
from typing import Any

OPS = Path(__file__).parent.parent / "src" / "wengert" / "ops"
PAGE = OPS / "contents.py"
HEAD = '''"""What each family of ops publishes: made by `python -m tools.contents`.

For each family that is loaded later: the names of its functions, and those of its
methods of `Tensor`.
"""

CONTENTS: dict[str, tuple[str, str]] = {
'''
NOT_FAMILIES = {
    *("arguments", "contents", "drawing", "index_parsing", "later", "options"),
    "outputs",
    "public",
}
"""The modules of helpers."""
Names = set[tuple[str, str]]
"""Pairs of "functions" or "methods" and a name."""


class Watch:
    """Sees what the modules of `wengert.ops` publish while they are imported."""

    def __init__(self) -> None:
        self.found: dict[str, Names] = {}
        self.inner: list[Names] = []

    def find_spec(
        self, name: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        family = name.removeprefix("wengert.ops.")
        if family == name or family in NOT_FAMILIES:
            return None
        spec = PathFinder.find_spec(name, path, target)
        loader: Any = spec and spec.loader
        execute = loader.exec_module

        def watched(module: ModuleType) -> None:
            with self.watching(family):
                execute(module)

        loader.exec_module = watched
        return spec

    @contextmanager
    def watching(self, family: str) -> Iterator[None]:
        """Note what is published, but for what modules do that are imported in turn."""
        before = published()
        self.inner.append(set())
        yield
        after = published()
        new = {key for key in after if after[key] is not before.get(key)}
        self.found[family] = new - self.inner.pop()
        if self.inner:
            self.inner[-1] |= new


def published() -> dict[tuple[str, str], object]:
    """Return all functions and methods that there are now."""
    from wengert.ops.public import namespace
    from wengert.tensor import Tensor

    functions = {("functions", name): value for name, value in namespace.items()}
    methods = {("methods", name): value for name, value in vars(Tensor).items()}
    return functions | methods


def contents() -> dict[str, Names]:
    """Import all families, and return what each publishes."""
    watch: Any = Watch()
    sys.meta_path.insert(0, watch)
    for path in sorted(OPS.glob("[a-z]*.py")):
        import_module(f"wengert.ops.{path.stem}")
    return watch.found


def source(names: Names, kind: str) -> str:
    """Return the names of a kind as a string in the source."""
    chosen = sorted(name for found, name in names if found == kind)
    lines = textwrap.wrap(" ".join(chosen), 78, break_on_hyphens=False)
    text = "".join([f"        {line}\n" for line in lines])
    return f'        """\n{text}        """,\n' if chosen else '        "",\n'


def page() -> str:
    """Return the text of the file."""
    found = contents()
    from wengert.ops import FAMILIES

    rows = [
        f'    "{family}": (\n{source(names, "functions")}'
        f"{source(names, 'methods')}    ),\n"
        for family, names in sorted(found.items())
        if names and family not in FAMILIES
    ]
    return HEAD + "".join(rows) + "}\n"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--check", action="store_true", help="write nothing")
    options = parser.parse_args()
    text = page()
    if options.check:
        return int(PAGE.read_text("utf-8") != text)
    PAGE.write_text(text, "utf-8")
    print(PAGE)
    return 0


if __name__ == "__main__":
    sys.exit(main())
