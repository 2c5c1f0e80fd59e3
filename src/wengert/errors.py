"""Messages about recording and differentiating: what happened, to what, what to do.

The wording follows PyTorch's, so that programs and people who look for it find it.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any


class Unsupported(NotImplementedError):
    """Something PyTorch has and Wengert has not: the message says what to do."""


def freed_graph() -> RuntimeError:
    return RuntimeError(
        "Trying to backward through the graph a second time (or directly access saved "
        "tensors after they have already been freed). Saved intermediate values of the "
        "graph are freed when you call .backward() or autograd.grad(). Specify "
        "retain_graph=True if you need to backward through the graph a second time or "
        "if you need to access saved tensors after calling backward."
    )


def hooks_on_freed() -> RuntimeError:
    return RuntimeError(
        "Calling register_hooks on a saved tensor after it has been freed. Saved "
        "intermediate values of the graph are freed when you call .backward() or "
        "autograd.grad(). Specify retain_graph=True if you need to backward through "
        "the graph a second time or if you need to access saved variables after "
        "calling backward."
    )


def op_name(node: Any) -> str:
    """Return the name of an op as messages have it: ``Mul`` for ``MulBackward0``."""
    return re.sub(r"Backward\d*$", "", node.name())


def modified_in_place(
    kind: str,
    shape: tuple[int, ...],
    producer: tuple[Any, int] | None,
    version: int,
    expected: int,
    anomaly: bool,
) -> RuntimeError:
    """Say that a value that a rule needs is no longer what it was.

    Args:
        producer: the node that made it, and which of its outputs it is.
        anomaly: whether the message comes with the line of the op that needs it.
    """
    made_by = ""
    if producer is not None:
        made_by = f", which is output {producer[1]} of {op_name(producer[0])},"
    hint = (
        "the backtrace further above shows the operation that failed to compute its "
        "gradient. The variable in question was changed in there or anywhere later. "
        "Good luck!"
        if anomaly
        else "enable anomaly detection to find the operation that failed to compute "
        "its gradient, with torch.autograd.set_detect_anomaly(True, check_nan=False)."
    )
    return RuntimeError(
        "one of the variables needed for gradient computation has been modified by an "
        f"inplace operation: [torch.{kind} {list(shape)}]{made_by} is at version "
        f"{version}; expected version {expected} instead. Hint: {hint}"
    )


WRITTEN_VIEWS = {
    "several": (
        "This view is the output of a function that returns multiple views. Such "
        "functions do not allow the output views to be modified inplace. You should "
        "replace the inplace operation by an out-of-place one."
    ),
    "no_grad": (
        "Given that this use case is ambiguous and error-prone, it is forbidden. You "
        "can clarify your code by moving both the view and the inplace either both "
        "inside the no_grad block (if you don't want the inplace to be tracked) or "
        "both outside (if you want the inplace to be tracked)."
    ),
    "inference": (
        "Given that this use case is ambiguous and error-prone, it is forbidden. You "
        "can clarify your code by moving both the view and the inplace either both "
        "inside the inference_mode block (if you don't want the inplace to be tracked) "
        "or both outside (if you want the inplace to be tracked)."
    ),
    "function": (
        "This view was created inside a custom Function (or because an input was "
        "returned as-is) and the autograd logic to handle view+inplace would override "
        "the custom backward associated with the custom Function, leading to incorrect "
        "gradients. This behavior is forbidden. You can fix this by cloning the output "
        "of the custom Function."
    ),
}
"""What is wrong with writing into a view, by how it was made."""


def written_view(
    origin: str, producer: tuple[Any, int] | None, *, indirect: bool
) -> RuntimeError:
    """Say that a view cannot follow a write.

    Args:
        indirect: the write was to its base, or another view of that.
    """
    what = (
        "and its base or another view of its base has been modified inplace"
        if indirect
        else "and is being modified inplace"
    )
    if origin == "inference":
        what = f"A view was created in inference mode {what} in normal mode"
    elif producer is None:
        what = f"A view was created in no_grad mode {what} with grad mode enabled"
    elif origin == "no_grad":
        who = f"Output {producer[1]} of {op_name(producer[0])}"
        what = (
            f"{who} is a view of a view which was created in no_grad mode {what} with "
            "grad mode enabled"
        )
    else:
        what = f"Output {producer[1]} of {op_name(producer[0])} is a view {what}"
    return RuntimeError(f"{what}. {WRITTEN_VIEWS[origin]}")


def inference_saved() -> RuntimeError:
    return RuntimeError(
        "Inference tensors cannot be saved for backward. Please do not use Tensors "
        "created in inference mode in computation tracked by autograd. To work around "
        "this, you can make a clone to get a normal tensor and use it in autograd, or "
        "use `torch.no_grad()` instead of `torch.inference_mode()`."
    )


def inference_written() -> RuntimeError:
    return RuntimeError(
        "Inplace update to inference tensor outside InferenceMode is not allowed.You "
        "can make a clone to get a normal tensor before doing inplace update.See "
        "https://github.com/pytorch/rfcs/pull/17 for more details."
    )


def inference_requires_grad() -> RuntimeError:
    return RuntimeError(
        "Setting requires_grad=True on inference tensor outside InferenceMode is not "
        "allowed."
    )


def detached_in_place() -> RuntimeError:
    return RuntimeError(
        "Trying to use a saved tensor that has been detached in-place, i.e. with "
        ".detach_().This is not supported, please use out-of-place `.detach()` instead"
    )


def lost_view() -> RuntimeError:
    return RuntimeError(
        "this view was made before its base was given another shape, or other memory, "
        "in place, and its gradient can no longer be carried to the base. Make the "
        "view anew."
    )


def overlapping_memory() -> RuntimeError:
    return RuntimeError(
        "unsupported operation: more than one element of the written-to tensor refers "
        "to a single memory location. Please clone() the tensor before performing the "
        "operation."
    )


def read_and_written() -> RuntimeError:
    return RuntimeError(
        "unsupported operation: some elements of the input tensor and the written-to "
        "tensor refer to a single memory location. Please clone() the tensor before "
        "performing the operation."
    )


def nothing_to_differentiate(index: int) -> RuntimeError:
    return RuntimeError(
        f"element {index} of tensors does not require grad and does not have a grad_fn"
    )


def needs_scalar_output() -> RuntimeError:
    return RuntimeError("grad can be implicitly created only for scalar outputs")


def needs_real_output(dtype: object) -> RuntimeError:
    return RuntimeError(
        f"grad can be implicitly created only for real scalar outputs but got {dtype}"
    )


def mismatched_gradient(
    index: int, grad_shape: tuple[int, ...], output_shape: tuple[int, ...]
) -> RuntimeError:
    return RuntimeError(
        f"Mismatch in shape: grad_output[{index}] has a shape of "
        f"torch.Size({list(grad_shape)}) and output[{index}] has a shape of "
        f"torch.Size({list(output_shape)})."
    )


def mismatched_gradient_dtype(
    index: int, grad_dtype: object, output_dtype: object
) -> RuntimeError:
    return RuntimeError(
        "For complex Tensors, both grad_output and output are required to have the "
        f"same dtype. Mismatch in dtype: grad_output[{index}] has a dtype of "
        f"{grad_dtype} and output[{index}] has a dtype of {output_dtype}."
    )


def invalid_gradient(
    name: str, index: int, got: tuple[int, ...], expected: tuple[int, ...]
) -> RuntimeError:
    return RuntimeError(
        f"Function {name} returned an invalid gradient at index {index} - got "
        f"{list(got)} but expected shape compatible with {list(expected)}"
    )


def wrong_gradient_count(name: str, expected: int, got: int) -> RuntimeError:
    return RuntimeError(
        f"function {name} returned an incorrect number of gradients "
        f"(expected {expected}, got {got})"
    )


def unused_input(index: int) -> RuntimeError:
    return RuntimeError(
        f"The differentiated Tensor at index {index} appears to not have been used in "
        "the graph. Set allow_unused=True if this is the desired behavior."
    )


def no_inputs(function: str) -> RuntimeError:
    return RuntimeError(f"`inputs` argument to `{function}()` cannot be empty.")


def input_without_grad() -> RuntimeError:
    return RuntimeError("One of the differentiated Tensors does not require grad")


def leaf_in_place() -> RuntimeError:
    return RuntimeError(
        "a leaf Variable that requires grad is being used in an in-place operation."
    )


def leaf_view_in_place() -> RuntimeError:
    return RuntimeError(
        "a view of a leaf Variable that requires grad is being used in an in-place "
        "operation."
    )


def only_floats_require_grad(
    kinds: str = "floating point and complex",
) -> RuntimeError:
    return RuntimeError(f"only Tensors of {kinds} dtype can require gradients")


def integers_require_no_grad() -> RuntimeError:
    return RuntimeError(
        "Only Tensors of floating point and complex dtype can require gradients"
    )


NON_LEAF_GRAD = (
    "The .grad attribute of a Tensor that is not a leaf Tensor is being accessed. Its "
    ".grad attribute won't be populated during autograd.backward(). If you indeed want "
    "the .grad field to be populated for a non-leaf Tensor, use .retain_grad() on the "
    "non-leaf Tensor. If you access the non-leaf Tensor by mistake, make sure you "
    "access the leaf Tensor instead."
)


def mismatched_grad_dtype(found: Any, expected: Any) -> RuntimeError:
    return RuntimeError(
        f"attempting to assign a gradient with dtype '{found.scalar_type.lower()}' to "
        f"a tensor with grad_dtype '{expected.scalar_type}'. The gradient must match "
        "the tensor's grad_dtype (defaults to the tensor's dtype)."
    )


def requires_grad_of_non_leaf(value: bool) -> RuntimeError:
    message = "you can only change requires_grad flags of leaf variables."
    advice = (
        " If you want to use a computed variable in a subgraph that doesn't require "
        "differentiation use var_no_grad = var.detach()."
    )
    return RuntimeError(message if value else message + advice)


def numpy_of_recorded() -> RuntimeError:
    return RuntimeError(
        "Can't call numpy() on Tensor that requires grad. Use tensor.detach().numpy() "
        "instead."
    )


def not_one_element(count: int) -> RuntimeError:
    return RuntimeError(f"a Tensor with {count} elements cannot be converted to Scalar")


def ambiguous_truth(count: int) -> RuntimeError:
    if count == 0:
        return RuntimeError("Boolean value of Tensor with no values is ambiguous")
    return RuntimeError("Boolean value of Tensor with more than one value is ambiguous")


def not_broadcastable(a: tuple[int, ...], b: tuple[int, ...]) -> RuntimeError:
    """Name the first pair of sizes, from the right, that does not fit."""
    for k in range(1, min(len(a), len(b)) + 1):
        if a[-k] != b[-k] and 1 not in (a[-k], b[-k]):
            dim = max(len(a), len(b)) - k
            return RuntimeError(
                f"The size of tensor a ({a[-k]}) must match the size of tensor b "
                f"({b[-k]}) at non-singleton dimension {dim}"
            )
    return RuntimeError(f"shapes {list(a)} and {list(b)} cannot be broadcast together")


def not_expandable(shape: tuple[int, ...], wanted: tuple[int, ...]) -> RuntimeError:
    """Name the first size that cannot be broadcast to the one wanted."""
    lead = len(wanted) - len(shape)
    at, target, size = "", len(wanted), shape[0]
    for dim in range(lead, len(wanted) if lead >= 0 else lead):
        if shape[dim - lead] not in (1, wanted[dim]):
            target, size = wanted[dim], shape[dim - lead]
            at = f" at non-singleton dimension {dim}"
            break
    return RuntimeError(
        f"The expanded size of the tensor ({target}) must match the existing size "
        f"({size}){at}.  Target sizes: {list(wanted)}.  Tensor sizes: {list(shape)}"
    )


def dim_out_of_range(dim: int, ndim: int) -> IndexError:
    reach = max(ndim, 1)
    return IndexError(
        f"Dimension out of range (expected to be in range of [{-reach}, {reach - 1}], "
        f"but got {dim})"
    )


def not_differentiable(op: str, argument: str) -> RuntimeError:
    return RuntimeError(
        f"The function '{op}' is not differentiable with respect to argument "
        f"'{argument}'. This input cannot have requires_grad True."
    )


def no_rule(op: str, mode: str) -> Unsupported:
    return Unsupported(
        f"{op} has no rule for {mode}. Compose it of other ops, or write a "
        "torch.autograd.Function that gives its derivative."
    )


def sizes_do_not_match(shapes: list[tuple[int, ...]]) -> RuntimeError:
    ndim = max(map(len, shapes))
    padded = [(1,) * (ndim - len(shape)) + tuple(shape) for shape in shapes]
    for dim in reversed(range(ndim)):
        size = 1
        for shape in padded:
            if shape[dim] != 1 and size not in (1, shape[dim]):
                return RuntimeError(
                    f"The size of tensor a ({size}) must match the size of tensor b "
                    f"({shape[dim]}) at non-singleton dimension {dim}"
                )
            size = size if shape[dim] == 1 else shape[dim]
    return RuntimeError(f"shapes {shapes} cannot be broadcast together")


def not_for_dtype(op: str, scalar_type: str) -> NotImplementedError:
    return not_implemented_for(f"{op}_cpu", scalar_type)


def not_implemented_for(kernel: str, scalar_type: str) -> NotImplementedError:
    return NotImplementedError(f"\"{kernel}\" not implemented for '{scalar_type}'")


def needs_extra(what: str, package: str, extra: str) -> ModuleNotFoundError:
    return ModuleNotFoundError(
        f"the {what} needs {package}, which is not installed: run "
        f"pip install 'wengert[{extra}]'"
    )


def not_a_tensor(op: str, name: str, position: int, value: Any) -> TypeError:
    """Name the argument, counted from 1, that should be a tensor."""
    kind = type(value)
    found = "numpy.ndarray" if kind.__module__ == "numpy" else kind.__name__
    return TypeError(
        f"{op}(): argument '{name}' (position {position}) must be Tensor, not {found}"
    )


def invalid_combination(op: str, args: Sequence[Any]) -> TypeError:
    """Name the kinds of arguments of an op that has several forms, all of a tensor."""
    kinds = ", ".join([type(arg).__name__ for arg in args])
    return TypeError(
        f"{op}() received an invalid combination of arguments - got ({kinds}), but "
        "expected a Tensor"
    )


def not_an_operand(op: str, names: Sequence[str], values: Sequence[Any]) -> TypeError:
    """The first of some values that is neither an array nor a number."""
    for position, (name, value) in enumerate(zip(names, values, strict=True), 1):
        if not hasattr(value, "dtype") and not isinstance(value, int | float | complex):
            name = "input" if name == "self" else name
            return not_a_tensor(op.removesuffix("_number"), name, position, value)
    return TypeError(f"{op}(): the arguments must be tensors or numbers")


def no_transposition(name: str) -> Unsupported:
    return Unsupported(
        f"{name} has no jvp, and its backward returned something that does not come "
        "from the gradients by differentiable ops, from which forward mode could be "
        "derived. Write a jvp staticmethod."
    )


# --- inside transformations ----------------------------------------------------------


def requires_grad_in_transform() -> RuntimeError:
    """A tensor of a transformation is to require grad."""
    return RuntimeError(
        "You are attempting to call Tensor.requires_grad_() (or perhaps using "
        "torch.autograd.functional.* APIs) inside of a function being transformed by a "
        "functorch transform. This is unsupported, please attempt to use the functorch "
        "transforms (e.g. grad, vjp, jacrev, jacfwd, hessian) or call requires_grad_() "
        "outside of a function being transformed instead."
    )


def backward_in_transform() -> RuntimeError:
    """Backward is called on a tensor of a transformation."""
    return RuntimeError(
        "backward() called inside a functorch transform. This is not supported, please "
        "use functorch.grad or functorch.vjp instead or call backward() outside of "
        "functorch transforms."
    )


def backward_of_duals() -> RuntimeError:
    """Backward is called on a tensor that carries a tangent."""
    return RuntimeError(
        "backward() is called on a tensor that carries a tangent, so that its "
        "gradients would have tangents, too. Use torch.autograd.grad, which returns "
        "them as duals, or call backward() on the primal: "
        "forward_ad.unpack_dual(tensor).primal"
    )


def mismatched_batch(index: int, shape: Any, expected: Any) -> RuntimeError:
    return RuntimeError(
        "If `is_grads_batched=True`, we interpret the first dimension of each "
        "grad_output as the batch dimension. The sizes of the remaining dimensions are "
        "expected to match the shape of corresponding output, but a mismatch was "
        f"detected: grad_output[{index}] has a shape of {shape} and output[{index}] "
        f"has a shape of {expected}. If you only want some tensors in `grad_output` to "
        "be considered batched, consider using vmap."
    )


def mismatched_tangent(shape: Any, tangent_shape: Any) -> RuntimeError:
    return RuntimeError(
        "Trying to set a forward gradient that has a different size than that of the "
        f"original Tensor, this is not supported. Tensor is of size {list(shape)} "
        f"while the given forward gradient is of size {list(tangent_shape)}."
    )


def dirty_not_returned() -> RuntimeError:
    return RuntimeError(
        "Some elements marked as dirty during the forward method were not returned as "
        "output. The inputs that are modified inplace must all be outputs of the "
        "Function."
    )


def dirty_view() -> RuntimeError:
    return RuntimeError(
        "If your Function modifies inplace an input that is a view of another Tensor, "
        "your Function cannot return more than one Tensor. This is not supported by "
        "the current autograd engine. You should either make sure the input is not a "
        "view (using .clone() for example) or make your Function only return one "
        "Tensor (potentially splitting it into two Functions: one doing the inplace "
        "that returns a single Tensor and a second one that does the other operations)."
        " You can ask on the forum https://discuss.pytorch.org/ if you need help to do "
        "this change."
    )
