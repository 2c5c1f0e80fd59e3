"""Whole programs give what they give with PyTorch: the same losses, texts, draws."""

from __future__ import annotations

from pathlib import Path

import pytest

PROGRAMS = Path(__file__).parent / "programs"
NAMES = ["gpt", "tagger", "adversaries", "autoencoder", "residual"]


def run(name: str, library: str) -> tuple[list[float], str, str]:
    """Run a program's `main`, with this library in place of PyTorch."""
    text = (PROGRAMS / f"{name}.py").read_text("utf-8")
    text = text.replace(
        "import torch.nn.functional as F", f"import {library}.nn.functional as F"
    )
    text = text.replace("import torch\n", f"import {library} as torch\n")
    text = text.replace("from torch import nn", f"from {library} import nn")
    names: dict[str, object] = {"__name__": name}
    exec(compile(text, name, "exec"), names)
    return names["main"]()  # type: ignore[operator]


@pytest.mark.parametrize("name", NAMES)
def test_as_with_pytorch(name: str) -> None:
    ours, theirs = run(name, "wengert"), run(name, "torch")
    assert ours[0] == pytest.approx(theirs[0], rel=1e-3)
    assert ours[1:] == theirs[1:]
