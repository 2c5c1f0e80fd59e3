"""Write docs/coverage.md: which modes each primitive works in, and by what means.

The page is read off the declarations, and off what the op samples of the tests show:
`python -m tools.coverage` writes it, `--check` only says whether it is up to date.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from pathlib import Path

import wengert
import wengert.distributions  # which has primitives of its own
import wengert.nn  # recurrent layers have them, too
from wengert.layers import batch_rules as batch_rules, batching
from wengert.primitive import Primitive
from wengert.primitives.op import registry

from . import observed

PAGE = Path(__file__).parent.parent / "docs" / "coverage.md"

HEAD = """# What works in which mode

Each primitive, and by what means it works in each mode. The page is made from the
declarations (`make docs`); other ops are composed of these and work wherever they do.

- **vjp** (reverse mode): *rule*, or none for what has no derivative.
- **second order**: *rule*: the vjp's rule is recorded; *composed*: the op's
  decomposition is differentiated in its place.
- **jvp** (forward mode): *rule*; *class*: it follows from the class of the op;
  *composed*: from its decomposition; *transposed*: from its vjp, transposed once more.
- **vmap**: *class*: elementwise; *shifted*: its parameters count the hidden dimension;
  *rule*; *composed*; *loop*: right, but one element at a time; *refused*: the shape of
  the result depends on the values.
- **complex** numbers: *yes*: the tests' samples show it; *refused*, as in PyTorch; else
  nothing shows it.
- **traced** (by `compile`): *kernel*: it becomes ops of the graph, from which kernels
  are made; *composed*; *call*: it is called as it is, at its place in each replay
  (where both stand, the parameters decide); nothing where no sample meets it.
"""


def second_order(primitive: Primitive) -> str:
    if not primitive.differentiable:
        return ""
    return "composed" if primitive.hidden else "rule"


def jvp(primitive: Primitive) -> str:
    if not primitive.differentiable:
        return ""
    if primitive.jvp is not None or primitive.jvps:
        return "rule"
    if primitive.kind in ("elementwise", "linear", "view", "bilinear"):
        return "class"
    if primitive.kind == "reduction" and not primitive.several:
        return "class"
    return "composed" if primitive.decomposition else "transposed"


def vmap(primitive: Primitive) -> str:
    name = primitive.name
    if name in batching.DYNAMIC:
        return "refused"
    if batching.rule_of(primitive) is not None:
        return "rule"
    if batching.is_aligned(primitive):
        return "class"
    if name in batching.TOGETHER or name in batching.FIRST:
        return "shifted"
    if batching.shiftable(primitive) and names_are_known(primitive):
        return "shifted"
    return "composed" if primitive.decomposition else "loop"


def names_are_known(primitive: Primitive) -> bool:
    """Whether every parameter says how it counts dimensions."""
    code = getattr(primitive.forward_with_hidden, "__code__", None)
    if code is None:
        return True
    first = code.co_argcount
    names = set(code.co_varnames[first : first + code.co_kwonlyargcount])
    known = batching.DIMS | batching.WHOLE | set(batching.LEADING) | batching.FIXED
    return names <= known


def complex_numbers(primitive: Primitive) -> str:
    if primitive.name in observed.complex_():
        return "yes"
    return "refused" if "c" in primitive.refuses else ""


def traced(primitive: Primitive) -> str:
    return ", ".join(sorted(observed.traced().get(primitive.name, ()), reverse=True))


def rows() -> Iterator[str]:
    for name, primitive in sorted(registry.items()):
        cells = (
            f"`{name}`",
            primitive.kind,
            "rule" if primitive.differentiable else "",
            second_order(primitive),
            jvp(primitive),
            vmap(primitive),
            complex_numbers(primitive),
            traced(primitive),
        )
        yield "| " + " | ".join(cells) + " |"


def page() -> str:
    """Return the text of the page."""
    wengert.ops.load_all()  # the ops declare the primitives that they need
    lines = list(rows())
    loops = sum(vmap(primitive) == "loop" for primitive in registry.values())
    head = "| primitive | class | vjp | second order | jvp | vmap | complex | traced |"
    rule = "| --- | --- | --- | --- | --- | --- | --- | --- |"
    count = f"{len(lines)} primitives; vmap loops over {loops} of them."
    return "\n".join([HEAD, count, "", head, rule, *lines, ""])


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--check", action="store_true", help="write nothing")
    if parser.parse_args().check:
        return int(PAGE.read_text("utf-8") != page())
    PAGE.write_text(page(), "utf-8")
    print(PAGE)
    return 0


if __name__ == "__main__":
    sys.exit(main())
