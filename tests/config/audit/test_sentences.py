"""Every event that an action records is a sentence in the trail."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

from django.conf import settings

from config.audit.sentences import SENTENCES


def _recorded(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "record" and node.args:
            yield from (
                part.value
                for part in ast.walk(node.args[0])
                if isinstance(part, ast.Constant) and isinstance(part.value, str) and "." in part.value
            )


def test_every_recorded_code_has_a_sentence() -> None:
    root = Path(settings.BASE_DIR)
    apps = ("config", "contracts", "vouchers", "procurement", "settlement")
    files = [path for app in apps for path in (root / app).rglob("*.py")]
    codes = {code for path in files for code in _recorded(ast.parse(path.read_text(encoding="utf-8")))}
    assert len(codes) > 50
    assert codes - set(SENTENCES) == set()
