"""The shape of the package: what an import brings in, and who may import whom."""

import ast
import importlib
import importlib.metadata
import inspect
import json
import subprocess
import sys
from pathlib import Path

import pytest

import wengert

PACKAGE = Path(wengert.__file__).parent

# The rooms of the package, innermost first. A module imports, when it is itself
# imported, from its own row and the rows above it.
LAYERS = [
    {
        "version",
        "errors",
        "tree",
        "modes",
        "placement",
        "engine",
        "kernels",
        "constants",
        "lazy",
        "forms",
    },
    {"dtypes", "generator"},
    {"tensor", "printing", "limits"},
    {"saved", "views", "ties"},
    {"primitive"},
    {"recording"},
    {"dispatch"},
    {"quick", "hooks"},
    {"primitives"},
    {"inplace"},
    {"ops"},
    {"function", "layers", "autograd", "func", "subclassing"}
    | {"linalg", "special", "fft", "masked", "signal"},
    {"interception"},
    {"overrides"},
    {"nn", "optim", "utils", "serialization", "cuda", "distributions"},
    {"accelerator", "amp", "backends", "random", "settings", "testing"},
    {"compiler", "show", "distributed"},
    {""},  # wengert/__init__.py
]
ROOMS = {room: height for height, layer in enumerate(LAYERS) for room in layer}

MODULES = sorted(PACKAGE.rglob("*.py"))
MODULE_IDS = [str(path.relative_to(PACKAGE)) for path in MODULES]


def run_fresh(code: str) -> str:
    """What `code` prints in a fresh Python process."""
    return subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    ).stdout


def test_import_brings_in_numpy_and_nothing_else():
    loaded = json.loads(
        run_fresh(
            "import json, sys; before = set(sys.modules); import wengert;"
            "print(json.dumps(sorted(set(sys.modules) - before)))"
        )
    )
    roots = {name.partition(".")[0] for name in loaded}
    assert roots - sys.stdlib_module_names == {"numpy", "wengert"}


def test_import_leaves_numpy_settings_alone():
    code = (
        "import numpy; before = (numpy.geterr(), numpy.get_printoptions());"
        "import wengert; print((numpy.geterr(), numpy.get_printoptions()) == before)"
    )
    assert run_fresh(code).strip() == "True"


def test_import_loads_what_nearly_every_program_needs_alone():
    loaded = run_fresh(
        "import sys, wengert; print(*[m for m in sys.modules if 'wengert.' in m])"
    ).split()
    assert len(loaded) < 90
    assert not {"wengert.func", "wengert.nn", "wengert.ops.linalg"} & set(loaded)


def test_the_list_of_what_is_loaded_later_is_up_to_date():
    command = [sys.executable, "-m", "tools.contents", "--check"]
    done = subprocess.run(command, cwd=PACKAGE.parent.parent, check=False)
    assert done.returncode == 0, "run make docs"


def test_what_is_loaded_later_is_there_for_whoever_looks():
    names = "einsum", "sort", "nn", "vmap", "compile", "finfo", "conv2d"
    code = (
        "import wengert as torch; names = dir(torch);"
        f"print(all([name in names for name in {names}]));"
        f"print(all([hasattr(torch, name) for name in {names}]));"
        "print(hasattr(torch, 'nonsense'), hasattr(torch.Tensor, 'nonsense'));"
        "print(torch.Tensor.cumsum.__doc__ == torch.cumsum.__doc__);"
        "exec('from wengert import *'); print(tensor, einsum)"
    )
    there, found, absent, documented, *_ = run_fresh(code).splitlines()
    assert (there, found, documented) == ("True", "True", "True")
    assert absent == "False False"


LATER = [
    ("torch.ones(2, 3).sort().values.shape", "torch.Size([2, 3])"),
    ("(torch.ones(2) @ torch.ones(2)).item()", "2.0"),
    ("torch.tensor([1 + 2j]).real", "tensor([1.])"),
    ("torch.Tensor.cumsum(torch.ones(2), 0)", "tensor([1., 2.])"),
    ("torch.func.vmap(lambda x: x.softmax(0).cumsum(0))(torch.ones(1, 1))", "[[1.]]"),
    ("torch.ones(2, 3)[0, 1:].sum().item() in torch.ones(2)", "False"),
    ("list(torch.arange(2) == torch.ones(2))", "[tensor(False), tensor(True)]"),
    ("torch.func.vmap(lambda x: x[0] @ x[1])(torch.ones(1, 2, 3))", "tensor([3.])"),
    ("torch.tensor(6).__iand__(3)", "tensor(2)"),
    ("torch.special.sinc(torch.zeros(1))", "tensor([1.])"),
    ("torch.linalg.cond(torch.eye(2))", "tensor(1.)"),
]


@pytest.mark.parametrize(("code", "shown"), LATER)
def test_what_is_loaded_later_works_at_the_first_call(code, shown):
    assert shown in run_fresh(f"import wengert as torch; print({code})")


