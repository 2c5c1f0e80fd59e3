"""Checkpointing: compute a part again in backward, rather than keep what it saves.

A tour. `checkpoint` runs a function under saved-tensor hooks (`Region.pack`) that keep
an empty `Place` for each value that would be saved. When backward asks for the first of
them, the region is run again under other hooks, which fill the places (`Region.again`),
and stops as soon as the last is filled. So gradients flow in the ordinary record, and
all that works with it works here: hooks, ``create_graph``, ``autograd.grad``, nesting.
PyTorch has an older implementation, too (``use_reentrant=True``), which runs backward
inside backward; here the argument makes no difference.
"""

from __future__ import annotations

import linecache
import sys
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from enum import Enum
from typing import Any, NamedTuple
from weakref import ref

from .. import modes, tree
from ..autograd.grad_mode import enable_grad
from ..autograd.graph import saved_tensors_hooks
from ..dispatch import computed
from ..generator import default_generator
from ..primitive import Primitive
from ..saved import SavedInput
from ..tensor import Tensor, level_of, wrap_at

__all__ = [
    "CheckpointError",
    "CheckpointPolicy",
    "SelectiveCheckpointContext",
    "checkpoint",
    "checkpoint_sequential",
    "create_selective_checkpoint_contexts",
    "noop_context_fn",
    "set_checkpoint_debug_enabled",
    "set_checkpoint_early_stop",
]

Contexts = tuple[AbstractContextManager[Any], AbstractContextManager[Any]]
PACKAGE = __name__.partition(".")[0] + "."


class CheckpointError(RuntimeError):
    """Running a region again has not given what it gave the first time."""


# --- the public functions -------------------------------------------------------------


def noop_context_fn() -> Contexts:
    """Return two contexts that do nothing."""
    return nullcontext(), nullcontext()


def checkpoint(
    function: Callable[..., Any],
    *args: Any,
    use_reentrant: bool | None = None,
    context_fn: Callable[[], Contexts] = noop_context_fn,
    determinism_check: str = "default",
    debug: bool = False,
    early_stop: bool = True,
    preserve_rng_state: bool = True,
    **kwargs: Any,
) -> Any:
    """Call a function, and call it again in backward instead of keeping what it saves.

    Args:
        function: called with `args` and `kwargs`; it must do the same both times.
        use_reentrant: which of PyTorch's implementations; here there is one.
        context_fn: returns a context for the first run and one for the second, such as
            `create_selective_checkpoint_contexts` makes.
        determinism_check: "default" compares the shapes and dtypes of what both runs
            save, "none" does not.
        debug: accepted; errors always name the lines that differ.
        early_stop: the second run stops when it has made what is needed.
        preserve_rng_state: the second run draws the same random numbers.

    Raises:
        CheckpointError: in backward, if the second run does something else.

    >>> import wengert as torch
    >>> from wengert.utils.checkpoint import checkpoint
    >>> x = torch.zeros(2, requires_grad=True)
    >>> checkpoint(lambda x: x.exp().sum(), x, use_reentrant=False).backward()
    >>> x.grad
    tensor([1., 1.])
    """
    if determinism_check not in ("default", "none"):
        raise ValueError(
            "determinism_check should be one of ['default', 'none'], but got "
            f"{determinism_check}"
        )
    if use_reentrant:
        if context_fn is not noop_context_fn or debug:
            raise ValueError(
                "Passing `context_fn` or `debug` is only supported when "
                "use_reentrant=False."
            )
        if kwargs:
            raise ValueError("Unexpected keyword arguments: " + ",".join(kwargs))
    first, second = context_fn()
    if not modes.is_grad_enabled_at(0):
        return function(*args, **kwargs)
    region = Region(
        function,
        (args, kwargs),
        second,
        rng=default_generator.get_state() if preserve_rng_state else None,
        compares=determinism_check == "default",
        stops_early=early_stop if early_stopping is None else early_stopping,
    )
    with saved_tensors_hooks(region.pack, region.unpack), first:
        return function(*args, **kwargs)


