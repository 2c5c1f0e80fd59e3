"""The loss of sequences that need not be aligned.

See Graves and others, "Connectionist temporal classification" (2006). The labels are
spread among blanks, and the probabilities of all alignments that end at each of these
are summed step by step.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import inf
from typing import Any

from ..tensor import Tensor
from .public import namespace, op

NEVER = -1e30
"""The logarithm of the probability of what cannot be."""

CHECKING = "(while checking arguments for ctc_loss_allocate_outputs)"

REDUCTIONS = ("none", "mean", "sum")


def ctc_loss(
    log_probs: Tensor,
    targets: Tensor,
    input_lengths: Any,
    target_lengths: Any,
    blank: int = 0,
    reduction: str = "mean",
    zero_infinity: bool = False,
) -> Tensor:
    """Return the negative logarithm of the probability of labels, however aligned.

    Args:
        log_probs: (T, N, C) logarithms of probabilities, or (T, C).
        targets: (N, S) labels, or those of all sequences one after the other.
        input_lengths: (N) how many steps count.
        target_lengths: (N) how many labels there are.
        blank: the class that stands for no label.
        reduction: "mean" divides by the lengths of the targets first.
        zero_infinity: let losses that are infinite count as 0.

    >>> import wengert as torch
    >>> even = torch.full((2, 1, 2), 0.5).log()
    >>> torch.nn.functional.ctc_loss(even, torch.tensor([[1]]), (2,), (1,))
    tensor(0.2877)
    """
    if reduction not in REDUCTIONS:
        raise ValueError(f"{reduction} is not a valid value for reduction")
    single = log_probs.ndim == 2
    logs = log_probs.unsqueeze(1) if single else log_probs
    steps, labels = lengths(input_lengths, logs), lengths(target_lengths, logs)
    check_ctc(logs, steps, labels, blank)
    rows = padded(targets, labels)
    losses = of_batch(logs, rows, steps, labels, blank)
    if zero_infinity:
        losses = losses.where(losses != inf, 0)
    if reduction == "mean":
        counts = namespace["tensor"](labels).clamp_min(1).to(losses.dtype)
        return (losses / counts).mean()
    if reduction == "sum":
        return losses.sum()
    return losses.squeeze(0) if single else losses


@op(name="ctc_loss", method=False, out=False)
def by_number(
    log_probs: Tensor,
    targets: Tensor,
    input_lengths: Any,
    target_lengths: Any,
    blank: int = 0,
    reduction: int = 0,
    zero_infinity: bool = False,
) -> Tensor:
    """Do as `torch.nn.functional.ctc_loss`, with a number for the reduction."""
    return ctc_loss(
        log_probs,
        targets,
        input_lengths,
        target_lengths,
        blank,
        REDUCTIONS[reduction],
        zero_infinity,
    )


def lengths(given: Any, logs: Tensor) -> list[int]:
    """Return lengths as integers."""
    if isinstance(given, Tensor):
        if given.is_floating_point():
            raise RuntimeError("input_lengths must be integral")
        given = given.reshape((-1,)).tolist()
    return [int(length) for length in given]


def check_ctc(logs: Tensor, steps: list[int], labels: list[int], blank: int) -> None:
    """Refuse lengths that do not fit the batch."""
    total, count, classes = logs.shape
    if not 0 <= blank < classes:
        raise RuntimeError("blank must be in label range")
    for name, found in (("input_lengths", steps), ("target_lengths", labels)):
        if len(found) != count:
            raise RuntimeError(f"{name} must be of size batch_size")
        if min(found, default=0) < 0:
            got = f"value at least 0, but got value {min(found)}"
            raise RuntimeError(f"Expected {name} to have {got} {CHECKING}")
    if max(steps, default=0) > total:
        got = f"value at most {total}, but got value {max(steps)}"
        raise RuntimeError(f"Expected input_lengths to have {got} {CHECKING}")


def padded(targets: Tensor, labels: Sequence[int]) -> Tensor:
    """Return the labels of each sequence as a row."""
    longest, total = max(labels, default=0), sum(labels)
    if targets.ndim == 2:
        if targets.shape[1] < longest:
            raise RuntimeError(
                f"Expected tensor to have size at least {longest} at dimension 1, but "
                f"got size {targets.shape[1]} for argument #2 'targets' {CHECKING}"
            )
        return targets[:, :longest].long()
    if targets.shape[0] != total:
        raise RuntimeError(
            f"Expected tensor to have size {total} at dimension 0, but got size "
            f"{targets.shape[0]} for argument #2 'targets' {CHECKING}"
        )
    ends = [sum(labels[: i + 1]) for i in range(len(labels))]
    rows = [
        namespace["constant_pad_nd"](targets[e - n : e].long(), (0, longest - n))
        for e, n in zip(ends, labels, strict=True)
    ]
    found: Tensor = namespace["stack"](rows)
    return found


def of_batch(
    logs: Tensor, rows: Tensor, steps: list[int], labels: list[int], blank: int
) -> Tensor:
    """Return the loss of each sequence of a batch.

    Args:
        rows: the labels of each, filled up to one length.
    """
    total, count, _ = logs.shape
    places = 2 * rows.shape[1] + 1
    # the labels with a blank before each, and one at the end
    spread = rows.new_full((count, places), blank)
    spread[:, 1::2] = rows
    # a step may leave a blank out between labels that differ
    skips = spread.new_zeros((count, places)).bool()
    skips[:, 3::2] = rows[:, 1:] != rows[:, :-1]
    emitted = logs.gather(2, spread.unsqueeze(0).expand((total, count, places)))
    emitted = emitted.clamp_min(NEVER)
    state = emitted[0].where(namespace["arange"](places) < 2, NEVER)
    ends = namespace["tensor"](steps).unsqueeze(1)
    for step in range(1, total):
        one, two = shifted(state, 1), shifted(state, 2).where(skips, NEVER)
        arrived = namespace["logsumexp"](namespace["stack"]([state, one, two]), 0)
        state = (arrived + emitted[step]).clamp_min(NEVER).where(ends > step, state)
    return probable(state, labels, steps) + normalization(logs, steps)


def shifted(state: Tensor, by: int) -> Tensor:
    """Return what was so many places before."""
    found: Tensor = namespace["constant_pad_nd"](state, (by, -by), NEVER)
    return found


def probable(state: Tensor, labels: list[int], steps: list[int]) -> Tensor:
    """Return the losses of alignments that end with the last label or a blank."""
    last = namespace["tensor"](labels).unsqueeze(1) * 2
    at_blank = state.gather(1, last)
    at_label = state.gather(1, (last - 1).clamp_min(0)).where(last > 0, NEVER)
    found = at_blank.logaddexp(at_label).squeeze(1)
    nothing = namespace["tensor"]([n == 0 for n in steps])
    losses: Tensor = (-found).where(found > NEVER / 2, inf)
    empty = (-state[:, 0] * 0).where(last.squeeze(1) == 0, inf)
    return losses.where(~nothing, empty)


def normalization(logs: Tensor, steps: list[int]) -> Tensor:
    """Return zeros with the gradient that makes up for a softmax.

    PyTorch's gradient is that of unnormalized logarithms: each step's probabilities,
    which sum to 1, are added to it. It makes no difference below a `log_softmax`.
    """
    counted = namespace["arange"](logs.shape[0]).unsqueeze(1) < namespace["tensor"](
        steps
    )
    sums = (logs.exp().sum(2) * counted).sum(0)
    zeros: Tensor = sums - sums.detach()
    return zeros
