"""Modules as functions of their parameters: `functional_call` and its like."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from ..tensor import Tensor

if TYPE_CHECKING:
    from ..nn import Module

Tensors = dict[str, Any]


def functional_call(
    module: Module,
    parameter_and_buffer_dicts: Mapping[str, Tensor] | Sequence[Mapping[str, Tensor]],
    args: Any = None,
    kwargs: dict[str, Any] | None = None,
    *,
    tie_weights: bool = True,
    strict: bool = False,
) -> Any:
    """Call a module with other tensors in place of its parameters and buffers.

    Args:
        module: what to call.
        parameter_and_buffer_dicts: the tensors by the names that ``named_parameters``
            and ``named_buffers`` give them; one dictionary or several.
        args: the arguments: a tuple, or one that is none.
        kwargs: the keyword arguments.
        tie_weights: what takes the place of one of several tied parameters does so for
            all of them.
        strict: refuse names that are unknown or missing.

    Raises:
        ValueError: a name occurs twice.
        RuntimeError: names do not fit, if `strict`.

    >>> import wengert as torch
    >>> layer = torch.nn.Linear(2, 1)
    >>> tensors = {"weight": torch.ones(1, 2), "bias": torch.zeros(1)}
    >>> torch.func.functional_call(layer, tensors, torch.ones(2))
    tensor([2.])
    """
    given = merged(parameter_and_buffer_dicts)
    positional = () if args is None else args if isinstance(args, tuple) else (args,)
    with swapped(module, given, tie_weights=tie_weights, strict=strict):
        return module(*positional, **(kwargs or {}))


def merged(dicts: Any) -> Mapping[str, Tensor]:
    """Return one dictionary of those given, or refuse them."""
    if isinstance(dicts, Mapping):
        return dicts
    if not isinstance(dicts, Sequence) or not all(
        isinstance(d, Mapping) for d in dicts
    ):
        raise ValueError(
            "Expected parameter_and_buffer_dicts to be a dict, or a list/tuple of "
            f"dicts, but got {type(dicts)}"
        )
    names = [name for found in dicts for name in found]
    repeated = sorted({name for name in names if names.count(name) > 1})
    if repeated:
        raise ValueError(
            f"{repeated} appeared in multiple dictionaries; behavior of functional "
            "call is ambiguous"
        )
    return {name: tensor for found in dicts for name, tensor in found.items()}


def places_of(module: Module) -> dict[str, tuple[dict[str, Any], str]]:
    """Return for the name of each parameter and buffer where the module keeps it."""
    places = {}
    for prefix, child in module.named_modules(remove_duplicate=False):
        dot = prefix + "." if prefix else ""
        for registry in (child._parameters, child._buffers):
            for name, tensor in registry.items():
                if tensor is not None:
                    places[dot + name] = (registry, name)
    return places


@contextmanager
def swapped(
    module: Module, given: Mapping[str, Tensor], *, tie_weights: bool, strict: bool
) -> Iterator[None]:
    """Have other tensors in a module; put its own back at the end."""
    places = places_of(module)
    for tensor in given.values():
        if not isinstance(tensor, Tensor | None):
            raise TypeError(f"{tensor} is not an instance of torch.Tensor")
    wanted = with_tied(places, given) if tie_weights else dict(given)
    if strict:
        check_names(module, places, wanted)
    own = {}
    for name in wanted:
        if name in places:
            registry, key = places[name]
            own[name] = registry[key]
    try:
        for name in own:
            registry, key = places[name]
            registry[key] = wanted[name]
        yield
    finally:
        for name, tensor in own.items():
            registry, key = places[name]
            # a module may have put another buffer in the place of the one given
            if name in given and isinstance(given, dict):
                given[name] = registry[key]
            registry[key] = tensor


def with_tied(places: Mapping[str, Any], given: Mapping[str, Tensor]) -> Tensors:
    """Return the tensors by name, and once more by each name of a tied parameter."""
    tied: dict[int, list[str]] = {}
    for name, (registry, key) in places.items():
        tied.setdefault(id(registry[key]), []).append(name)
    wanted = dict(given)
    for names in tied.values():
        found = [name for name in names if name in given]
        if len({id(given[name]) for name in found}) > 1:
            raise ValueError(
                f"functional_call got multiple values for keys {sorted(found)}, which "
                "are tied. Consider using tie_weights=False"
            )
        if found:
            wanted |= dict.fromkeys(names, given[found[0]])
    return wanted


def check_names(
    module: Module, places: Mapping[str, Any], given: Mapping[str, Tensor]
) -> None:
    """Refuse names that the module does not have, and lacking ones."""
    lines = []
    for title, names in (
        ("Unexpected", given.keys() - places.keys()),
        ("Missing", places.keys() - given.keys()),
    ):
        if names:
            listed = ", ".join([f"'{name}'" for name in sorted(names)])
            lines.append(f"\n\t{title} key(s): {listed}.")
    if lines:
        raise RuntimeError(
            f"Error(s) in reparametrizing for {type(module).__name__}:{''.join(lines)}"
        )


def stack_module_state(models: Sequence[Module]) -> tuple[Tensors, Tensors]:
    """Return the parameters and the buffers of alike modules, each stacked.

    With `functional_call` and `vmap` an ensemble of models is one call.

    >>> import wengert as torch
    >>> layers = [torch.nn.Linear(2, 1) for _ in range(3)]
    >>> parameters, buffers = torch.func.stack_module_state(layers)
    >>> parameters["weight"].shape
    torch.Size([3, 1, 2])
    """
    models = list(models)
    if not models:
        raise RuntimeError("stack_module_state: Expected at least one model, got 0.")
    if len({model.training for model in models}) > 1:
        raise RuntimeError(
            "stack_module_state: Expected all models to have the same training/eval "
            "mode."
        )
    if len({type(model) for model in models}) > 1:
        raise RuntimeError(
            "stack_module_state: Expected all models to be of the same class."
        )
    parameters = [dict(model.named_parameters()) for model in models]
    buffers = [dict(model.named_buffers()) for model in models]
    return stacked(parameters), stacked(buffers)


def stacked(rows: Sequence[Mapping[str, Tensor]]) -> Tensors:
    """Return the tensors of all rows by name, stacked: leaves where the rows' are."""
    from ..ops.public import namespace

    result = {}
    for name in rows[0]:
        column = [row[name] for row in rows]
        if len({tensor.requires_grad for tensor in column}) > 1:
            raise RuntimeError(
                f"Expected {name} from each model to have the same .requires_grad"
            )
        whole = namespace["stack"]([tensor.detach() for tensor in column])
        result[name] = whole.requires_grad_(column[0].requires_grad)
    return result
