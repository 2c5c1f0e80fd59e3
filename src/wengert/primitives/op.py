"""Declaring primitives: say the class of an op, and its other rules follow.

========================  ==============================================================
``elementwise``           has a factor ``d``: vjp is grad * conj(d), jvp is tangent * d
``bilinear``              each vjp and jvp is the op with the other input
``linear``                has a transpose, which is the vjp; the jvp is the op itself
``view``                  a linear op whose result shares memory with its input
``reduction``             takes dims away; vjp as written
``fused``                 any other op, with all its rules written out
``nondifferentiable``     has no derivative anywhere: comparisons, indices, signs
========================  ==============================================================

Each returns the function that calls the primitive: on arrays, on tensors, on any layer.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ..primitive import Primitive, names_of
from ..quick.calls import anything
from ..quick.elementwise import binary, pointwise, predicate, unary
from ..quick.products import is_product, product
from ..quick.reductions import reducing
from ..quick.views import dividing, viewing

Function = Callable[..., Any]
Refusals = str | dict[str, Exception | None]

registry: dict[str, Primitive] = {}
"""All primitives by name."""


def declare(primitive: Primitive, make: Callable[[Primitive], Function]) -> Function:
    """Enter a primitive in the registry and return the function that calls it."""
    if primitive.name in registry:
        raise ValueError(f"the primitive {primitive.name} is declared twice")
    registry[primitive.name] = primitive
    function = make(primitive)
    function.__name__ = function.__qualname__ = primitive.name
    function.primitive = primitive  # type: ignore[attr-defined]
    primitive.call = function
    return function


def caller(primitive: Primitive) -> Callable[[Primitive], Function]:
    """Return the quick call for an elementwise primitive."""
    code = getattr(primitive.forward, "__code__", None)
    if code is not None and code.co_kwonlyargcount:
        return anything
    if not primitive.differentiable:
        return {1: unary, 2: predicate}.get(len(primitive.inputs), anything)
    return {1: unary, 2: binary}.get(len(primitive.inputs), pointwise)


def calling(primitive: Primitive) -> Function:
    """Return the function of a primitive that is not elementwise."""
    plain_inputs = not (primitive.variadic or primitive.hidden or primitive.promote)
    if plain_inputs and not primitive.several:
        if len(primitive.inputs) == 1:
            return reducing(primitive)
        if is_product(primitive):
            return product(primitive)
    return anything(primitive)


def elementwise(
    name: str,
    forward: Function,
    d: Function | None = None,
    *,
    inputs: tuple[str, ...] | None = None,
    promote: str | None = "numeric",
    vjp: Function | None = None,
    jvp: Function | None = None,
    grad_fn: str | None = None,
    refuses: Refusals = "",
    refuses_each: bool = False,
    **by_input: Function,
) -> Function:
    """Declare an op that works element by element.

    Args:
        name: PyTorch's name.
        forward: the computation on arrays.
        d: the derivative with respect to the only input: a rule whose value is
            multiplied with the gradient. For several inputs ``d_<input>`` instead. An
            op that is not holomorphic, or has a quicker rule, gives ``vjp`` or
            ``vjp_<input>`` instead, and ``jvp`` if it is not the same product, or
            ``jvp_<input>`` for those inputs whose tangents matter.
        inputs: names, by default ``self`` and ``other`` as many as the forward takes.
        promote: "numeric", "float" (integers become floats first), or None.
        grad_fn: the node's name, by default the op's name and ``Backward0``.
        refuses: the kinds of dtypes (NumPy's letters) that the op is not for, though
            NumPy may take them; or a dictionary of them and the errors to raise.
        refuses_each: no input may have such a dtype; else their common one may not.
    """
    if inputs is None:
        count = forward.nin if isinstance(forward, np.ufunc) else 1
        inputs = ("self", "other")[:count]
    factors = {"self": d} if d is not None else {}
    factors |= {k[2:]: f for k, f in by_input.items() if k.startswith("d_")}
    vjps = {key: times_conjugate(factor) for key, factor in factors.items()}
    vjps |= of_kind("vjp_", by_input)
    if vjp is not None:
        vjps["self"] = vjp
    ordered = {key: vjps[key] for key in inputs if key in vjps}
    primitive = Primitive(
        name,
        forward,
        inputs=inputs,
        vjps=ordered,
        jvp=jvp,
        jvps=of_kind("jvp_", by_input),
        kind="elementwise",
        promote=promote,
        grad_fn=grad_fn,
    )
    primitive.factors = factors
    primitive.refuses = refusals(refuses)
    primitive.refuses_each = refuses_each
    return declare(primitive, caller(primitive))


def refusals(refuses: Refusals) -> dict[str, Exception | None]:
    """Return the refused kinds and their errors, None standing for the usual one."""
    return dict.fromkeys(refuses) if isinstance(refuses, str) else refuses


def times_conjugate(factor: Function) -> Function:
    """Return the vjp of an elementwise op whose derivative is `factor`.

    The gradient of a real loss by a complex z is its derivative by conj(z), so that the
    factor enters conjugated.
    """
    names = names_of(factor)

    def of_one(grad: Any, value: Any) -> Any:
        return grad * factor(value).conjugate()

    def of_any(grad: Any, *values: Any) -> Any:
        return grad * factor(*values).conjugate()

    return with_names(of_one if len(names) == 1 else of_any, ("grad", *names))


def with_names(function: Function, names: tuple[str, ...]) -> Function:
    """State the names of a rule's parameters where its signature does not."""
    function.rule_names = names  # type: ignore[attr-defined]
    return function


def bilinear(
    name: str,
    forward: Function,
    *,
    inputs: tuple[str, ...] = ("self", "other"),
    promote: str | None = None,
    grad_fn: str | None = None,
    batch: Function | None = None,
    **vjps: Function,
) -> Function:
    """Declare an op that is linear in each of two inputs.

    Args:
        vjp_<input>: the cotangent of each input.
    """
    primitive = Primitive(
        name,
        forward,
        inputs=inputs,
        vjps={key: vjps[f"vjp_{key}"] for key in inputs},
        kind="bilinear",
        promote=promote,
        grad_fn=grad_fn,
        batch=batch,
    )
    return declare(primitive, caller(primitive) if promote else calling)


def linear(
    name: str,
    forward: Function,
    transpose: Function,
    *,
    inputs: tuple[str, ...] = ("self",),
    grad_fn: str | None = None,
    batch: Function | None = None,
    kind: str = "linear",
) -> Function:
    """Declare an op that is linear in its first input, the others being constants.

    Args:
        transpose: the rule of the cotangent: the transposed linear map. With
            ``*inputs`` it returns a list.
        batch: the rule under vmap, see `layers.batched`.
    """
    primitive = Primitive(
        name,
        forward,
        inputs=inputs,
        vjps={inputs[0].lstrip("*"): transpose},
        kind=kind,
        grad_fn=grad_fn,
        batch=batch,
    )
    return declare(primitive, calling)


def view(
    name: str,
    forward: Function,
    transpose: Function | None,
    *,
    grad_fn: str | None = None,
    several: bool = False,
    batch: Function | None = None,
) -> Function:
    """Declare a linear op of one input whose results share memory with it.

    Args:
        transpose: the rule of the cotangent, which has the input's very shape; None if
            there is no derivative.
        several: the result is a tuple of views; the rule names ``grads``.
    """
    primitive = Primitive(
        name,
        forward,
        vjps={"self": transpose} if transpose else None,
        kind="view",
        grad_fn=grad_fn,
        batch=batch,
    )
    return declare(primitive, dividing if several else viewing)


def reduction(
    name: str,
    forward: Function,
    vjp: Function,
    *,
    jvp: Function | None = None,
    outputs: tuple[str, ...] = ("result",),
    grad_fn: str | None = None,
    batch: Function | None = None,
) -> Function:
    """Declare an op that takes the dimensions ``dim`` away.

    ``dim`` is a tuple of numbers from zero up (an integer where the op takes just one),
    ``keepdim`` says whether they stay with size 1.
    """
    primitive = Primitive(
        name,
        forward,
        outputs=outputs,
        vjps={"self": vjp},
        jvp=jvp,
        kind="reduction",
        grad_fn=grad_fn,
        batch=batch,
    )
    return declare(primitive, calling)


def fused(
    name: str,
    forward: Function,
    *,
    inputs: tuple[str, ...],
    outputs: tuple[str, ...] = ("result",),
    vjp: Function | None = None,
    jvp: Function | None = None,
    decomposition: Function | None = None,
    promote: str | None = None,
    grad_fn: str | None = None,
    batch: Function | None = None,
    hidden: tuple[str, ...] = (),
    quick: Callable[[Primitive], Function] = calling,
    **by_input: Function,
) -> Function:
    """Declare an op with its rules written out.

    Args:
        vjp: one rule for all inputs, which returns their cotangents in order (None
            where ``needs`` says that one is not wanted), or ``vjp_<input>`` for each.
        jvp: the rule of the tangent; it names the tangents ``<input>_t``. Or
            ``jvp_<input>``: rules of what each tangent adds to the result's. Without
            them the decomposition is used, or the vjp transposed.
        decomposition: the same function composed of primitives, with the forward's
            signature: second derivatives and layers use it where a rule is missing.
        hidden: names of what the forward returns after its result for the rules alone,
            see Note [Hidden results]; a decomposition is needed then.
        quick: makes the function that calls it.
    """
    primitive = Primitive(
        name,
        forward,
        inputs=inputs,
        outputs=outputs,
        vjps=of_kind("vjp_", by_input),
        vjp=vjp,
        jvp=jvp,
        jvps=of_kind("jvp_", by_input),
        kind="fused",
        promote=promote,
        grad_fn=grad_fn,
        decomposition=decomposition,
        batch=batch,
        hidden=hidden,
    )
    return declare(primitive, quick)


def flat(function: Function, grad_fn: str | None = None) -> Function:
    """Say that an op's slope is constant around points: see Note [Flat derivatives].

    Args:
        grad_fn: the name of the recorded cotangent's node, by default that of the
            backward of the op's backward.
    """
    primitive: Primitive = function.primitive  # type: ignore[attr-defined]
    primitive.flat = True
    return tied(function, *primitive.inputs, grad_fn=grad_fn)


def tied(function: Function, *inputs: str, grad_fn: str | None = None) -> Function:
    """Say that recorded cotangents require grad if one of these inputs does."""
    primitive: Primitive = function.primitive  # type: ignore[attr-defined]
    primitive.tied = inputs
    primitive.tied_grad_fn = grad_fn or f"{primitive.grad_fn[:-1]}Backward0"
    return function


def of_kind(prefix: str, rules: dict[str, Function]) -> dict[str, Function]:
    """Return the rules whose names begin so, by what follows in their names."""
    size = len(prefix)
    return {name[size:]: rule for name, rule in rules.items() if name[:size] == prefix}


def nondifferentiable(
    name: str,
    forward: Function,
    *,
    inputs: tuple[str, ...] = ("self",),
    outputs: tuple[str, ...] = ("result",),
    promote: str | None = None,
    kind: str = "nondifferentiable",
    refuses: Refusals = "",
    batch: Function | None = None,
) -> Function:
    """Declare an op that has no derivative anywhere."""
    primitive = Primitive(
        name,
        forward,
        inputs=inputs,
        outputs=outputs,
        kind=kind,
        promote=promote,
        batch=batch,
    )
    primitive.refuses = refusals(refuses)
    quick = kind == "elementwise" and len(outputs) == 1
    return declare(primitive, caller(primitive) if quick else calling)
