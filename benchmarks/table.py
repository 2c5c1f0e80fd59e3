"""The workloads, one row each."""

from collections.abc import Callable
from dataclasses import dataclass

from benchmarks import deep_chain, digits_mlp, footprint, small_steps, transforms
from benchmarks.measure import Outcome


@dataclass(frozen=True)
class Workload:
    """Work that every library does alike.

    `run` takes the name of a library with PyTorch's API. `control` does the same work
    in raw NumPy, where that means something. Rows of one `group` share a mean.
    """

    name: str
    about: str
    unit: str
    run: Callable[[str], Outcome]
    control: Callable[[], Outcome] | None = None
    group: str = ""
    tolerance: float = 1e-5


WORKLOADS = [
    Workload(
        "op-add",
        "record a + b, shape (3, 4)",
        "µs",
        small_steps.recorded_add,
        small_steps.numpy_add,
        group="op",
    ),
    Workload(
        "op-mul",
        "record a * b, shape (3, 4)",
        "µs",
        small_steps.recorded_mul,
        small_steps.numpy_mul,
        group="op",
    ),
    Workload(
        "op-exp",
        "record exp(a), shape (3, 4)",
        "µs",
        small_steps.recorded_exp,
        small_steps.numpy_exp,
        group="op",
    ),
    Workload(
        "tutorial",
        "x + 2; 3 * y * y; mean; backward",
        "µs",
        small_steps.tutorial,
        small_steps.numpy_tutorial,
    ),
    Workload(
        "chain-100",
        "100 multiplies, forward and backward",
        "µs",
        small_steps.chain,
        small_steps.numpy_chain,
    ),
    Workload(
        "mlp",
        "train an MLP on digits, batch 64, one step",
        "ms",
        digits_mlp.train,
        digits_mlp.numpy_train,
        tolerance=1e-4,
    ),
    Workload(
        "hvp",
        "Hessian-vector product of the digits MLP, batch 64",
        "ms",
        transforms.hessian_vector_product,
        tolerance=1e-4,
    ),
    Workload(
        "per-sample",
        "gradients of the digits MLP for each of 64 samples",
        "ms",
        transforms.per_sample_gradients,
        tolerance=1e-4,
    ),
    Workload(
        "jacobian",
        "Jacobian of an MLP, 64 to 64",
        "ms",
        transforms.jacobian,
        tolerance=1e-4,
    ),
    Workload(
        "hessian",
        "Hessian of the Rosenbrock function in 100 dimensions",
        "ms",
        transforms.hessian,
    ),
    Workload(
        "deep-time",
        "100,000 nodes, forward and backward, a node",
        "µs",
        deep_chain.time_per_node,
        deep_chain.numpy_time_per_node,
        tolerance=1e-4,
    ),
    Workload(
        "deep-memory",
        "100,000 nodes, memory a node above its array",
        "B",
        deep_chain.memory_per_node,
        tolerance=1e-4,
    ),
    Workload(
        "import",
        "import in a fresh process",
        "ms",
        footprint.import_time,
        footprint.numpy_import_time,
    ),
    Workload(
        "import-own",
        "the same with NumPy already loaded",
        "ms",
        footprint.import_time_after_numpy,
    ),
    Workload(
        "size",
        "installed files, dependencies included",
        "MB",
        footprint.installed_size,
        footprint.numpy_installed_size,
    ),
]