def checkpoint_sequential(
    functions: Any,
    segments: int,
    input: Any,
    use_reentrant: bool | None = None,
    **kwargs: Any,
) -> Any:
    """Call functions one after the other, all but the last segment checkpointed.

    Args:
        functions: a `nn.Sequential`, or functions of one argument.
        segments: into how many parts to divide them.
        input: the first function's argument.
        kwargs: ``preserve_rng_state``.
    """
    preserve = kwargs.pop("preserve_rng_state", True)
    if kwargs:
        raise ValueError("Unexpected keyword arguments: " + ",".join(kwargs))
    steps = list(functions)
    size = len(steps) // segments
    last = size * (segments - 1)
    for begin in range(0, last, size) if size else ():
        input = checkpoint(
            in_sequence(steps[begin : begin + size]),
            input,
            use_reentrant=use_reentrant,
            preserve_rng_state=preserve,
        )
    return in_sequence(steps[last:])(input)


def in_sequence(steps: Sequence[Callable[[Any], Any]]) -> Callable[[Any], Any]:
    """Return the function that calls some functions one after the other."""

    def run(value: Any) -> Any:
        for step in steps:
            value = step(value)
        return value

    return run


early_stopping: bool | None = None
"""What `set_checkpoint_early_stop` has set."""


@contextmanager
def set_checkpoint_early_stop(enable: bool) -> Any:
    """Inside, decide whether regions stop early, whatever they ask for."""
    global early_stopping
    before, early_stopping = early_stopping, enable
    try:
        yield
    finally:
        early_stopping = before


@contextmanager
def set_checkpoint_debug_enabled(enabled: bool | None) -> Any:
    """Accept what PyTorch has; errors name the lines that differ in any case."""
    yield


# --- a region -------------------------------------------------------------------------


class Place:
    """Where a saved value of a region will be."""

    __slots__ = ("__weakref__", "index", "value")

    def __init__(self, index: int) -> None:
        self.index = index
        self.value: Tensor | None = None


class Trace(NamedTuple):
    """What is remembered of a saved value: what it was, and which line saved it."""

    shape: tuple[int, ...]
    dtype: Any
    line: tuple[str, int]

    @property
    def metadata(self) -> dict[str, Any]:
        return {"shape": self.shape, "dtype": self.dtype}

    def __str__(self) -> str:
        file, number = self.line
        text = linecache.getline(file, number).strip()
        return f"{list(self.shape)} {self.dtype}, saved by {file}:{number}: {text}"


class Stop(Exception):
    """Ends a second run that has made all that is needed."""


class Region:
    """One call of `checkpoint`."""

    def __init__(
        self,
        function: Callable[..., Any],
        arguments: Any,
        context: AbstractContextManager[Any],
        *,
        rng: Any,
        compares: bool,
        stops_early: bool,
    ) -> None:
        self.function = function
        self.context = context
        self.rng = rng
        self.compares = compares
        self.stops_early = stops_early
        leaves, self.structure = tree.flatten(arguments)
        # If this is inside another region, that keeps places in place of these.
        self.arguments = [
            SavedInput(leaf) if isinstance(leaf, Tensor) else leaf for leaf in leaves
        ]
        self.traces: list[Trace] = []
        self.places: list[ref[Place]] = []

    def pack(self, tensor: Tensor) -> Place:
        """Keep a place in place of a value."""
        place = Place(len(self.places))
        self.places.append(ref(place))
        self.traces.append(trace_of(tensor))
        return place

    def unpack(self, place: Place) -> Tensor:
        """Return a value, after running the region again if need be."""
        if place.value is None:
            self.again()
        value, place.value = place.value, None
        assert value is not None
        return value

    def again(self) -> None:
        """Run the region a second time, to fill the places."""
        leaves = [
            leaf.unpack(None) if isinstance(leaf, SavedInput) else leaf
            for leaf in self.arguments
        ]
        args, kwargs = tree.unflatten(leaves, self.structure)
        refill = Refill(self)
        now = default_generator.get_state()
        if self.rng is not None:
            default_generator.set_state(self.rng)
        try:
            hooks = saved_tensors_hooks(refill.pack, refill.unpack)
            with enable_grad(), hooks, self.context:
                self.function(*args, **kwargs)
        except Stop:
            pass
        finally:
            if self.rng is not None:
                default_generator.set_state(now)
        refill.check()


