"""manage.py settlement_form FORM: an act, an invoice or a form of Russian law, as PDF or XLSX."""

from __future__ import annotations

import hashlib
import json
import os
from argparse import ArgumentParser, ArgumentTypeError
from datetime import date, datetime
from pathlib import Path
from typing import Any

from django.core.management.base import CommandError
from django.utils.translation import gettext as _

from config.accounts.access import permitted
from config.accounts.models import Organisation
from config.accounts.organisations import organisation_named
from config.audit.actors import SYSTEM, Actor
from config.clock import business_now
from config.commands import RefusingCommand
from config.errors import DomainError
from config.periods import parse_month
from contracts.models import Provider
from settlement.actions.settlement_forms import draw_compensation, draw_form
from settlement.claim_papers import claim_paper
from settlement.models import Claim
from settlement.printed_tables import PrintedTable, table_pdf, table_xlsx
from settlement.ru_form_inputs import FormRowsRefused, read_form_file, reason_words
from settlement.ru_form_papers import FORMS

PAPERS = ("act", "invoice")


def month(text: str) -> date:
    """An argument written YYYY-MM."""
    try:
        return parse_month(text)
    except ValueError as problem:
        raise ArgumentTypeError(_("write the month as 2025-11")) from problem


class Command(RefusingCommand):
    """Exit codes: 0 drawn, 1 refused, 2 wrong usage."""

    help = "Draw a settlement form: of a claim, of a provider's month, or of a spreadsheet. Named in the trail."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("form", choices=[*PAPERS, *FORMS])
        parser.add_argument("--claim", default="", help="number of the claim: act, invoice, compensation")
        parser.add_argument("--provider", default="", help="code of the provider")
        parser.add_argument("--period", type=month, help="the month of the services, as 2025-11")
        parser.add_argument("--inputs", type=Path, help="CSV or XLSX with the columns of the form")
        parser.add_argument("--out", type=Path, required=True, help="the file to write: .pdf or .xlsx")
        parser.add_argument("--organisation", default="", help="code of the municipality, if there are several")
        parser.add_argument("--as", dest="username", default="", help="the person who draws it, named in the trail")
        parser.add_argument("--json", action="store_true", help="print the summary or the refusal as JSON")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["out"].suffix not in (".pdf", ".xlsx"):
            raise CommandError(_("The file to write ends with .pdf or .xlsx."), returncode=2)
        organisation = organisation_named(options["organisation"])
        at = business_now(organisation.clock_offset)
        paper = self._paper(organisation, options, at)
        self._write(options["out"], paper, organisation, at)
        told = {"form": options["form"], "rows": len(paper.rows), "file": str(options["out"])}
        self.stdout.write(json.dumps(told) if options["json"] else _("%(rows)s rows written to %(file)s.") % told)

    def _paper(self, organisation: Organisation, options: dict[str, Any], at: datetime) -> PrintedTable:
        """The form as it is asked for. Raises: DomainError, CommandError."""
        claim = _claim(organisation, options["claim"]) if options["claim"] else None
        if options["form"] in PAPERS:
            if claim is None:
                raise CommandError(_("Name the claim with --claim."), returncode=2)
            return claim_paper(claim, options["form"], made_at=claim.submitted_at or at)
        actor = _actor(organisation, options["username"])
        common: dict[str, Any] = {
            "organisation": organisation,
            "provider": claim.provider if claim else _provider(options["provider"]),
            "period": claim.period if claim else options["period"],
        }
        if common["period"] is None:
            raise CommandError(_("Name the month with --period."), returncode=2)
        if options["inputs"] is None and options["form"] == "compensation":
            return draw_compensation(**common, claim=claim, actor=actor, at=at)
        return self._of_inputs(options, common, actor, at)

    @staticmethod
    def _of_inputs(options: dict[str, Any], common: dict[str, Any], actor: Actor, at: datetime) -> PrintedTable:
        path: Path | None = options["inputs"]
        if path is None:
            raise CommandError(_("This form needs a spreadsheet: --inputs FILE."), returncode=2)
        try:
            content = path.read_bytes()
        except OSError as problem:
            raise CommandError(str(problem), returncode=2) from problem
        rows = read_form_file(form=options["form"], name=path.name, content=content)
        digest = hashlib.sha256(content).hexdigest()
        return draw_form(**common, form=options["form"], rows=rows, sha256=digest, actor=actor, at=at)

    @staticmethod
    def _write(path: Path, paper: PrintedTable, organisation: Organisation, at: datetime) -> None:
        """A file that is there is whole: the new one takes its place at the end."""
        content = table_pdf(paper, organisation, made_at=at) if path.suffix == ".pdf" else table_xlsx(paper)
        unfinished = path.with_name(f".{path.name}.part")
        unfinished.write_bytes(content)
        os.replace(unfinished, path)

    def say_refused(self, refusal: DomainError) -> None:
        super().say_refused(refusal)
        if isinstance(refusal, FormRowsRefused):
            for fault in refusal.faults:
                cells = (refusal.file, str(fault.row), fault.column, fault.value, reason_words(fault))
                self.stderr.write("  " + "\t".join(cells))


def _claim(organisation: Organisation, number: str) -> Claim:
    found = Claim.objects.select_related("organisation", "provider").filter(organisation=organisation, number=number)
    claim = found.first()
    if claim is None:
        raise CommandError(_("There is no such claim."), returncode=2)
    return claim


def _provider(code: str) -> Provider:
    provider = Provider.objects.filter(code=code).first()
    if provider is None:
        raise CommandError(_("There is no such provider. Name it with --provider."), returncode=2)
    return provider


def _actor(organisation: Organisation, username: str) -> Actor:
    return permitted(username, organisation, "settlement_forms.draw") if username else SYSTEM
