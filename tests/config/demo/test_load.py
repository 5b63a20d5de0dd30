"""The demo comes into an empty database only."""

from __future__ import annotations

import ast
import io
from collections.abc import Iterator
from contextlib import nullcontext
from pathlib import Path

import pytest
from django.conf import settings
from django.core.management import call_command

from config.accounts.models import Organisation, User
from config.office.models import Job
from config.translations import Key, stored_catalogue

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("enqueued", [False, True])
def test_no_demo_beside_a_real_municipality(organisation: Organisation, enqueued: bool) -> None:
    before = User.objects.count()
    out = io.StringIO()
    with nullcontext() if enqueued else pytest.raises(SystemExit):
        call_command("load_demo", enqueue=enqueued, stdout=out, stderr=out)
    assert "no demo is loaded" in out.getvalue() or "демонстрацію до неї не завантажують" in out.getvalue()
    assert User.objects.count() == before
    assert not Job.objects.exists()
    assert list(Organisation.objects.all()) == [organisation]


def _said() -> Iterator[ast.expr]:
    """What the chapters say of their progress, as it stands in their source."""
    for path in sorted((Path(settings.BASE_DIR) / "config" / "demo").rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and getattr(node.func, "attr", getattr(node.func, "id", "")) == "say":
                yield node.args[1]


def test_progress_is_said_in_messages_that_the_page_can_translate() -> None:
    said = list(_said())
    assert len(said) > 10
    bare = [
        node for node in said if not (isinstance(node, ast.Call) and getattr(node.func, "id", "") == "gettext_noop")
    ]
    assert [ast.unparse(node) for node in bare] == []
    known = stored_catalogue("ru")
    texts = [
        str(node.args[0].value)
        for node in said
        if isinstance(node, ast.Call) and isinstance(node.args[0], ast.Constant)
    ]
    assert len(texts) == len(said)
    assert [text for text in texts if Key(text) not in known or any(map(str.isdigit, text))] == []
