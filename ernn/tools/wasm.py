"""`python -m ernn.tools.wasm PACKAGE MODULE [ARGUMENT ...]`: a WebAssembly program of a package with a deep stack.

nextpnr for GateMate follows routes by recursion, and its package was linked with a stack of 64 KiB: too little for a
design of any size. A copy of the module in memory gets one of 16 MiB behind its own data, where the allocator, which
asks for new pages, never comes; a guard between the two is checked at the end.
"""

import contextlib
import sys
import threading
from collections.abc import Iterator, Sequence
from importlib import resources

import wasmtime

PAGE = 65536  # bytes
STACK = 256  # pages
_MACHINE_STACK = 2 << 20  # bytes; of compiled code, the most that the runtime takes
_MEMORY, _GLOBAL = 5, 6  # sections
_NUMBER = b"\x7f\x01\x41"  # a mutable i32 that begins as a constant


def with_stack(module: bytes, pages: int = STACK) -> tuple[bytes, int]:
    """A module as LLVM links it, its stack moved to `pages` pages behind its memory; and where its memory ended.

    Raises:
        ValueError: the module has another form.
    """
    if module[:8] != b"\0asm\x01\0\0\0":
        raise ValueError("no WebAssembly module")
    result, end = bytearray(module[:8]), 0
    for kind, body in _sections(module):
        if kind == _MEMORY:
            if body[:2] != b"\x01\x00":
                raise ValueError("not one memory without a limit")
            end = _unsigned(body, 2)[0]
            body = body[:2] + _encoded(end + pages)
        if kind == _GLOBAL:
            start = _unsigned(body, 0)[1]
            if not end or body[start : start + 3] != _NUMBER:
                raise ValueError("the first global variable is no stack pointer")
            top = _signed((end + pages) * PAGE)
            body = body[: start + 3] + top + body[_unsigned(body, start + 3)[1] :]
        result += bytes([kind]) + _encoded(len(body)) + body
    return bytes(result), end * PAGE


def run(package: str, name: str, arguments: Sequence[str]) -> int:
    """Run a program of a package in the current folder, with the package's `share` as `/share`; its exit code.

    Raises:
        ValueError: the module has another form than a program that LLVM has linked.
        RuntimeError: the program has used the room that keeps its heap from its stack.
    """
    folder = resources.files(package)
    config = wasmtime.Config()
    config.wasm_exceptions = True
    config.max_wasm_stack = _MACHINE_STACK
    with contextlib.suppress(wasmtime.WasmtimeError):  # no folder to keep compiled code in: it is compiled again
        config.cache = True
    binary, end = with_stack((folder / name).read_bytes())
    engine = wasmtime.Engine(config)
    module = wasmtime.Module(engine, binary)
    system = wasmtime.WasiConfig()
    system.argv = [name.removesuffix(".wasm"), *arguments]
    system.inherit_stdout()
    system.inherit_stderr()
    system.preopen_dir(".", ".")
    system.preopen_dir(str(folder / "share"), "/share")
    linker, store = wasmtime.Linker(engine), wasmtime.Store(engine)
    linker.define_wasi()
    store.set_wasi(system)
    exports = linker.instantiate(store, module).exports(store)
    start, memory = exports["_start"], exports["memory"]
    if not isinstance(start, wasmtime.Func) or not isinstance(memory, wasmtime.Memory):
        raise ValueError(f"{name} is no program")
    code = 0
    try:
        start(store)
    except wasmtime.ExitTrap as trap:
        code = trap.code
    if any(memory.read(store, end, end + PAGE)):
        raise RuntimeError(f"{name} keeps its heap where its stack was put")
    return code


def main() -> None:
    """Run what the command line names, in a thread with room for the recursion of compiled code."""
    codes: list[int] = []
    threading.stack_size(4 * _MACHINE_STACK)
    thread = threading.Thread(target=lambda: codes.append(run(sys.argv[1], sys.argv[2], sys.argv[3:])), daemon=True)
    thread.start()
    thread.join()
    sys.exit(codes[0] if codes else 1)


def _sections(module: bytes) -> Iterator[tuple[int, bytes]]:
    place = 8
    while place < len(module):
        kind = module[place]
        size, place = _unsigned(module, place + 1)
        yield kind, module[place : place + size]
        place += size


def _unsigned(data: bytes, place: int) -> tuple[int, int]:
    """A LEB128 number, and where it ends; signed ones differ in their highest bit alone."""
    value = shift = 0
    while True:
        byte = data[place]
        place += 1
        value |= (byte & 0x7F) << shift
        shift += 7
        if not byte & 0x80:
            return value, place


def _encoded(value: int) -> bytes:
    """Unsigned LEB128."""
    found = bytearray()
    while value > 0x7F:
        found.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*found, value])


def _signed(value: int) -> bytes:
    """Signed LEB128 of a number that is not negative: a bit for the sign."""
    found = bytearray(_encoded(value))
    if found[-1] & 0x40:
        found[-1] |= 0x80
        found.append(0)
    return bytes(found)


if __name__ == "__main__":
    main()
