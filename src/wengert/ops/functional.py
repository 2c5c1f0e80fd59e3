"""Functions of ``torch.nn.functional`` that ``torch`` has as well.

Some take their arguments in another order there, and losses take a number for the
reduction: 0 for "none", which PyTorch takes if there is no number, 1 for "mean", 2 for
"sum".
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any

from ..inplace import inplace
from ..tensor import Tensor
from . import activation, contraction, dropout, loss, margin_loss, norms
from .normalization import batch_norm, instance_norm
from .public import namespace, op, publish

REDUCTIONS = ("none", "mean", "sum")

# --- under the same name and with the same arguments ----------------------------------

for _call, _method in (
    (activation.hardshrink, True),
    (activation.prelu, True),
    (contraction.bilinear, False),
    (norms.pdist, False),
):
    publish(_call, [_call.__name__], method=_method, out=False)


@op(method=False, out=False)
def threshold(input: Tensor, threshold: float, value: float) -> Tensor:
    """Return x where it is above the threshold, else a value."""
    return activation.threshold(input, threshold, value)


@op(method=False, out=False)
def rrelu(
    input: Tensor,
    lower: float = 1.0 / 8,
    upper: float = 1.0 / 3,
    training: bool = False,
) -> Tensor:
    """Return x where it is positive, else x times a slope, random in training."""
    return activation.rrelu(input, lower, upper, training)


for _call in (threshold, rrelu):
    namespace[f"{_call.__name__}_"] = inplace(_call)


def rearranging(name: str, arguments: str) -> None:
    """Publish a function that `nn` has."""

    def call(input: Tensor, *args: Any, **kwargs: Any) -> Tensor:
        from ..nn import rearranging  # above this module in the order of imports

        result: Tensor = getattr(rearranging, name)(input, *args, **kwargs)
        return result

    call.__name__ = call.__qualname__ = name
    call.__doc__ = f"Do as `torch.nn.functional.{name}`, with the {arguments}."
    namespace[name] = call


rearranging("channel_shuffle", "number of groups")
rearranging("pixel_shuffle", "upscale factor")
rearranging("pixel_unshuffle", "downscale factor")

# --- dropout, whose `train` is not left out -------------------------------------------


def dropping(name: str, call: Callable[..., Tensor]) -> None:
    """Publish a kind of dropout, and that in place."""

    def drop(input: Tensor, p: float, train: bool) -> Tensor:
        return call(input, p, train)

    def drop_(input: Tensor, p: float, train: bool) -> Tensor:
        return call(input, p, train, True)

    for title, function in ((name, drop), (f"{name}_", drop_)):
        if title not in namespace:
            function.__name__ = function.__qualname__ = title
            function.__doc__ = f"Do as `torch.nn.functional.{name}`."
            namespace[title] = function


dropping("alpha_dropout", dropout.alpha_dropout)
dropping("dropout", dropout.dropout)
dropping("feature_alpha_dropout", dropout.feature_alpha_dropout)
dropping("feature_dropout", dropout.dropout2d)

# --- normalization --------------------------------------------------------------------


@op(name="batch_norm", method=False, out=False)
def batch_norm_of_torch(
    input: Tensor,
    weight: Tensor | None,
    bias: Tensor | None,
    running_mean: Tensor | None,
    running_var: Tensor | None,
    training: bool,
    momentum: float,
    eps: float,
    cudnn_enabled: bool,
) -> Tensor:
    """Do as `torch.nn.functional.batch_norm`."""
    return batch_norm(
        input, running_mean, running_var, weight, bias, training, momentum, eps
    )


@op(name="instance_norm", method=False, out=False)
def instance_norm_of_torch(
    input: Tensor,
    weight: Tensor | None,
    bias: Tensor | None,
    running_mean: Tensor | None,
    running_var: Tensor | None,
    use_input_stats: bool,
    momentum: float,
    eps: float,
    cudnn_enabled: bool,
) -> Tensor:
    """Do as `torch.nn.functional.instance_norm`."""
    return instance_norm(
        *(input, running_mean, running_var, weight, bias),
        *(use_input_stats, momentum, eps),
    )


@op(method=False, out=False)
def native_layer_norm(
    input: Tensor,
    normalized_shape: Sequence[int],
    weight: Tensor | None,
    bias: Tensor | None,
    eps: float,
) -> tuple[Tensor, Tensor, Tensor]:
    """Return what `torch.nn.functional.layer_norm` does, the means, and 1 / deviation.

    >>> import wengert as torch
    >>> torch.native_layer_norm(torch.tensor([1.0, 3.0]), (2,), None, None, 0.0)[1]
    tensor([2.])
    """
    dims = tuple(range(-len(tuple(normalized_shape)), 0))
    fixed = input.detach()
    mean = fixed.mean(dims, keepdim=True)
    scale = (fixed.var(dims, correction=0, keepdim=True) + eps).rsqrt()
    found = namespace["layer_norm"](input, normalized_shape, weight, bias, eps)
    return found, mean, scale


@op(method=False, out=False)
def native_batch_norm(
    input: Tensor,
    weight: Tensor | None,
    bias: Tensor | None,
    running_mean: Tensor | None,
    running_var: Tensor | None,
    training: bool,
    momentum: float,
    eps: float,
) -> tuple[Tensor, Tensor, Tensor]:
    """Return what `torch.nn.functional.batch_norm` does, the means, and 1 / deviation.

    The last two are empty unless it is in training.
    """
    fixed = input.detach()
    found = batch_norm(
        input, running_mean, running_var, weight, bias, training, momentum, eps
    )
    if not training:
        return found, fixed.new_empty(0), fixed.new_empty(0)
    dims = [dim for dim in range(input.ndim) if dim != 1]
    scale = (fixed.var(dims, correction=0) + eps).rsqrt()
    return found, fixed.mean(dims), scale


@op(method=False, out=False)
def norm_except_dim(v: Tensor, pow: int = 2, dim: int = 0) -> Tensor:
    """Return the norms over all dimensions but one, which all stay.

    >>> import wengert as torch
    >>> torch.norm_except_dim(torch.tensor([[3.0, 4.0], [0.0, 1.0]]))
    tensor([[5.],
            [1.]])
    """
    if dim == -1:
        return v.norm(pow)
    others = [d for d in range(v.ndim) if d != dim % v.ndim]
    return v.norm(pow, others, keepdim=True) if others else v.abs()


# --- losses ---------------------------------------------------------------------------


def by_number(call: Callable[..., Tensor], *names: str) -> None:
    """Publish a loss whose reduction is a number.

    Args:
        names: the arguments in their order, but for the reduction, which is last.
    """

    @functools.wraps(call)
    def of_number(*args: Any, reduction: int = 0, **kwargs: Any) -> Tensor:
        if len(args) > len(names):
            *args, reduction = args  # type: ignore[assignment]
        given = dict(zip(names, args, strict=False)) | kwargs
        return call(**given, reduction=REDUCTIONS[reduction])

    namespace[call.__name__] = of_number


by_number(loss.kl_div, "input", "target")
by_number(
    loss.binary_cross_entropy_with_logits, "input", "target", "weight", "pos_weight"
)
by_number(loss.poisson_nll_loss, "input", "target", "log_input", "full", "eps")
by_number(margin_loss.hinge_embedding_loss, "input", "target", "margin")
by_number(margin_loss.cosine_embedding_loss, "input1", "input2", "target", "margin")
by_number(margin_loss.margin_ranking_loss, "input1", "input2", "target", "margin")
by_number(
    margin_loss.triplet_margin_loss,
    *("anchor", "positive", "negative", "margin", "p", "eps", "swap"),
)
