"""Checkpointing: compute a part again in backward, rather than keep what it saves.

A tour. `checkpoint` runs a function under saved-tensor hooks (`Region.pack`) that keep
an empty `Place` for each value that would be saved. When backward asks for the first of
them, the region is run again under other hooks, which fill the places (`Region.again`),
and stops as soon as the last is filled. So gradients flow in the ordinary record, and
all that works with it works here: hooks, ``create_graph``, ``autograd.grad``, nesting.
PyTorch has an older implementation, too (``use_reentrant=True``), which runs backward
inside backward; here it is the same one, which then refuses what that cannot do.
"""

from __future__ import annotations

import linecache
import sys
import threading
import warnings
from collections.abc import Callable, Iterable, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Any, NamedTuple, Self
from weakref import ref

from .. import dispatch, modes, tree
from ..autograd.grad_mode import enable_grad
from ..autograd.graph import saved_tensors_hooks
from ..generator import default_generator
from ..saved import SavedInput
from ..tensor import Tensor, level_of, wrap_at
from .selective import (
    CheckpointPolicy as CheckpointPolicy,
    Contexts,
    SelectiveCheckpointContext as SelectiveCheckpointContext,
    create_selective_checkpoint_contexts as create_selective_checkpoint_contexts,
)

__all__ = [
    "CheckpointError",
    "CheckpointPolicy",
    "DefaultDeviceType",
    "GraphExecGroup",
    "SelectiveCheckpointContext",
    "check_backward_validity",
    "checkpoint",
    "checkpoint_sequential",
    "create_selective_checkpoint_contexts",
    "detach_variable",
    "get_device_states",
    "noop_context_fn",
    "set_checkpoint_debug_enabled",
    "set_checkpoint_early_stop",
    "set_device_states",
]

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
        use_reentrant: refuse what PyTorch's older implementation cannot do: gradients
            of chosen inputs only, keyword arguments, `context_fn`.
        context_fn: returns a context for the first run and one for the second, such as
            `create_selective_checkpoint_contexts` makes.
        determinism_check: "default" compares the shapes and dtypes of what both runs
            save, "none" does not.
        debug: accepted; errors always name the lines that differ.
        early_stop: the second run stops when it has made what is needed.
        preserve_rng_state: the second run draws the same random numbers.

    A compiled function runs once what is checkpointed in it: what is kept in memory is
    the compiler's to decide.

    Raises:
        CheckpointError: in backward, if the second run does something else.

    >>> import wengert as torch
    >>> from wengert.utils.checkpoint import checkpoint
    >>> x = torch.zeros(2, requires_grad=True)
    >>> checkpoint(lambda x: x.exp().sum(), x, use_reentrant=False).backward()
    >>> x.grad
    tensor([1., 1.])
    """
    if not use_reentrant and determinism_check not in ("default", "none"):
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
    if not modes.is_grad_enabled_at(0) or dispatch.tracing is not None:
        return function(*args, **kwargs)
    region = Region(
        function,
        (args, kwargs),
        second,
        rng=default_generator.get_state() if preserve_rng_state else None,
        compares=determinism_check == "default",
        stops_early=early_stop if early_stopping is None else early_stopping,
        reentrant=bool(use_reentrant),
    )
    with saved_tensors_hooks(region.pack, region.unpack), first:
        result = function(*args, **kwargs)
    region.is_complete = True
    return result


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
    size, end = len(steps) // segments, 0
    for begin in range(0, size * (segments - 1), size):
        end = begin + size
        input = checkpoint(
            in_sequence(steps[begin:end]),
            input,
            use_reentrant=use_reentrant,
            preserve_rng_state=preserve,
        )
    return in_sequence(steps[end:])(input)


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


class GraphExecGroup:
    """A context that holds several backward calls: a region is run again once for all.

    No two of these may need the same saved value.
    """

    def __enter__(self) -> Self:
        if grouping.current is not None:
            raise RuntimeError(
                "GraphExecGroup contexts cannot be nested. Already inside group "
                f"{grouping.current}"
            )
        grouping.current = self
        return self

    def __exit__(self, *exception: object) -> None:
        grouping.current = None


class _Grouping(threading.local):
    current: GraphExecGroup | None = None


grouping = _Grouping()


# --- what programs for PyTorch ask for ------------------------------------------------


def detach_variable(inputs: tuple[Any, ...]) -> tuple[Any, ...]:
    """Return leaves that share memory with tensors and require grad as these do."""
    if not isinstance(inputs, tuple):
        raise RuntimeError(
            "Only tuple of tensors is supported. Got Unsupported input type: "
            f"{type(inputs).__name__}"
        )
    return tuple(
        [
            value.detach().requires_grad_(value.requires_grad)
            if isinstance(value, Tensor)
            else value
            for value in inputs
        ]
    )


def check_backward_validity(inputs: Iterable[Any]) -> None:
    """Warn if no tensor among the inputs requires grad."""
    if not any(value.requires_grad for value in inputs if isinstance(value, Tensor)):
        warnings.warn(
            "None of the inputs have requires_grad=True. Gradients will be None",
            stacklevel=2,
        )


class DefaultDeviceType:
    """The kind of device whose random numbers regions draw again: the CPU."""

    _default_device_type = "cpu"

    @classmethod
    def set_device_type(cls, device: str = "cuda") -> None:
        """Name another kind."""
        DefaultDeviceType._default_device_type = device

    @classmethod
    def get_device_type(cls) -> str:
        """Return the kind."""
        return DefaultDeviceType._default_device_type


def get_device_states(*args: Any) -> tuple[list[int], list[Tensor]]:
    """Return the devices other than the CPU that tensors are on: none."""
    return [], []


def set_device_states(
    devices: Iterable[int], states: Iterable[Tensor], *, device_type: str | None = None
) -> None:
    """Set the generators of devices: there are none."""


# --- a region -------------------------------------------------------------------------


class Place:
    """Where a saved value of a region will be."""

    __slots__ = ("__weakref__", "index", "taken_in", "value")

    def __init__(self, index: int) -> None:
        self.index = index
        self.value: Tensor | None = None
        self.taken_in: GraphExecGroup | None = None


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
        reentrant: bool,
    ) -> None:
        self.function = function
        self.context = context
        self.rng = rng
        self.compares = compares
        self.stops_early = stops_early
        self.reentrant = reentrant
        leaves, self.structure = tree.flatten(arguments)
        # If this is inside another region, that keeps places in place of these.
        self.arguments = [
            SavedInput(leaf) if isinstance(leaf, Tensor) else leaf for leaf in leaves
        ]
        self.traces: list[Trace] = []
        self.places: list[ref[Place]] = []
        self.is_complete = False
        """Whether the first run is over; it may call backward itself."""

    def pack(self, tensor: Tensor) -> Place:
        """Keep a place in place of a value."""
        place = Place(len(self.places))
        self.places.append(ref(place))
        self.traces.append(trace_of(tensor))
        return place

    def unpack(self, place: Place) -> Tensor:
        """Return a value, after running the region again if need be."""
        if self.reentrant and modes.local.partial:
            raise RuntimeError(
                "When use_reentrant=True, torch.utils.checkpoint is incompatible with "
                ".grad() or passing an `inputs` parameter to .backward(). To resolve "
                "this error, you can either set use_reentrant=False, or call "
                ".backward() without passing the `inputs` argument."
            )
        if grouping.current is not None:
            take_in_group(place, grouping.current)
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


def take_in_group(place: Place, group: GraphExecGroup) -> None:
    """Refuse to give a value to two backward calls of a group."""
    if place.taken_in is group:
        raise CheckpointError(
            "wengert.utils.checkpoint: Unpack is being triggered for a tensor that was "
            "already unpacked once. Performing two backward calls that overlap (i.e. "
            "require the same saved activation in order to compute gradients) is not "
            "allowed while under the torch.utils.checkpoint.GraphExecGroup context. "
            "If you are calling ctx.saved_tensors in backward, make sure to do so "
            "only once."
        )
    place.taken_in = group


class Refill:
    """The second run of a region."""

    def __init__(self, region: Region) -> None:
        self.region = region
        self.traces: list[Trace] = []
        self.goes_on = False
        """Whether this has saved more than a first run that is not over yet."""

    def pack(self, tensor: Tensor) -> Tensor:
        """Put a value into its place."""
        region, index = self.region, len(self.traces)
        self.traces.append(trace_of(tensor))
        kept = wrap_at(level_of(tensor), tensor._data)
        if index >= len(region.places):
            if not region.is_complete:
                self.goes_on = True
                return kept
            raise CheckpointError(
                "wengert.utils.checkpoint: trying to save more tensors during "
                "recomputation than during the original forward pass.\n"
                + difference(region.traces, self.traces)
            )
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
        if self.goes_on:
            return
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
