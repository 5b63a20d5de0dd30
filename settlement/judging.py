"""Judging a run: dated law, facts as they were known, the rules. The first time and every replay go through here."""

from __future__ import annotations

import ast
import hashlib
from dataclasses import dataclass
from datetime import date, datetime
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from django.db import connection
from django.utils.translation import gettext_lazy as _

from config.accounts.models import Organisation
from config.errors import DomainError
from config.law_words import parameter_named
from config.periods import month_end
from config.transactions import step
from contracts.parameters import ParameterBook
from settlement import rules
from settlement.decided_queries import as_decided, read_decided
from settlement.facts_queries import read_facts
from settlement.models import Adjudication, AdjudicationRun
from settlement.rules import checks
from settlement.rules.adjudicate import AdjudicationResult, adjudicate
from settlement.rules.facts import COLUMNS, LAST_DAY, Facts
from settlement.rules.parameters import KEYS, Parameters, parse_parameters
from settlement.run_tables import create_run_tables

_EPOCH = date(1970, 1, 1)


class ParameterUnreadable(DomainError):
    """A stored figure of law is not what adjudication can read."""

    code = "PARAMETER_UNREADABLE"
    message = _(
        "The parameter «%(parameter)s» has the value «%(value)s», which adjudication cannot read. Correct it first."
    )


@dataclass(frozen=True)
class Batch:
    """Number of a run, the claims new in it, the claim lines judged again; ``before``: id of the run when replayed."""

    number: int
    claims: tuple[int, ...]
    cleared_lines: tuple[int, ...]
    before: int | None = None


def batch_of(run: AdjudicationRun) -> Batch:
    """The claims that were new in a run and the lines that it judged again."""
    claims = run.remittances.filter(claim__run=run.number).order_by("claim").values_list("claim", flat=True)
    again = Adjudication.objects.filter(run=run, reverses=None).exclude(claim__in=claims)
    lines = again.order_by("claim_line").values_list("claim_line", flat=True)
    return Batch(run.number, tuple(claims), tuple(lines), before=run.pk)


@dataclass(frozen=True)
class Law:
    """Parameters as the rules want them, and their versions as the run stores them."""

    parameters: Parameters
    versions: list[dict[str, object]]


def law_of(organisation: Organisation, period: date, known_at: datetime) -> Law:
    """Dated figures by precedence: general, national, the organisation's own. Raises: ParameterUnreadable."""
    book = ParameterBook.load(organisation, KEYS, known_at=known_at)
    rows = [
        (
            row.key,
            (row.valid_from - _EPOCH).days,
            LAST_DAY if row.valid_to is None else (row.valid_to - _EPOCH).days - 1,
            row.value,
        )
        for key in KEYS
        for row in reversed(book.rows.get(key, []))
    ]
    used = [book.get(key, month_end(period)) for key in KEYS]
    return Law(_readable(rows), [value.as_version() for value in used if value])


def _readable(rows: list[tuple[str, int, int, str]]) -> Parameters:
    for key, first, last, value in rows:
        try:
            parse_parameters([(key, first, last, value)])
        except ValueError as problem:
            raise ParameterUnreadable(key=key, parameter=parameter_named(key), value=value) from problem
    return parse_parameters(rows)


@step
def judge(
    organisation: Organisation, batch: Batch, known_at: datetime, law: Law, *, anew: bool = False
) -> tuple[Facts, AdjudicationResult]:
    """Facts as known at a moment and what the rules make of them; writes nothing but temporary tables.

    A run that a package tells of stands as it was decided there, unless it is to be judged ``anew``.
    Raises: DecidedIncomplete.
    """
    scope: dict[str, Any] = {
        "organisation": organisation.pk,
        "zone": organisation.zone,
        "run": batch.number,
        "fresh": list(batch.claims),
        "cleared": list(batch.cleared_lines),
        "before": batch.before,
        "known_at": known_at,
    }
    with connection.cursor() as cursor:
        create_run_tables(cursor, scope)
        facts = read_facts(cursor, scope)
        decided = None if anew else read_decided(cursor, scope)
    if decided is not None:
        return facts, as_decided(facts, decided, batch.number)
    return facts, adjudicate(facts, parameters=law.parameters)


