"""Every message about recording and differentiating: what happened, to what, what to do.

The wording follows PyTorch's, so that programs and people who look for it find it.
"""

from __future__ import annotations

from typing import Any


class Unsupported(NotImplementedError):
    """Something PyTorch has and Wengert has not: the message says what to do instead."""


def freed_graph() -> RuntimeError:
    return RuntimeError(
        "Trying to backward through the graph a second time (or directly access saved "
        "tensors after they have already been freed). Saved intermediate values of the "
        "graph are freed when you call .backward() or autograd.grad(). Specify "
        "retain_graph=True if you need to backward through the graph a second time or "
        "if you need to access saved tensors after calling backward."
    )


def modified_in_place(
    kind: str, shape: tuple[int, ...], producer: str, version: int, expected: int
) -> RuntimeError:
    return RuntimeError(
        "one of the variables needed for gradient computation has been modified by an "
        f"inplace operation: [torch.{kind} {list(shape)}]{producer}, is at version "
        f"{version}; expected version {expected} instead. Hint: enable anomaly detection "
        "to find the operation that failed to compute its gradient, with "
        "torch.autograd.set_detect_anomaly(True)."
    )


def nothing_to_differentiate(index: int) -> RuntimeError:
    return RuntimeError(
        f"element {index} of tensors does not require grad and does not have a grad_fn"
    )


def needs_scalar_output() -> RuntimeError:
    return RuntimeError("grad can be implicitly created only for scalar outputs")


def needs_real_output(dtype: object) -> RuntimeError:
    return RuntimeError(
        "grad can be implicitly created only for real scalar outputs but got "
        f"{dtype}"
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
        f"The differentiated Tensor at index {index} appears to not have been used in the "
        "graph. Set allow_unused=True if this is the desired behavior."
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


NON_LEAF_GRAD = (
    "The .grad attribute of a Tensor that is not a leaf Tensor is being accessed. Its "
    ".grad attribute won't be populated during autograd.backward(). If you indeed want "
    "the .grad field to be populated for a non-leaf Tensor, use .retain_grad() on the "
    "non-leaf Tensor. If you access the non-leaf Tensor by mistake, make sure you access "
    "the leaf Tensor instead."
)


def mismatched_grad_dtype(found: Any, expected: Any) -> RuntimeError:
    return RuntimeError(
        f"attempting to assign a gradient with dtype '{found.scalar_type.lower()}' to a "
        f"tensor with grad_dtype '{expected.scalar_type}'. The gradient must match the "
        "tensor's grad_dtype (defaults to the tensor's dtype)."
    )


def requires_grad_of_non_leaf() -> RuntimeError:
    return RuntimeError(
        "you can only change requires_grad flags of leaf variables. If you want to use "
        "a computed variable in a subgraph that doesn't require differentiation use "
        "var_no_grad = var.detach()."
    )


def numpy_of_recorded() -> RuntimeError:
    return RuntimeError(
        "Can't call numpy() on Tensor that requires grad. Use tensor.detach().numpy() "
        "instead."
    )


def not_one_element(count: int) -> RuntimeError:
    return RuntimeError(
        f"a Tensor with {count} elements cannot be converted to Scalar"
    )


def ambiguous_truth(count: int) -> RuntimeError:
    if count == 0:
        return RuntimeError("Boolean value of Tensor with no values is ambiguous")
    return RuntimeError(
        "Boolean value of Tensor with more than one value is ambiguous"
    )


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


def dim_out_of_range(dim: int, ndim: int) -> IndexError:
    reach = max(ndim, 1)
    return IndexError(
        f"Dimension out of range (expected to be in range of [{-reach}, {reach - 1}], "
        f"but got {dim})"
    )


def not_a_tensor(op: str, argument: str, value: Any) -> TypeError:
    return TypeError(
        f"{op}(): argument '{argument}' must be Tensor, not {type(value).__name__}"
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
    return NotImplementedError(f"\"{op}_cpu\" not implemented for '{scalar_type}'")
