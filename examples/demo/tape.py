"""Draw a tape: the graph of recorded operations behind a tensor."""

from collections.abc import Mapping
from statistics import mean
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Patch

import wengert as torch

BOX_WIDTH, ROW_HEIGHT = 2.4, 1.1
OPERATION = {
    "boxstyle": "round,pad=0.5",
    "facecolor": "#e8eef7",
    "edgecolor": "#34568b",
}
LEAF = {"boxstyle": "round,pad=0.5", "facecolor": "#fdf1d6", "edgecolor": "#b8860b"}

Node = Any  # a grad_fn: it has next_functions


def draw(output: torch.Tensor, names: Mapping[str, torch.Tensor]) -> Figure:
    """Draw the nodes that lead to a tensor, the leaves on top.

    Args:
        output: a tensor with a grad_fn.
        names: how the leaves are called.
    """
    rows = ranked(output.grad_fn)
    places = placed(rows)
    width = max(len(row) for row in rows) * BOX_WIDTH
    figure = Figure(figsize=(width, len(rows) * ROW_HEIGHT), layout="constrained")
    axes = figure.subplots()
    boxes = {node: draw_box(axes, places[node], node, names) for node in places}
    for node in places:
        for function in inputs_of(node):
            draw_arrow(axes, places, boxes, function, node)
    axes.set_xlim(-width / 2, width / 2)
    axes.set_ylim(-ROW_HEIGHT / 2, (len(rows) - 0.5) * ROW_HEIGHT)
    axes.set_axis_off()
    axes.set_title("values flow along the arrows, gradients against them", fontsize=10)
    return figure


def inputs_of(node: Node) -> list[Node]:
    return [function for function, _ in node.next_functions if function is not None]


def consumers_first(root: Node) -> list[Node]:
    """Every node once, each before its inputs."""
    order: list[Node] = []
    seen = {root}
    stack = [(root, iter(inputs_of(root)))]
    while stack:
        node, inputs = stack[-1]
        fresh = next((n for n in inputs if n not in seen), None)
        if fresh is None:
            order.append(node)
            stack.pop()
        else:
            seen.add(fresh)
            stack.append((fresh, iter(inputs_of(fresh))))
    return order[::-1]


def ranked(root: Node) -> list[list[Node]]:
    """The nodes in rows by the longest way that they are from the root."""
    ranks = {root: 0}
    for node in consumers_first(root):
        for function in inputs_of(node):
            ranks[function] = max(ranks.get(function, 0), ranks[node] + 1)
    rows: list[list[Node]] = [[] for _ in range(1 + max(ranks.values()))]
    for node, rank in ranks.items():
        rows[rank].append(node)
    return rows


def placed(rows: list[list[Node]]) -> dict[Node, tuple[float, float]]:
    """A place for each node, near the nodes that use it."""
    wishes: dict[Node, list[float]] = {}
    places: dict[Node, tuple[float, float]] = {}
    for rank, row in enumerate(rows):
        row.sort(key=lambda node: mean(wishes.get(node, [0])))
        for column, node in enumerate(row):
            x = (column - (len(row) - 1) / 2) * BOX_WIDTH
            places[node] = x, rank * ROW_HEIGHT
            inputs = inputs_of(node)
            for position, function in enumerate(inputs):
                offset = position - (len(inputs) - 1) / 2
                wishes.setdefault(function, []).append(x + offset * BOX_WIDTH / 2)
    return places


def draw_box(
    axes: Axes,
    place: tuple[float, float],
    node: Node,
    names: Mapping[str, torch.Tensor],
) -> Patch | None:
    leaf = getattr(node, "variable", None)
    if leaf is None:
        text, style = type(node).__name__, OPERATION
    else:
        name = next((name for name, known in names.items() if known is leaf), "leaf")
        text, style = f"{name} {tuple(leaf.shape)}", LEAF
    drawn = axes.text(*place, text, ha="center", va="center", fontsize=9, bbox=style)
    return drawn.get_bbox_patch()


def draw_arrow(
    axes: Axes,
    places: Mapping[Node, tuple[float, float]],
    boxes: Mapping[Node, Patch | None],
    source: Node,
    target: Node,
) -> None:
    """An arrow from the edge of one box to the edge of another."""
    arrow = {"arrowstyle": "-|>", "color": "#666", "shrinkA": 1, "shrinkB": 1}
    arrow |= {"patchA": boxes[source], "patchB": boxes[target]}
    axes.annotate("", places[target], places[source], arrowprops=arrow)