def receipt_of_run(facts: Facts) -> dict[str, Any]:
    """What a run notes of itself: fingerprints of the rules and of each table of facts."""
    return {"rules": rule_versions(), "facts": facts_versions(facts)}


@cache
def rule_versions() -> dict[str, str]:
    """Fingerprints of the engine as a whole and of each check, by code; words and comments do not count."""
    folder = Path(rules.__file__).parent
    whole = hashlib.sha256()
    for path in sorted(folder.rglob("*.py")):
        whole.update(_meaning(path).encode())
    single = {code: hashlib.sha256(_meaning(_file_of(check)).encode()) for code, check in sorted(checks.ALL.items())}
    return {"engine": whole.hexdigest()[:16], **{code: digest.hexdigest()[:16] for code, digest in single.items()}}


def _file_of(check: Any) -> Path:
    return Path(check.__file__)


def _meaning(path: Path) -> str:
    """A source without comments, layout and docstrings."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    for node in ast.walk(tree):
        body = getattr(node, "body", None)
        if isinstance(body, list) and body and _is_text(body[0]):
            body[0].value.value = ""
    return ast.unparse(tree)


def _is_text(node: Any) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)


# Registers are read whole; only the rows that a line of the run can reach tell something about it.
_REACHED = {
    "services": ("service", "services"),
    "norm_costs": ("service", "services"),
    "providers": ("provider", "providers"),
    "provider_suspensions": ("provider", "providers"),
    "workers": ("worker", "workers"),
    "worker_qualifications": ("worker", "workers"),
    "contracts": ("contract", "contracts"),
    "contract_lines": ("contract", "contracts"),
    "contract_used": ("contract", "contracts"),
    "recipients": ("recipient", "recipients"),
    "residences": ("recipient", "recipients"),
    "absences": ("recipient", "recipients"),
    "fee_assessments": ("recipient", "recipients"),
    "plan_lines": ("recipient", "recipients"),
    "year_used": ("recipient", "recipients"),
    "certificates": ("certificate", "certificates"),
    "certificate_suspensions": ("certificate", "certificates"),
    "certificate_lines": ("certificate", "certificates"),
    "complaints": ("redemption", "redemptions"),
}


def facts_versions(facts: Facts) -> dict[str, str]:
    """A fingerprint of each table of facts, whatever the order of its rows."""
    reached = _reach(facts)
    found = {}
    for name, table in vars(facts).items():
        if name in _REACHED:
            key, kind = _REACHED[name]
            table = table[table[key].isin(reached[kind])]
        found[name] = _fingerprint(table[list(COLUMNS[name])])
    return found


def _reach(facts: Facts) -> dict[str, Any]:
    certificates = facts.lines["certificate"].unique()
    owned = facts.certificates["certificate"].isin(certificates)
    return {
        "services": facts.lines["service"].unique(),
        "workers": facts.lines["worker"].unique(),
        "redemptions": facts.lines["redemption"].unique(),
        "certificates": certificates,
        "recipients": facts.certificates.loc[owned, "recipient"].unique(),
        "providers": facts.claims["provider"].unique(),
        "contracts": facts.claims["contract"].unique(),
    }


def _fingerprint(table: pd.DataFrame) -> str:
    if "recipient_class" in table:
        # Numbered anew in each reading.
        table = table.assign(recipient_class=np.sign(table["recipient_class"]))
    rows = np.sort(pd.util.hash_pandas_object(table, index=False).to_numpy())
    return hashlib.sha256(rows.tobytes()).hexdigest()[:16]
