"""Documents run: their Python blocks print what is shown beneath them."""

from __future__ import annotations

import contextlib
import io
import pathlib
import re
import subprocess
import sys

import pytest

ROOT = pathlib.Path(__file__).parent.parent
BLOCK = re.compile(r"```python\n(.*?)```\n(?:```\n(.*?)```)?", re.DOTALL)
DOCUMENTS = [
    path
    for pattern in ("README*.md", "docs/**/*.md")
    for path in sorted(ROOT.glob(pattern))
    if BLOCK.search(path.read_text(encoding="utf-8"))
]


def run(code: str, names: dict[str, object]) -> str:
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        exec(code, names)
    return printed.getvalue()


@pytest.mark.parametrize(
    "path", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT))
)
def test_blocks_print_what_is_shown(path: pathlib.Path) -> None:
    names: dict[str, object] = {}
    for code, shown in BLOCK.findall(path.read_text(encoding="utf-8")):
        printed = run(code, names)
        if shown:
            assert printed == shown, code


def test_the_tutorial_prints_what_pytorch_prints() -> None:
    code = (ROOT / "examples" / "tutorial.py").read_text(encoding="utf-8")
    assert code.startswith("import wengert as torch\n")
    with_torch = code.replace("import wengert as torch", "import torch")
    assert run(code, {}) == run(with_torch, {})


def test_the_coverage_page_is_up_to_date() -> None:
    from tools import coverage

    assert coverage.PAGE.read_text("utf-8") == coverage.page(), "run make docs"


def test_the_reference_is_up_to_date() -> None:
    # in a process of its own: the tests put names of theirs into modules
    command = [sys.executable, "-m", "tools.reference", "--check"]
    checked = subprocess.run(command, check=False, cwd=ROOT)
    assert checked.returncode == 0, "run make docs"


SOURCE = re.compile(r"<!-- from (\S+) -->\n```py\n(.*?)```", re.DOTALL)


@pytest.mark.parametrize(
    "path", sorted((ROOT / "docs").glob("*.md")), ids=lambda p: p.name
)
def test_quoted_code_is_the_real_code(path: pathlib.Path) -> None:
    for source, quoted in SOURCE.findall(path.read_text(encoding="utf-8")):
        real = (ROOT / "src" / "wengert" / source).read_text(encoding="utf-8")
        for part in re.split(r"^ *\.\.\.\n", quoted, flags=re.MULTILINE):
            assert part.rstrip() in real, f"{source} has changed"
