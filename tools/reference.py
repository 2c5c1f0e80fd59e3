"""Write docs/reference/: a page for each public module, from its docstrings.

`python -m tools.reference` writes the pages, `--check` only says whether they are up to
date.
"""

from __future__ import annotations

import argparse
import enum
import importlib
import inspect
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import wengert

FOLDER = Path(__file__).parent.parent / "docs" / "reference"

MODULES = {
    "wengert": "Functions of tensors, and what makes them",
    "wengert.Tensor": "The tensor: its own methods",
    "wengert.autograd": "Gradients, modes, custom functions, checks",
    "wengert.autograd.functional": "Jacobians, Hessians and products with them",
    "wengert.autograd.forward_ad": "Forward mode",
    "wengert.autograd.graph": "Nodes, edges, hooks of saved tensors",
    "wengert.func": "Transformations of functions",
    "wengert.nn": "Layers, losses, containers",
    "wengert.nn.functional": "The layers as functions",
    "wengert.nn.init": "First values of parameters",
    "wengert.nn.utils": "Clipping gradients, parameters as a vector",
    "wengert.nn.utils.rnn": "Sequences of different lengths",
    "wengert.optim": "Optimizers",
    "wengert.optim.lr_scheduler": "Learning rates that change",
    "wengert.distributions": "Probability distributions",
    "wengert.distributions.constraints": "Which values parameters and samples can have",
    "wengert.linalg": "Linear algebra",
    "wengert.special": "Special functions",
    "wengert.fft": "Fourier transforms",
    "wengert.signal.windows": "Windows of signals",
    "wengert.masked": "Ops with masks",
    "wengert.utils.data": "Data sets, samplers, loaders",
    "wengert.utils.checkpoint": "Computing again in place of keeping",
    "wengert.random": "The state of the random numbers",
    "wengert.amp": "Mixed precision, which is switched off",
    "wengert.testing": "Comparing tensors in tests",
}
"""The pages and their titles."""

INTRODUCTION = """# Reference

Made from the docstrings by `make docs`. After `import wengert as torch` each name is
where PyTorch has it. What is not listed is not there: asking for it raises an
`AttributeError` that names it.

| module | |
| --- | --- |
"""

# --- which names ----------------------------------------------------------------------


def members(page: str) -> dict[str, Any]:
    """Return the public names of a page and what they stand for."""
    if page == "wengert.Tensor":
        return {name: value for name, value in own_methods() if inspect.getdoc(value)}
    module = importlib.import_module(page)
    names = getattr(module, "__all__", dir(module))
    return {
        name: getattr(module, name)
        for name in sorted(names, key=str.lower)
        if not name.startswith("_") and belongs(getattr(module, name), module)
    }


def own_methods() -> Iterator[tuple[str, Any]]:
    """Return what only tensors have: most methods are functions, too."""
    for name in sorted(dir(wengert.Tensor)):
        value = inspect.getattr_static(wengert.Tensor, name)
        as_function = wengert.ops.namespace.get(name.removesuffix("_"))
        if not name.startswith("_") and as_function is None and documentable(value):
            yield name, value


def documentable(value: Any) -> bool:
    return callable(value) or isinstance(value, property)


def belongs(value: Any, module: ModuleType) -> bool:
    """Whether a name is of the module: it is defined there, or in its package."""
    if isinstance(value, ModuleType) or not callable(value):
        return False
    home = getattr(value, "__module__", None) or ""
    if hasattr(module, "__all__") or hasattr(module, "__path__"):
        return home.partition(".")[0] == "wengert"
    return home == module.__name__


# --- how an entry looks ---------------------------------------------------------------


def page_of(page: str) -> str:
    """Return the text of a page."""
    bound = page == "wengert.Tensor"
    parts = [entry(*group, bound) for group in grouped(members(page))]
    shown = page.replace("wengert", "torch", 1)
    return "\n\n".join([f"# {shown}\n\n{MODULES[page]}.", *parts]) + "\n"