class Refill:
    """The second run of a region."""

    def __init__(self, region: Region) -> None:
        self.region = region
        self.traces: list[Trace] = []

    def pack(self, tensor: Tensor) -> Tensor:
        """Put a value into its place."""
        region, index = self.region, len(self.traces)
        self.traces.append(trace_of(tensor))
        kept = wrap_at(level_of(tensor), tensor._data)
        if index < len(region.places):
            place = region.places[index]()
            if place is not None:
                place.value = kept
        if region.stops_early and index + 1 == len(region.places):
            raise Stop
        return kept

    def unpack(self, value: Tensor) -> Tensor:
        """Return a value that the function needs itself: it has called backward."""
        return value

    def check(self) -> None:
        """Refuse a second run that has saved something else than the first."""
        first, second = self.region.traces, self.traces
        if len(first) != len(second):
            raise CheckpointError(
                "wengert.utils.checkpoint: A different number of tensors was saved "
                "during the original forward and recomputation.\nNumber of tensors "
                f"saved during forward: {len(first)}\nNumber of tensors saved during "
                f"recomputation: {len(second)}.\n{difference(first, second)}"
            )
        if self.region.compares:
            for index, (a, b) in enumerate(zip(first, second, strict=True)):
                if a.metadata != b.metadata:
                    raise CheckpointError(
                        "wengert.utils.checkpoint: Recomputed values for the following "
                        "tensors have different metadata than during the forward pass."
                        f"\ntensor at position {index}:\nsaved metadata: {a.metadata}\n"
                        f"recomputed metadata: {b.metadata}\n"
                        + difference(first, second)
                    )


def difference(first: Sequence[Trace], second: Sequence[Trace]) -> str:
    """Say where the runs of a region begin to differ."""
    for index, (a, b) in enumerate(zip(first, second, strict=False)):
        if a != b:
            return (
                f"They differ from the value at position {index} on.\n"
                f"The first run: {a}\nThe second run: {b}"
            )
    count = min(len(first), len(second))
    longer, which = (first, "first") if len(first) > count else (second, "second")
    return f"Only the {which} run goes on after {count} values: {longer[count]}"


def trace_of(tensor: Tensor) -> Trace:
    """Return what is remembered of a value that is being saved."""
    return Trace(tuple(tensor.shape), tensor.dtype, user_line())


def user_line() -> tuple[str, int]:
    """Return the file and line of the program from which the library was called."""
    frame = sys._getframe(1)
    while frame.f_back and frame.f_globals.get("__name__", "").startswith(PACKAGE):
        frame = frame.f_back
    return frame.f_code.co_filename, frame.f_lineno


# --- selective policies ---------------------------------------------------------------


class CheckpointPolicy(Enum):
    """What becomes of the results of an op in a region: kept, or computed again."""

    MUST_SAVE = 0
    PREFER_SAVE = 1
    MUST_RECOMPUTE = 2
    PREFER_RECOMPUTE = 3
    MUST_CPU_OFFLOAD = 4
    PREFER_CPU_OFFLOAD = 5


KEPT = {
    CheckpointPolicy.MUST_SAVE,
    CheckpointPolicy.PREFER_SAVE,
    CheckpointPolicy.MUST_CPU_OFFLOAD,
    CheckpointPolicy.PREFER_CPU_OFFLOAD,
}


class SelectiveCheckpointContext(NamedTuple):
    """What a policy is told about the run."""

    is_recompute: bool


