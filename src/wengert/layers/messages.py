"""What users are told who do inside a transformation what cannot be done there."""

from __future__ import annotations


def escaped() -> RuntimeError:
    """A tensor of a vmap is used after it."""
    return RuntimeError(
        "Your tensor may have escaped from inside a function being vmapped and this is "
        "a user error: it is used after vmap has finished, stands for all elements of "
        "the batch, and nobody can say any more which dimension they go to. Return it "
        "from the function instead of storing it elsewhere."
    )


def item_of_batched(what: str) -> RuntimeError:
    """The values of a batched tensor are asked for."""
    if what == "bool":
        return RuntimeError(
            "vmap: It looks like you're attempting to use a Tensor in some "
            "data-dependent control flow. Each element of the batch would take its own "
            "branch: "
            "compute both and choose by torch.where(condition, a, b)."
        )
    return RuntimeError(
        f"vmap: It looks like you're calling .{what}() on a Tensor. We don't support "
        f"vmap over calling .{what}() on a Tensor, which has another value for each "
        f"element "
        "of the batch: use ops on tensors, or return it and look at it outside."
    )


def dynamic_shape(op: str) -> RuntimeError:
    """The result's shape depends on the values of a batch."""
    return RuntimeError(
        f"vmap: We do not support batching operators that can output dynamic shape. "
        f"Attempted to vmap over {op}: its result has another shape for each element "
        "of the batch. A mask, with torch.where, keeps shapes the same."
    )


def random_in_vmap() -> RuntimeError:
    """A random op is called inside a vmap that does not say what it means."""
    return RuntimeError(
        "vmap: called random operation while in randomness error mode. Please either "
        "use the 'same' or 'different' randomness flags on vmap or perform the "
        "randomness operation out of vmap"
    )


def same_of_batched() -> RuntimeError:
    """Random numbers are to be the same for a batch of different parameters."""
    return RuntimeError(
        "vmap: randomness='same' makes no sense for random numbers whose parameters "
        "are batched. Use randomness='different', or parameters that are not mapped "
        "over."
    )


def batch_into_captured() -> RuntimeError:
    """A batched value is written into a tensor from outside of the vmap."""
    return RuntimeError(
        "vmap: inplace arithmetic(self, *extra_args) is not possible because there "
        "exists a Tensor `other` in extra_args that has more elements than `self`. "
        "This happened due to `other` being vmapped over but `self` not being vmapped "
        "over in a vmap. Please use out-of-place operators instead of inplace "
        "arithmetic, pass `self` as an argument that is mapped over, or make it inside "
        "the function."
    )


def captured_written() -> RuntimeError:
    """A value with derivatives is written into a tensor from outside."""
    return RuntimeError(
        "During a grad (vjp, jvp, grad, etc) transform, the function provided "
        "attempted to call in-place operation that would mutate a captured Tensor. "
        "This is not supported; please rewrite the function being transformed to "
        "explicitly accept the mutated Tensor(s) as inputs."
    )


def tangent_of_constant(index: int) -> RuntimeError:
    """A custom function's `jvp` has a tangent for what has no derivative."""
    return RuntimeError(
        f"Function's jvp returned a gradient at position {index}, but  the "
        "corresponding forward output is not a differentiable Tensor.You should return "
        "None at that position instead."
    )


def tangent_not_written() -> RuntimeError:
    """A forward writes into an input, and its `jvp` not into the tangent."""
    return RuntimeError(
        "An inplace custom Function is not modifying the forward mode gradients "
        "inplace. If the forward is modifying an input inplace, then the jvp function "
        "must modify the corresponding gradient inplace."
    )


def tangent_is_no_view() -> RuntimeError:
    """A forward returns a view, and its `jvp` does not."""
    return RuntimeError(
        "A custom Function's forward is returning a view (or an input as-is) but the "
        "jvp is not returning a view."
    )


def tangent_of_other_base(same: str) -> RuntimeError:
    """A `jvp` returns a view of something else than its forward."""
    return RuntimeError(
        "A custom Function is returning a view but the jvp is not returning a view of "
        f"the {same}given grad input."
    )
