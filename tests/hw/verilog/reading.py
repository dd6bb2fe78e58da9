"""Verilog as pyslang reads it: what it says of sources, and what modules consist of."""

from collections.abc import Iterable, Iterator
from pathlib import Path

import pyslang
from pyslang import ast, parsing, syntax
from pyslang.syntax import SyntaxKind

from ernn.hw.design import ModuleContents

VERSION = pyslang.LanguageVersion.v1364_2005


def options(top: str = "") -> pyslang.Bag:
    """Of Verilog-2005, with every error told."""
    compilation = ast.CompilationOptions()
    compilation.languageVersion = VERSION
    compilation.errorLimit = 0
    if top:
        compilation.topModules = {top}
    lexer, parser, preprocessor = parsing.LexerOptions(), parsing.ParserOptions(), parsing.PreprocessorOptions()
    for each in (lexer, parser, preprocessor):
        each.languageVersion = VERSION
    bag = pyslang.Bag()
    bag.compilationOptions, bag.lexerOptions = compilation, lexer
    bag.parserOptions, bag.preprocessorOptions = parser, preprocessor
    return bag


def errors(files: Iterable[Path], top: str) -> list[str]:
    """What is wrong with sources, in words."""
    manager, bag = pyslang.SourceManager(), options(top)
    compilation = ast.Compilation(bag)
    for path in files:
        compilation.addSyntaxTree(syntax.SyntaxTree.fromFile(str(path), manager, bag))
    engine = pyslang.DiagnosticEngine(manager)
    wrong = (pyslang.DiagnosticSeverity.Error, pyslang.DiagnosticSeverity.Fatal)
    found = [each for each in compilation.getAllDiagnostics() if engine.getSeverity(each.code, each.location) in wrong]
    return [pyslang.DiagnosticEngine.reportAll(manager, [each]) for each in found]


def parts(text: str) -> dict[str, ModuleContents]:
    """Modules of a file, as they are written: every branch of a generate block counts."""
    root = syntax.SyntaxTree.fromText(text, pyslang.SourceManager(), options=options()).root
    return {
        str(module.header.name.value): _parts(module)
        for module in _all(root)
        if module.kind == SyntaxKind.ModuleDeclaration
    }


def _all(node: syntax.SyntaxNode) -> Iterator[syntax.SyntaxNode]:
    """A node and everything below it."""
    yield node
    for child in node:
        if isinstance(child, syntax.SyntaxNode):
            yield from _all(child)


def _parts(module: syntax.SyntaxNode) -> ModuleContents:
    nodes = list(_all(module))
    arrays = {
        str(each.name.value) for each in nodes if each.kind == SyntaxKind.Declarator and len(list(each.dimensions))
    }
    loops = {str(n.value) for each in nodes for n in _loops(each)}
    clocked = [node for each in nodes if _clocked(each) for node in _all(each)]
    assigned = [each for each in clocked if each.kind == SyntaxKind.NonblockingAssignmentExpression]
    targets = [target for each in assigned for target in _targets(each.left)]
    memories = {name for name, index in targets if name in arrays and not (index.isdigit() or index in loops)}
    ports = {
        name
        for each in assigned
        for name, _ in _targets(each.left)
        for source, index in _targets(each.right)
        if source in memories and index
    }
    instances = {
        str(each.decl.name.value): str(node.type.value)
        for node in nodes
        if node.kind == SyntaxKind.HierarchyInstantiation
        for each in node.instances
        if isinstance(each, syntax.SyntaxNode)
    }
    return ModuleContents(tuple(sorted({name for name, _ in targets} - memories - ports)), instances)


def _loops(node: syntax.SyntaxNode) -> Iterator[object]:
    """Names of variables of loops that a node declares."""
    if node.kind == SyntaxKind.DataDeclaration and str(node.type).split()[-1:] == ["integer"]:
        yield from (each.name for each in node.declarators if isinstance(each, syntax.SyntaxNode))
    if node.kind == SyntaxKind.GenvarDeclaration:
        yield from (each.identifier for each in node.identifiers if isinstance(each, syntax.SyntaxNode))


def _clocked(node: syntax.SyntaxNode) -> bool:
    return node.kind == SyntaxKind.AlwaysBlock and "posedge" in str(node.statement.timingControl)


def _targets(node: syntax.SyntaxNode) -> Iterator[tuple[str, str]]:
    """Names that an expression consists of, if it is a signal or signals side by side, each with its first index."""
    if node.kind == SyntaxKind.IdentifierName:
        yield str(node.identifier.value), ""
    elif node.kind == SyntaxKind.IdentifierSelectName:
        yield str(node.identifier.value), str(next(iter(node.selectors)).selector).strip()
    elif node.kind == SyntaxKind.ConcatenationExpression:
        for each in node.expressions:
            if isinstance(each, syntax.SyntaxNode):
                yield from _targets(each)