Policy = Callable[..., CheckpointPolicy | bool]


def create_selective_checkpoint_contexts(
    policy_fn_or_list: Policy | Iterable[Any],
    allow_cache_entry_mutation: bool = False,
) -> Contexts:
    """Return contexts under which the results of some ops are kept, others made again.

    Args:
        policy_fn_or_list: called as ``policy(ctx, op, *args, **kwargs)`` with the name
            of an op (``"mm"``), its arrays and parameters, returns a
            `CheckpointPolicy`; or the ops to keep: their names, or functions such as
            ``torch.mm``.
        allow_cache_entry_mutation: accepted: what is kept is not written to.

    >>> import wengert as torch
    >>> from wengert.utils import checkpoint as c
    >>> def contexts():
    ...     return c.create_selective_checkpoint_contexts([torch.exp])
    >>> x = torch.zeros(2, requires_grad=True)
    >>> y = c.checkpoint(lambda x: x.exp().sin(), x, context_fn=contexts)
    >>> y.sum().backward()
    """
    if callable(policy_fn_or_list):
        policy = policy_fn_or_list
    else:
        policy = keeping(policy_fn_or_list)
    kept: dict[str, list[Any]] = defaultdict(list)
    return Keep(policy, kept), Reuse(policy, kept)


def keeping(ops: Iterable[Any]) -> Policy:
    """Return the policy that keeps the results of some ops."""
    names = set()
    for op in ops:
        name = op if isinstance(op, str) else getattr(op, "__name__", None)
        if name is None:
            raise ValueError(
                f"expected the name of an op, or its function, but got {op!r}"
            )
        names.add(name)

    def policy(ctx: Any, op: str, *args: Any, **kwargs: Any) -> CheckpointPolicy:
        keep = op in names
        return CheckpointPolicy.MUST_SAVE if keep else CheckpointPolicy.PREFER_RECOMPUTE

    return policy


class Keep:
    """Keeps results, op by op, in the order of the calls."""

    is_recompute = False

    def __init__(self, policy: Policy, kept: dict[str, list[Any]]) -> None:
        self.policy = policy
        self.kept = kept

    def __enter__(self) -> None:
        self.before = modes.switch("compute", self.compute)

    def __exit__(self, *exception: object) -> None:
        modes.switch("compute", self.before)

    def keeps(self, primitive: Primitive, arrays: Any, params: dict[str, Any]) -> bool:
        """Whether the policy is to keep the results of a call; views cost nothing."""
        if primitive.kind == "view":
            return False
        ctx = SelectiveCheckpointContext(self.is_recompute)
        found = self.policy(ctx, primitive.name, *arrays, **params)
        return found in KEPT or found is True

    def compute(self, primitive: Primitive, arrays: Any, params: dict[str, Any]) -> Any:
        """Compute, and keep the results if the policy says so."""
        results = computed(primitive, arrays, params)
        if self.keeps(primitive, arrays, params):
            self.kept[primitive.name].append(copied(results))
        return results


class Reuse(Keep):
    """Returns results that were kept."""

    is_recompute = True

    def __enter__(self) -> None:
        super().__enter__()
        self.calls: dict[str, int] = defaultdict(int)

    def compute(self, primitive: Primitive, arrays: Any, params: dict[str, Any]) -> Any:
        """Return the results that were kept of the same call, or compute."""
        if not self.keeps(primitive, arrays, params):
            return computed(primitive, arrays, params)
        index = self.calls[primitive.name]
        self.calls[primitive.name] += 1
        if index >= len(self.kept[primitive.name]):
            raise CheckpointError(
                f"{primitive.name} is to be kept by the policy, but was called more "
                "often in the second run than in the first"
            )
        return copied(self.kept[primitive.name][index])


def copied(results: Any) -> Any:
    """Return results such that writing to the originals does not change them."""
    return tree.map(lambda x: x.copy() if hasattr(x, "copy") else x, results)