def grouped(names: dict[str, Any]) -> list[tuple[Any, list[str]]]:
    """Return each thing with its names, the one that it calls itself first.

    What works in place goes with what does not.
    """
    groups: dict[int, tuple[Any, list[str]]] = {}
    for name, value in names.items():
        value = names.get(name.removesuffix("_"), value)
        groups.setdefault(id(value), (value, []))[1].append(name)
    for value, aliases in groups.values():
        own = getattr(value, "__name__", "")
        aliases.sort(key=lambda name: (name != own, name.endswith("_")))
    return sorted(groups.values(), key=lambda group: group[1][0].lower())


def entry(value: Any, names: list[str], bound: bool) -> str:
    """Return the text about what goes by these names; `bound`: it is a method."""
    name, *aliases = names
    also = (
        f"\n\nAlso {', '.join([f'`{alias}`' for alias in aliases])}." if aliases else ""
    )
    text = inspect.getdoc(value) or ""
    return f"## `{name}{signature(value, bound)}`{also}\n\n{markdown(text)}".rstrip()


def signature(value: Any, bound: bool) -> str:
    """Return the parameters without their types; nothing for a property."""
    if isinstance(value, enum.EnumMeta):  # Python's versions say different things
        return "(value)"
    try:
        parameters = list(inspect.signature(value).parameters.values())
    except (TypeError, ValueError):
        return "" if isinstance(value, property) else "(...)"
    if bound or (parameters and parameters[0].name == "self"):
        parameters = parameters[1:]
    plain = [p.replace(annotation=inspect.Parameter.empty) for p in parameters]
    text = str(inspect.Signature(plain))
    return re.sub(r"<function (\w+)[^>]*>|<(\w+)[^>]*>", r"\1\2", text)


SECTION = re.compile(r"(Args|Attributes|Returns|Raises|Yields):")


def markdown(doc: str) -> str:
    """Return a docstring as Markdown: sections as lists, examples as code."""
    return "\n\n".join([block(text) for text in re.split(r"\n\s*\n", doc) if text])


def block(text: str) -> str:
    """Return one paragraph of a docstring as Markdown."""
    if text.lstrip().startswith(">>>"):
        return f"```pycon\n{inspect.cleandoc(text)}\n```"
    head, _, rest = text.partition("\n")
    if SECTION.fullmatch(head.strip()):
        return f"**{head.strip(' :')}**\n\n{items(rest)}"
    if text.startswith("    "):
        return f"```\n{inspect.cleandoc(text)}\n```"
    return text


def items(text: str) -> str:
    """Return the entries of a section as a list."""
    lines = inspect.cleandoc(text).split("\n")
    return "\n".join(
        [
            "  " + line.strip()
            if line.startswith(" ")
            else "- " + re.sub(r"^(\**[\w.]+(?:, \**[\w.]+)*):", named, line)
            for line in lines
        ]
    )


def named(match: re.Match[str]) -> str:
    return ", ".join([f"`{name}`" for name in match[1].split(", ")]) + ":"


# --- the pages ------------------------------------------------------------------------


def pages() -> dict[Path, str]:
    """Return the texts of all pages by their files."""
    wengert.ops.load_all()
    files = {page: f"{page.replace('wengert', 'torch', 1)}.md" for page in MODULES}
    rows = [
        f"| [`{file.removesuffix('.md')}`]({file}) | {MODULES[page]} |"
        for page, file in files.items()
    ]
    texts = {FOLDER / file: page_of(page) for page, file in files.items()}
    return {FOLDER / "README.md": INTRODUCTION + "\n".join(rows) + "\n", **texts}


def out_of_date() -> list[Path]:
    """Return the pages that are not what the docstrings say."""
    return [
        path
        for path, text in pages().items()
        if not path.exists() or path.read_text("utf-8") != text
    ]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--check", action="store_true", help="write nothing")
    if parser.parse_args().check:
        return int(bool(out_of_date()))
    FOLDER.mkdir(exist_ok=True)
    for path, text in pages().items():
        path.write_text(text, "utf-8")
    print(FOLDER)
    return 0


if __name__ == "__main__":
    sys.exit(main())
