"""The product's own Python files as syntax trees, and the few questions that house rules ask of them."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("config", "contracts", "vouchers", "procurement", "settlement")


@dataclass(frozen=True)
class Module:
    """A file: its path from the root and what is in it."""

    path: str
    text: str
    tree: ast.Module

    def at(self, node: ast.AST, what: str) -> str:
        """Where and what, for the list of a failed rule."""
        return f"{self.path}:{getattr(node, 'lineno', 0)} {what}"


def parsed(text: str, path: str = "example.py") -> Module:
    """A file from its text."""
    return Module(path, text, ast.parse(text))


@lru_cache(maxsize=1)
def modules() -> tuple[Module, ...]:
    """Every file of the five packages; migrations are made, not written."""
    files = (path for package in PACKAGES for path in sorted((ROOT / package).rglob("*.py")))
    return tuple(
        parsed(path.read_text(encoding="utf-8"), path.relative_to(ROOT).as_posix())
        for path in files
        if "migrations" not in path.parts
    )


def in_folders(*names: str) -> list[Module]:
    """Files below a folder of one of the names, or the file ``name.py`` itself."""
    return [m for m in modules() if set(names) & {*Path(m.path).parent.parts, Path(m.path).stem}]


def functions(module: Module) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    """Functions and methods of a file."""
    for node in ast.walk(module.tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node


def name_of(node: ast.AST) -> str:
    """Last name of ``a.b.c`` or ``c``; blank for anything else."""
    if isinstance(node, ast.Attribute):
        return node.attr
    return node.id if isinstance(node, ast.Name) else ""


def calls(module: Module, names: Iterable[str]) -> Iterator[tuple[ast.Call, str]]:
    """Calls of a function or method with one of the names."""
    wanted = frozenset(names)
    for node in ast.walk(module.tree):
        if isinstance(node, ast.Call) and name_of(node.func) in wanted:
            yield node, name_of(node.func)


def texts(module: Module) -> Iterator[ast.Constant]:
    """String constants that are not docstrings: SQL is among them."""
    said = {id(node.value) for node in ast.walk(module.tree) if isinstance(node, ast.Expr)}
    for node in ast.walk(module.tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in said:
            yield node
