"""The journal: two programs that know nothing of this system read it and come to the same balances."""

from __future__ import annotations

import csv
import io
import os
import subprocess
from datetime import date
from pathlib import Path

import pytest
from django.db import connection

from config.accounts.models import Organisation
from settlement.journal import FORMATS, ROOTS, JournalFormat, journal_accounts, journal_lines
from settlement.models import Account

pytestmark = pytest.mark.django_db
UNTIL = date(2099, 12, 31)
READERS = {"hledger": ["hledger", "--strict", "check", "-f"], "beancount": ["bean-check"]}


def _written(organisation: Organisation, form: JournalFormat, folder: Path, until: date = UNTIL) -> Path:
    path = folder / f"books.{form}"
    path.write_text("\n".join(journal_lines(organisation, form=form, until=until)) + "\n", encoding="utf-8")
    return path


def _read(command: list[str]) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "LC_ALL": "C.UTF-8"}
    return subprocess.run(command, capture_output=True, text=True, env=environment, check=False)


@pytest.mark.parametrize("form", FORMATS)
def test_an_independent_reader_has_no_complaint(books: Organisation, tmp_path: Path, form: JournalFormat) -> None:
    answer = _read([*READERS[form], str(_written(books, form, tmp_path))])
    assert (answer.returncode, answer.stderr) == (0, "")


@pytest.mark.parametrize("form", FORMATS)
def test_an_independent_reader_names_a_changed_posting(
    books: Organisation, tmp_path: Path, form: JournalFormat
) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL session_replication_role = replica")
        cursor.execute(
            "UPDATE settlement_posting SET debit = debit + 1 "
            "WHERE id = (SELECT min(id) FROM settlement_posting WHERE debit > 0)"
        )
        cursor.execute("SET LOCAL session_replication_role = DEFAULT")
    answer = _read([*READERS[form], str(_written(books, form, tmp_path))])
    assert answer.returncode != 0
    assert "0.01" in answer.stdout + answer.stderr


def test_hledger_gives_the_same_balances(books: Organisation, tmp_path: Path) -> None:
    path = _written(books, "hledger", tmp_path)
    answer = _read(["hledger", "-f", str(path), "balance", "--flat", "--empty", "--no-total", "-O", "csv"])
    read = dict(list(csv.reader(io.StringIO(answer.stdout)))[1:])
    ours = journal_accounts(books, UNTIL)
    assert len(ours) > 4
    assert read == {a.name: f"{a.balance / 100:.2f} {a.currency}" if a.balance else "0" for a in ours}


def test_what_comes_later_is_left_out(books: Organisation, tmp_path: Path) -> None:
    assert not journal_accounts(books, date(2000, 1, 1))
    path = _written(books, "hledger", tmp_path, date(2000, 1, 1))
    assert "(" not in path.read_text()


def test_codes_that_read_alike_stay_apart(books: Organisation) -> None:
    payable = Account.objects.filter(organisation=books, kind="payable").order_by("pk")[0]
    with connection.cursor() as cursor:
        cursor.execute("UPDATE settlement_account SET code = 'payable:p/1' WHERE id = %s", [payable.pk])
        cursor.execute(
            "UPDATE settlement_account SET code = 'payable:p.1' WHERE kind = 'payable' AND id <> %s", [payable.pk]
        )
    names = [account.name for account in journal_accounts(books, UNTIL) if account.code.startswith("payable")]
    assert len(names) == 2
    assert len(set(names)) == 2


def test_every_kind_of_account_has_a_root() -> None:
    assert set(ROOTS) == {kind for kind, _title in Account.KINDS}
