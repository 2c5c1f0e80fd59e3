"""Backward that fails because a hook has given back values of wrong shapes."""

from __future__ import annotations

import re

from ..errors import sizes_do_not_match

NUMPY_ABOUT_SHAPES = (
    "operands could not be broadcast",
    "non-broadcastable output",
    "could not broadcast",
    "matmul: Input operand",
    "matrix transpose with ndim",
    "cannot reshape array of size",
    "axes don't match array",
)
SHAPE = re.compile(r"\(([\d, ]*)\)")
PACKAGE = __name__.partition(".")[0] + "."


def refused_by_rule(error: ValueError) -> Exception:
    """Return what PyTorch says where a derivative's rule was given wrong shapes.

    That is so if a hook has replaced what was saved. What the user's code raises is
    left as it is.
    """
    message, trace = str(error), error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    where = "" if trace is None else trace.tb_frame.f_globals.get("__name__", "")
    if not where.startswith(PACKAGE) or not message.startswith(NUMPY_ABOUT_SHAPES):
        return error
    if message.startswith("operands could not be broadcast together with shapes"):
        found = [re.findall(r"\d+", shape) for shape in SHAPE.findall(message)]
        return sizes_do_not_match([tuple(map(int, shape)) for shape in found])
    return RuntimeError(message)
