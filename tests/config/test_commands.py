"""Commands that answer programs refuse in one way."""

from __future__ import annotations

import io
import json

import pytest
from django.apps import apps
from django.core.management import call_command, get_commands, load_command_class

from config.accounts.models import Organisation

pytestmark = pytest.mark.django_db

# Every command that answers in JSON about one municipality -> what else it needs, and its exit code of a refusal.
COMMANDS = {
    "export_journal": (["--format", "hledger", "--out", "{folder}/books"], 1),
    "export_package": (["{folder}/package"], 1),
    "import_package": (["{folder}/nothing"], 1),
    "reject_uncorrected": ([], 1),
    "replay_run": (["2025-11/1"], 2),
    "settle": (["--period", "2025-11"], 1),
    "settlement_form": (["act", "--out", "{folder}/act.pdf"], 1),
}


def test_every_such_command_has_a_row() -> None:
    ours = {app.name for app in apps.get_app_configs() if "site-packages" not in app.path}
    found = set()
    for name, app in get_commands().items():
        if app in ours:
            parser = load_command_class(app, name).create_parser("manage.py", name)
            found |= {name} if {"--json", "--organisation"} <= set(parser._option_string_actions) else set()
    assert found == set(COMMANDS)


@pytest.mark.parametrize("name", sorted(COMMANDS))
def test_a_refusal_is_a_problem_in_the_output_or_a_sentence_among_the_errors(
    name: str, organisation: Organisation, tmp_path: object
) -> None:
    needed, code = COMMANDS[name]
    arguments = [part.format(folder=tmp_path) for part in needed] + ["--organisation", "nobody"]
    title = "PACKAGE_UNREADABLE" if name == "import_package" else "ORGANISATION_UNKNOWN"
    for extra in ([], ["--json"]):
        out, errors = io.StringIO(), io.StringIO()
        with pytest.raises(SystemExit) as ended:
            call_command(name, *arguments, *extra, stdout=out, stderr=errors)
        assert ended.value.code == code
        if extra:
            assert (json.loads(out.getvalue())["title"], errors.getvalue()) == (title, "")
        else:
            assert (out.getvalue(), errors.getvalue().startswith(title)) == ("", True)