def test_properties_that_are_loaded_later_can_be_set_and_overridden():
    code = """
import wengert as torch
x = torch.tensor([1 + 2j])
x.real = torch.tensor([5.0])
print(x)
class Counting(torch.Tensor):
    calls = []
    @classmethod
    def __torch_function__(cls, func, types, args=(), kwargs=None):
        cls.calls.append(func.__name__)
        return super().__torch_function__(func, types, args, kwargs or {})
y = torch.ones(2).as_subclass(Counting)
y.cumsum(0); y.sort(); y[0] = 1
print(Counting.calls)
"""
    written, calls = run_fresh(code).splitlines()
    assert written == "tensor([5.+2.j])"
    assert calls == "['cumsum', 'sort', '__setitem__']"


def test_version_is_that_of_the_installed_package():
    assert wengert.__version__ == importlib.metadata.version("wengert")


def test_types_are_shipped():
    assert (PACKAGE / "py.typed").exists()


def room_of(module: str) -> str:
    """`primitives` for `wengert.primitives.shape`; an empty string for `wengert`."""
    parts = module.split(".")
    return parts[1] if len(parts) > 1 else ""


def module_name(path: Path) -> str:
    parts = ("wengert", *path.relative_to(PACKAGE).with_suffix("").parts)
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def names_type_checking(test: ast.expr) -> bool:
    return (isinstance(test, ast.Name) and test.id == "TYPE_CHECKING") or (
        isinstance(test, ast.Attribute) and test.attr == "TYPE_CHECKING"
    )


def run_at_import(body: list[ast.stmt]):
    """The statements that importing a module executes, those of its classes too."""
    for statement in body:
        if isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef):
            continue
        if isinstance(statement, ast.If) and names_type_checking(statement.test):
            yield from run_at_import(statement.orelse)
            continue
        yield statement
        for field in ("body", "orelse", "finalbody"):
            yield from run_at_import(getattr(statement, field, []))
        for handler in getattr(statement, "handlers", []):
            yield from run_at_import(handler.body)


def imported_modules(path: Path):
    """The modules of the package that `path` imports when it is imported."""
    package = module_name(path)
    if path.name != "__init__.py":
        package = package.rpartition(".")[0]
    for statement in run_at_import(ast.parse(path.read_text("utf-8")).body):
        if isinstance(statement, ast.Import):
            yield from (alias.name for alias in statement.names)
        elif isinstance(statement, ast.ImportFrom):
            source = statement.module or ""
            if statement.level:
                above = package.split(".")[: 1 - statement.level or None]
                source = ".".join([*above, source]).rstrip(".")
            yield source
            # "from wengert import errors" may import a module
            yield from (f"{source}.{alias.name}" for alias in statement.names)


def is_module(name: str) -> bool:
    path = PACKAGE.joinpath(*name.split(".")[1:])
    return path.with_suffix(".py").exists() or (path / "__init__.py").exists()


@pytest.mark.parametrize("path", MODULES, ids=MODULE_IDS)
def test_imports_point_inward(path):
    room = room_of(module_name(path))
    assert room in ROOMS, f"give {room!r} its place in LAYERS"
    outward = {
        name
        for name in imported_modules(path)
        if name.startswith("wengert.")
        and is_module(name)
        and ROOMS.get(room_of(name), len(LAYERS)) > ROOMS[room]
    }
    assert not outward


def test_no_rule_sees_the_tensor_class():
    rules = [path for path in MODULES if room_of(module_name(path)) == "primitives"]
    assert rules
    seeing = [path for path in rules if "wengert.tensor" in imported_modules(path)]
    assert not seeing


def test_traces_hide_tensors_from_all_quick_calls():
    from wengert.compiler import watch

    quick = [path for path in MODULES if room_of(module_name(path)) == "quick"]
    hidden = {module.__name__ for module in watch.QUICK}
    assert hidden == {module_name(path) for path in quick} - {"wengert.quick"}


@pytest.mark.parametrize("path", MODULES, ids=MODULE_IDS)
def test_module_says_what_it_is(path):
    assert ast.get_docstring(ast.parse(path.read_text("utf-8")))


PUBLIC_MODULES = [
    "wengert",
    "wengert.autograd",
    "wengert.distributions",
    "wengert.distributions.constraints",
    "wengert.distributions.utils",
    "wengert.fft",
    "wengert.func",
    "wengert.linalg",
    "wengert.masked",
    "wengert.nn",
    "wengert.nn.functional",
    "wengert.nn.init",
    "wengert.optim",
    "wengert.signal.windows",
    "wengert.special",
    "wengert.utils",
]


@pytest.mark.parametrize("name", PUBLIC_MODULES)
def test_public_names_exist_and_are_documented(name):
    module = importlib.import_module(name)
    undocumented = {
        public
        for public in public_names(module)
        if defined_here(value := getattr(module, public)) and not inspect.getdoc(value)
    }
    assert not undocumented


def test_names_that_are_loaded_later_are_listed():
    assert {"nn", "optim", "conv2d", "compile", "save"} <= set(dir(wengert))


def public_names(module) -> list[str]:
    names = getattr(module, "__all__", dir(module))
    return [name for name in names if not name.startswith("_")]


def defined_here(value) -> bool:
    module = getattr(value, "__module__", None) or ""
    return callable(value) and module.partition(".")[0] == "wengert"
