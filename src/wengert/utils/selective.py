"""Selective checkpointing: a policy says which results of a region are kept."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from contextlib import AbstractContextManager
from enum import Enum
from typing import Any

from .. import modes
from ..dispatch import computed
from ..primitive import Primitive
from ..tensor import counter

Contexts = tuple[AbstractContextManager[Any], AbstractContextManager[Any]]


class CheckpointPolicy(Enum):
    """What becomes of the results of an op in a region: kept, or computed again."""

    MUST_SAVE = 0
    PREFER_SAVE = 1
    MUST_RECOMPUTE = 2
    PREFER_RECOMPUTE = 3
    MUST_CPU_OFFLOAD = 4
    PREFER_CPU_OFFLOAD = 5


KEPT = {CheckpointPolicy.MUST_SAVE, CheckpointPolicy.PREFER_SAVE}


class SelectiveCheckpointContext:
    """What a policy is told: the op's results. It is asked in the first run only."""

    def __init__(self, *, is_recompute: bool, op_output: Any = None) -> None:
        self.is_recompute = is_recompute
        self.op_output = op_output


Policy = Callable[..., CheckpointPolicy | bool]
MISMATCH = (
    "This can happen if the operations in the checkpointed region are nondeterministic "
    "or depend on global state that changed between forward and backward."
)


def create_selective_checkpoint_contexts(
    policy_fn_or_list: Policy | list[Any], allow_cache_entry_mutation: bool = False
) -> Contexts:
    """Return contexts under which the results of some ops are kept, others made again.

    Backward can go through such a region once.

    Args:
        policy_fn_or_list: called as ``policy(ctx, op, *args, **kwargs)`` with the name
            of an op (``"mm"``), its arrays and parameters, returns a
            `CheckpointPolicy`; or the ops to keep: their names, or functions such as
            ``torch.mm``.
        allow_cache_entry_mutation: use what was kept even if it was written to since.

    >>> import wengert as torch
    >>> from wengert.utils import checkpoint as c
    >>> def contexts():
    ...     return c.create_selective_checkpoint_contexts([torch.exp])
    >>> x = torch.zeros(2, requires_grad=True)
    >>> y = c.checkpoint(lambda x: x.exp().sin(), x, context_fn=contexts)
    >>> y.sum().backward()
    """
    if isinstance(policy_fn_or_list, list):
        policy = keeping(policy_fn_or_list)
    elif callable(policy_fn_or_list):
        policy = policy_fn_or_list
    else:
        raise TypeError("policy_fn_or_list must be either a function or a list of ops.")
    kept: Storage = defaultdict(list)
    return Keep(policy, kept), Reuse(kept, allow_cache_entry_mutation)


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


class Results:
    """Results of a call that are kept, and the versions of the tensors they became."""

    def __init__(self, found: Any, made: Any) -> None:
        self.found = found
        tensors = made if isinstance(made, tuple) else (made,)
        self.versions = [(counter(tensor), counter(tensor)[0]) for tensor in tensors]

    def get(self, *, changed: bool) -> Any:
        """Return what was kept; refuse it if it is not to be `changed` and was."""
        if not changed and any(now[0] != then for now, then in self.versions):
            raise RuntimeError(
                "Tensor cached during selective activation checkpoint has been mutated"
            )
        return self.found


RECOMPUTED, CONSUMED = object(), object()
"""What stands for a call whose results are not kept, or no longer."""
Storage = dict[str, list[Any]]
"""By the names of ops, an entry for each call in order: `Results`, or one of these."""


class Keep:
    """Asks the policy about each call, and keeps what it says."""

    def __init__(self, policy: Policy, kept: Storage) -> None:
        self.policy = policy
        self.kept = kept

    def __enter__(self) -> None:
        self.before = modes.local.compute, modes.local.made
        self.begin()

    def begin(self) -> None:
        modes.switch("compute", self.compute)
        modes.switch("made", self.made)

    def __exit__(self, *exception: object) -> None:
        compute, made = self.before
        modes.switch("made", made)
        modes.switch("compute", compute)

    def compute(
        self, primitive: Primitive, arrays: Sequence[Any], params: dict[str, Any]
    ) -> Any:
        """Compute, and remember the call until the results are tensors."""
        found = computed(primitive, arrays, params)
        self.latest = found, arrays, params
        return found

    def made(self, primitive: Primitive, made: Any) -> None:
        """Keep the results if the policy says so; views cost nothing."""
        if primitive.kind == "view":
            return
        found, arrays, params = self.latest
        ctx = SelectiveCheckpointContext(is_recompute=False, op_output=made)
        self.__exit__()  # the policy's own ops are none of the region's
        try:
            wanted = self.policy(ctx, primitive.name, *arrays, **params)
        finally:
            self.begin()
        keep = wanted in KEPT or wanted is True
        self.kept[primitive.name].append(Results(found, made) if keep else RECOMPUTED)


class Reuse:
    """Returns results that were kept."""

    def __init__(self, kept: Storage, allow_mutation: bool) -> None:
        self.kept = kept
        self.allow_mutation = allow_mutation

    def __enter__(self) -> None:
        self.calls: dict[str, int] = defaultdict(int)
        self.before = modes.switch("compute", self.compute)

    def __exit__(self, *exception: object) -> None:
        modes.switch("compute", self.before)

    def compute(
        self, primitive: Primitive, arrays: Sequence[Any], params: dict[str, Any]
    ) -> Any:
        """Return the results that were kept of the same call, or compute."""
        if primitive.kind == "view":
            return computed(primitive, arrays, params)
        name = primitive.name
        index = self.calls[name]
        self.calls[name] += 1
        entries = self.kept.get(name, ())
        if index >= len(entries):
            which = f" invocation index {index}" if entries else ""
            raise RuntimeError(
                f"{name}{which} encountered during backward but not found in storage. "
                + MISMATCH
            )
        entry = entries[index]
        if entry is RECOMPUTED:
            return computed(primitive, arrays, params)
        if entry is CONSUMED:
            raise RuntimeError(
                "Trying to backward an extra time. You are only allowed to backward "
                "once on any region computed under selective activation checkpoint."
            )
        self.kept[name][index] = CONSUMED
        return entry.get(changed=self.allow_mutation)
