"""A replay as one straight line: `straight` writes a Python function for a program.

Once a program is captured, all that a replay does is known: how the arguments nest,
which places are looked at, which arrays the program takes, where its results go. So the
function that does this is written out, without loops, and compiled by `exec`. It begins
with the guards; where one fails it returns `MISS`, and nothing has happened. A guard is
mostly one look whether a place still holds the object that it held; only if it does
not, the slower question follows whether the new one would do as well.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from numpy import ndarray

from .. import modes, tree
from ..dtypes import get_default_dtype
from ..tensor import AccumulateGrad, Tensor, counter, plain
from ..tree import Structure
from ..views import replay
from .guards import differs, same
from .places import Given, GradPlace, Slot, ViewOf
from .sharing import Sharing
from .step import ScalarOf

if TYPE_CHECKING:
    from .captured import Captured

MISS = object()
"""What a replay returns if the program does not serve the call."""
FAILED_LOOKS = "(AttributeError, LookupError, TypeError, ValueError)"
"""What is raised where a place is gone that a guard looks at."""


def straight(
    made: Captured, leaves: Sequence[Any], structure: Structure
) -> Callable[[tuple[Any, ...], dict[str, Any]], Any]:
    """Return the replay of a program, as a function of ``args`` and ``kwargs``."""
    return Line(made, leaves, structure).function


def circumstances() -> tuple[bool, bool]:
    """Return the modes of this thread that a program depends on."""
    return modes.local.grad, modes.local.inference


class Line:
    """Writes the function, line by line; `space` holds the objects that it names."""

    def __init__(
        self, made: Captured, leaves: Sequence[Any], structure: Structure
    ) -> None:
        self.made = made
        self.lines = ["def replay(args, kwargs):", "    try:"]
        self.margin = " " * 8
        self.known: dict[int, str] = {}
        self.space: dict[str, Any] = {
            "MISS": MISS,
            "AccumulateGrad": AccumulateGrad,
            "ndarray": ndarray,
            "modes": modes,
            "circumstances": circumstances,
            **{f.__name__: f for f in (circumstances, counter, plain, same)},
            **{
                f.__name__: f for f in (get_default_dtype, tree.flatten, tree.unflatten)
            },
            "renewed": self.renewed,
            "view_of": replay,
        }
        self.leaves: list[str] = []
        self.arrays: dict[Any, str] = {}
        """What the arrays of arguments (by position) and of tensors are called."""
        self.sharing = Sharing()
        self.unpack("args", structure.children[0])
        self.unpack("kwargs", structure.children[1])
        self.guard(leaves)
        self.margin = " " * 4
        self.add(f"except {FAILED_LOOKS}: return MISS")
        self.run()
        self.finish()
        exec("\n".join(self.lines), self.space)
        self.function = self.space["replay"]

    # --- writing ----------------------------------------------------------------------

    def add(self, line: str) -> None:
        self.lines.append(self.margin + line)

    def miss_if(self, *conditions: str) -> None:
        self.add(f"if {' or '.join(conditions)}: return MISS")

    def name(self, value: Any) -> str:
        """Return what an object is called in the function."""
        known = self.known.get(id(value))
        if known is None:
            known = self.known[id(value)] = self.variable(value)
        return known

    def variable(self, value: Any) -> str:
        """Return a new name, which may stand for something else later."""
        name = f"v{len(self.space)}"
        self.space[name] = value
        return name

    def place(self, place: Any) -> str:
        """Return the expression of a tensor."""
        if type(place) is GradPlace:
            return f"{self.place(place.place)}._grad"
        return self.leaves[place] if type(place) is int else self.name(place)

    def array(self, source: Any) -> str:
        """Return the expression of an input of the program."""
        if type(source) is ScalarOf:
            return f"k{self.made.steps.index(source.step)}[{source.position}]"
        if type(source) is GradPlace:
            return f"{self.place(source)}._data"
        return self.arrays[source if type(source) is int else id(source)]

    # --- guards -----------------------------------------------------------------------

    def unpack(self, name: str, structure: Structure) -> None:
        """Take the leaves out of nested containers like those of the first call."""
        kind, keys = structure.kind, structure.keys
        if kind is None:
            self.leaves.append(name)
            return
        if kind not in (tuple, list, dict, OrderedDict):
            self.unpack_any(name, structure)
            return
        parts = [f"{name}_{i}" for i in range(len(structure.children))]
        if name not in ("args", "kwargs"):
            self.miss_if(f"type({name}) is not {self.name(kind)}")
        if keys:
            self.miss_if(f"[*{name}] != {self.name(keys)}")
        else:
            self.miss_if(f"len({name}) != {len(parts)}" if parts else name)
        if parts:
            values = f"{name}.values()" if keys else name
            self.add(f"{', '.join(parts)}, = {values}")
        for part, child in zip(parts, structure.children, strict=True):
            self.unpack(part, child)

    def unpack_any(self, name: str, structure: Structure) -> None:
        parts = [f"{name}_{i}" for i in range(structure.count)]
        self.add(f"{name}, structure = flatten({name})")
        self.miss_if(f"structure != {self.name(structure)}")
        if parts:
            self.add(f"{', '.join(parts)}, = {name}")
        self.leaves += parts

    def guard(self, leaves: Sequence[Any]) -> None:
        self.guard_modes()
        tensors: dict[int, str] = {}
        for position, leaf in enumerate(leaves):
            name = self.leaves[position]
            if not isinstance(leaf, Tensor):
                self.miss_if(differs(name, leaf, self.name))
            elif id(leaf) in tensors:
                self.miss_if(f"{name} is not {tensors[id(leaf)]}")
            else:
                tensors[id(leaf)] = name
                self.guard_argument(position, name, leaf)
        if len(tensors) > 1:
            identities = ", ".join([f"id({name})" for name in tensors.values()])
            self.miss_if(f"len({{{identities}}}) != {len(tensors)}")
        for condition in self.made.reached.conditions(self.name):
            self.miss_if(condition)
        for tensor, no_grad in self.made.conditions:
            self.guard_tensor(tensor, no_grad)
        for step in self.made.steps:
            for text in step.conditions(self.name):
                self.miss_if(text)
        self.guard_sharing()

    def guard_modes(self) -> None:
        now = circumstances()
        looked = "modes.special and " * (now == (True, False))
        self.miss_if(f"{looked}circumstances() != {now}")
        self.miss_if(f"get_default_dtype() is not {self.name(get_default_dtype())}")

    def guard_argument(self, position: int, name: str, leaf: Tensor) -> None:
        array, data = f"{name}_array", leaf._data
        self.arrays[position] = array
        self.add(f"{array} = {name}._data")
        conditions = [
            f"type({name}) is not {self.name(type(leaf))}",
            f"type({array}) is not ndarray",
            f"{array}.shape != {data.shape}",
            f"{array}.dtype != {self.name(data.dtype)}",
            unlike_node(f"{name}._node", leaf),
        ]
        if self.made.knows_order:
            conditions.append(f"{array}.strides != {data.strides}")
        no_grad = self.made.no_grad.get(position)
        if no_grad is not None:
            conditions.append(
                f"getattr({name}, '_grad', None) is {'not ' * no_grad}None"
            )
        self.miss_if(*conditions)

    def guard_tensor(self, tensor: Tensor, no_grad: bool | None) -> None:
        """Look at a tensor that the function met by itself."""
        name, array = self.name(tensor), self.variable(tensor._data)
        self.arrays[id(tensor)] = array
        conditions = [
            f"{name}._data is not {array} and renewed('{array}', {name})",
            unlike_node(f"{name}._node", tensor),
        ]
        if no_grad is not None:
            conditions.append(f"{name}._grad is {'not ' * no_grad}None")
        self.miss_if(*conditions)

    def renewed(self, name: str, tensor: Tensor) -> bool:
        """Take another array of a tensor in place of the known one, if it is alike."""
        known, data = self.space[name], tensor._data
        if (
            type(data) is not ndarray
            or data.shape != known.shape
            or data.dtype != known.dtype
            or (self.made.knows_order and data.strides != known.strides)
        ):
            return True
        self.space[name] = data
        self.sharing.replace(known, data)
        return False

    def guard_sharing(self) -> None:
        """Look whether arguments share memory that the program writes to."""
        sources, written = self.made.sources, self.made.targets
        if not written:
            return
        arguments = [i for i, source in enumerate(sources) if type(source) is int]
        writes_arguments = any(i in written for i in arguments)
        fixed: list[Any] = []
        changing: list[Any] = []
        for place, source in enumerate(sources):
            if type(source) is ScalarOf or place in arguments:
                continue
            if writes_arguments or place in written:
                (changing if type(source) is GradPlace else fixed).append(source)
        self.sharing.hold([source._data for source in fixed])
        self.space["shares"] = self.sharing.shares
        changed = [self.array(source) for source in changing]
        for i in arguments:
            others = changed + [
                self.array(sources[j])
                for j in arguments
                if j != i and (i in written or j in written)
            ]
            given = "".join([f"{other}, " for other in others])
            self.miss_if(f"shares({self.array(sources[i])}, ({given}))")

    # --- what is done -----------------------------------------------------------------

    def run(self) -> None:
        """Compute the scalars of optimizers' steps, and call the program."""
        made = self.made
        self.space["run"] = made.run
        for result in made.results:
            if type(result) is Given and type(result.place) is GradPlace:
                self.add(f"{self.held(result)} = {self.place(result.place)}")
        for place in made.released:
            self.add(f"{self.place(place)}._grad = None")
        careful = bool(made.steps or made.generators)
        if careful:
            self.space.update(save=made.save, rewind=made.rewind)
            self.add("states = save()")
            self.add("try:")
            self.margin = " " * 8
        for i, step in enumerate(made.steps):
            self.add(f"k{i} = {self.name(step)}.coefficients()")
        arrays = "".join([f"{self.array(source)}, " for source in made.sources])
        self.add(f"arrays = ({arrays})")
        self.add("outputs = run(arrays)")
        if careful:
            self.margin = " " * 4
            self.add("except BaseException:")
            self.add("    rewind(states)")
            self.add("    raise")

    def held(self, result: Given) -> str:
        return f"g{self.made.results.index(result)}"

    def finish(self) -> None:
        """Put the results where eager mode would have put them."""
        made = self.made
        count = made.output_count
        outputs = [f"o{i}" for i in range(count)]
        if outputs:
            self.add(f"{', '.join(outputs)}, = outputs")
        for i in range(count) if made.derivative is not None else made.shown():
            self.add(f"m{i} = plain(o{i})")
        for place, raised in made.written:
            tensor = self.place(place)
            self.add(f"({tensor}._counter or counter({tensor}))[0] += {raised}")
        for place, slot in made.grads:
            grad = None if slot is None else f"m{slot}"
            self.add(f"{self.place(place)}._grad = {grad}")
        if made.derivative is not None:
            self.space["attach"] = made.derivative.attach
            everything = ", ".join([f"m{i}" for i in range(count)])
            self.add(f"attach([{everything}], arrays, [{', '.join(self.leaves)}])")
        results = [self.shown(result) for result in made.results]
        self.add(f"return {self.nested(made.structure, iter(results))}")

    def shown(self, result: Any) -> str:
        """Return the expression of a leaf of the function's result."""
        if isinstance(result, Slot):
            return f"m{result.place}"
        if isinstance(result, ViewOf):
            tensor = f"m{result.place}"
        elif not isinstance(result, Given):
            return self.name(result)
        elif isinstance(result.place, GradPlace):
            tensor = self.held(result)
        else:
            tensor = self.place(result.place)
        if result.steps is None:
            return tensor
        return f"view_of({self.name(result.steps)}, {tensor})"

    def nested(self, structure: Structure, leaves: Any) -> str:
        """Return the expression of nested containers around leaves."""
        kind, children = structure.kind, structure.children
        if kind is None:
            found: str = next(leaves)
            return found
        if kind in (tuple, list):
            inside = "".join([f"{self.nested(child, leaves)}, " for child in children])
            return f"({inside})" if kind is tuple else f"[{inside}]"
        if kind is dict:
            keys = [self.name(key) for key in structure.keys]
            pairs = [
                f"{key}: {self.nested(child, leaves)}, "
                for key, child in zip(keys, children, strict=True)
            ]
            return f"{{{''.join(pairs)}}}"
        inside = "".join([f"{next(leaves)}, " for _ in range(structure.count)])
        return f"unflatten(({inside}), {self.name(structure)})"


def unlike_node(name: str, tensor: Tensor) -> str:
    """Return the condition that a tensor's part in the record is another one."""
    if tensor._node is None:
        return f"{name} is not None"
    if type(tensor._node) is AccumulateGrad:
        return f"type({name}) is not AccumulateGrad"
    return f"{name} is None or type({name}) is AccumulateGrad"
