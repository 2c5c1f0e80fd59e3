"""From IR text to addresses of machine code: llvmlite, used in this file alone.

`compile_functions` takes the IR of kernels and returns their addresses. A kernel is
known by its text: equal text is compiled once in a process, and its object code is kept
on disk. Loaded code is never unloaded, as worker threads may be inside of it until the
process ends.
"""

from __future__ import annotations

import atexit
import functools
import re
import threading
from collections.abc import Sequence
from typing import Any

from . import cache

_LOCK = threading.Lock()
_ADDRESSES: dict[str, int] = {}


class MissingCompiler(ImportError):
    """llvmlite is not installed."""


class Machine:
    """The host's code generator, made once."""

    def __init__(self) -> None:
        try:
            import llvmlite.binding as llvm
        except ImportError as error:
            raise MissingCompiler(
                "compiling needs llvmlite, which is not installed: "
                "pip install 'wengert[jit]', or replay through NumPy with "
                "backend='numpy'"
            ) from error
        self.llvm = llvm
        llvm.initialize_native_target()
        llvm.initialize_native_asmprinter()
        self.cpu = llvm.get_host_cpu_name()
        self.features = llvm.get_host_cpu_features().flatten()
        self.identity = "|".join(
            [
                self.cpu,
                self.features,
                str(llvm.llvm_version_info),
                llvm.get_process_triple(),
            ]
        )
        self.vector_bytes = _vector_bytes(self.features)
        self.triple = llvm.get_process_triple()
        self.jit = llvm.create_lljit_compiler(self._target_machine())
        atexit.register(self.jit.detach)  # never torn down: workers may be running

    def _target_machine(self) -> Any:
        target = self.llvm.Target.from_default_triple()
        return target.create_target_machine(
            cpu=self.cpu, features=self.features, opt=2, reloc="pic", codemodel="small"
        )

    def object_code(self, ir: str, finished: bool = False) -> bytes:
        """Optimise and assemble one module.

        What is ``finished`` is as good as it gets but for registers and constants: it
        takes a few passes, a tenth of the time of all.
        """
        llvm = self.llvm
        with llvm.parse_assembly(ir, llvm.create_context()) as module:
            machine = self._target_machine()
            options = llvm.create_pipeline_tuning_options(speed_level=2)
            options.loop_unrolling = False
            options.slp_vectorization = False
            builder = llvm.create_pass_builder(machine, options)
            passes = builder.getModulePassManager()
            if finished:
                passes = llvm.create_new_module_pass_manager()
                passes.add_always_inliner_pass()
                passes.add_sroa_pass()
                passes.add_instruction_combine_pass()
                passes.add_simplify_cfg_pass()
            passes.run(module, builder)
            return bytes(machine.emit_object(module))

    def link(self, name: str, code: bytes, symbols: Sequence[str]) -> dict[str, int]:
        """Load an object; the addresses of ``symbols``."""
        builder = self.llvm.JITLibraryBuilder().add_object_img(code)
        builder.add_current_process()
        for symbol in symbols:
            builder.export_symbol(symbol)
        tracker = builder.link(self.jit, name)
        addresses = {symbol: tracker[symbol] for symbol in symbols}
        tracker.detach()
        return addresses


@functools.cache
def machine() -> Machine:
    """The process's code generator.

    Raises:
        MissingCompiler: llvmlite is not installed.
    """
    return Machine()


def _vector_bytes(features: str) -> int:
    enabled = set(features.split(","))
    if "+avx512f" in enabled:
        return 64
    return 32 if "+avx2" in enabled else 16


def compile_module(
    ir: str, symbols: Sequence[str], finished: bool = False
) -> dict[str, int]:
    """The addresses of a module's functions, from the disk's cache where possible."""
    host = machine()
    key = cache.key_of(host.identity, ir, str(finished))
    code = cache.load(key)
    if code is None:
        code = host.object_code(ir, finished)
        cache.save(key, code)
    return host.link(f"wengert-{key[:16]}-{len(_ADDRESSES)}", code, symbols)


def compile_functions(bodies: Sequence[str], declarations: set[str]) -> list[int]:
    """Addresses of kernels; a body is a function's text, named ``@KERNEL``.

    Kernels that this process has not met are compiled together, as one module.
    """
    with _LOCK:
        new = list(dict.fromkeys(b for b in bodies if b not in _ADDRESSES))
        if new:
            names = [f"kernel{i}" for i in range(len(new))]
            ir = _module_text(new, names, declarations)
            addresses = compile_module(ir, names)
            _ADDRESSES.update(
                (body, addresses[name]) for body, name in zip(new, names, strict=True)
            )
        return [_ADDRESSES[body] for body in bodies]


def _module_text(
    bodies: Sequence[str], names: Sequence[str], declarations: set[str]
) -> str:
    """One module: each kernel gets its name, and its metadata numbers of their own."""
    functions, used = [], 0
    for body, name in zip(bodies, names, strict=True):
        start = used

        def renumber(match: re.Match[str], start: int = start) -> str:
            return f"!{start + int(match[1])}"

        text = re.sub(r"!@(\d+)", renumber, body.replace("@KERNEL", f"@{name}"))
        used += body.count("\n!@")
        functions.append(text)
    return "\n".join([*functions, *sorted(declarations)])
