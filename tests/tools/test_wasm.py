"""Programs of WebAssembly with a deeper stack than they were linked with."""

import sys

import pytest
import wasmtime
from hypothesis import given
from hypothesis import strategies as st

from ernn.tools import wasm

DEEP = """(module
  (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))
  (memory (export "memory") 2)
  (global $stack (mut i32) (i32.const 65536))
  (func $dig (param $depth i32)
    (global.set $stack (i32.sub (global.get $stack) (i32.const 1024)))
    (i32.store (global.get $stack) (local.get $depth))
    (if (local.get $depth) (then (call $dig (i32.sub (local.get $depth) (i32.const 1)))))
    (global.set $stack (i32.add (global.get $stack) (i32.const 1024))))
  (func (export "_start") (call $dig (i32.const 1000)) %s (call $exit (i32.const 7))))
"""


def package(tmp_path, monkeypatch, source: str) -> None:
    """A Python package `deep` with the module `deep.wasm`."""
    folder = tmp_path / "deep"
    (folder / "share").mkdir(parents=True)
    (folder / "__init__.py").write_text("")
    (folder / "deep.wasm").write_bytes(wasmtime.wat2wasm(source))
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "deep", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))


def test_recursion_that_overflows_the_stack_of_the_module_ends_well(tmp_path, monkeypatch):
    package(tmp_path, monkeypatch, DEEP % "")
    assert wasm.run("deep", "deep.wasm", []) == 7
    monkeypatch.setattr(wasm, "with_stack", lambda module: (module, 0))
    with pytest.raises(wasmtime.Trap, match="out of bounds"):
        wasm.run("deep", "deep.wasm", [])


def test_compiled_code_is_kept_only_where_there_is_room(tmp_path, monkeypatch):
    package(tmp_path, monkeypatch, DEEP % "")
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    assert wasm.run("deep", "deep.wasm", []) == 7


def test_a_heap_that_comes_near_the_stack_is_an_error(tmp_path, monkeypatch):
    package(tmp_path, monkeypatch, DEEP % "(i32.store (i32.const 131072) (i32.const 1))")
    with pytest.raises(RuntimeError, match=r"deep\.wasm keeps its heap where its stack was put"):
        wasm.run("deep", "deep.wasm", [])


@pytest.mark.parametrize(
    ("source", "what"),
    [
        ('(module (memory (export "memory") 1 2) (global (mut i32) (i32.const 65536)))', "not one memory without"),
        ('(module (memory (export "memory") 1) (global i32 (i32.const 65536)))', "is no stack pointer"),
        ("(module (global (mut i32) (i32.const 65536)))", "is no stack pointer"),
    ],
)
def test_modules_of_another_form_are_refused(source, what):
    with pytest.raises(ValueError, match=what):
        wasm.with_stack(wasmtime.wat2wasm(source))
    with pytest.raises(ValueError, match="no WebAssembly module"):
        wasm.with_stack(b"#!/bin/sh")


@given(st.integers(1, 200), st.integers(1, 400))
def test_the_stack_begins_at_the_end_of_all_pages(pages, more):
    source = f'(module (memory (export "memory") {pages}) (global (export "stack") (mut i32) (i32.const 65536)))'
    binary, end = wasm.with_stack(wasmtime.wat2wasm(source), more)
    store = wasmtime.Store()
    exports = wasmtime.Instance(store, wasmtime.Module(store.engine, binary), []).exports(store)
    assert exports["memory"].size(store) == pages + more
    assert exports["stack"].value(store) == (pages + more) * wasm.PAGE
    assert end == pages * wasm.PAGE
