"""manage.py replay_run 2025-11/1: judge a run again from the facts as they were known, and compare."""

from __future__ import annotations

import json
import sys
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import CommandError
from django.utils.translation import gettext as _

from config.accounts.models import Organisation
from config.accounts.organisations import organisation_named
from config.commands import RefusingCommand
from config.periods import parse_month
from settlement.models import AdjudicationRun, ClaimLine
from settlement.replay import Replay, replay_run


class Command(RefusingCommand):
    """Exit codes: 0 the same to the last minor unit, 1 something differs, 2 wrong usage or no such run or line."""

    help = "Judge a run again from the facts as they were known then, and say what differs from what is stored."

    refused_code = 2

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("run", help="month and number of the run, as 2025-11/1")
        parser.add_argument("--line", default="", help="one line only: number of the claim and of the line, as A-1/15")
        parser.add_argument("--organisation", default="", help="code of the municipality, if there are several")
        parser.add_argument("--json", action="store_true", help="print the comparison as JSON")

    def handle(self, *args: Any, **options: Any) -> None:
        organisation = organisation_named(options["organisation"])
        run = _run(organisation, options["run"])
        line = _line(organisation, options["line"]) if options["line"] else None
        replay = replay_run(run, line=line)
        if options["json"]:
            self.stdout.write(json.dumps(replay.as_json(), ensure_ascii=False, indent=1))
        else:
            self._say(replay)
        if not replay.equal:
            sys.exit(1)

    def _say(self, replay: Replay) -> None:
        self.stdout.write(replay.sentence)
        for change in replay.changes:
            self.stdout.write(f"  {change.words}")
        for row in replay.differences:
            place = f"{row.claim}/{row.line}" if row.line else row.claim
            self.stdout.write(f"  {place}  {row.words}: {row.stored or '—'} → {row.replayed or '—'}")
        if replay.differing > len(replay.differences):
            self.stdout.write(_("… and %(count)s more.") % {"count": replay.differing - len(replay.differences)})


def _run(organisation: Organisation, text: str) -> AdjudicationRun:
    month, _slash, number = text.partition("/")
    try:
        period = parse_month(month)
    except ValueError as problem:
        raise CommandError(_("Write the run as month and number: 2025-11/1."), returncode=2) from problem
    found = AdjudicationRun.objects.select_related("organisation").filter(organisation=organisation, period=period)
    run = found.filter(number=int(number)).first() if number.isdecimal() and len(number) < 9 else None
    if run is None:
        raise CommandError(_("There is no such run."), returncode=2)
    return run


def _line(organisation: Organisation, text: str) -> ClaimLine:
    claim, _slash, number = text.rpartition("/")
    rows = ClaimLine.objects.filter(claim__organisation=organisation, claim__number=claim)
    line = rows.filter(line=int(number)).first() if number.isdecimal() and len(number) < 9 else None
    if line is None:
        raise CommandError(_("There is no such line. Write it as A-1/15."), returncode=2)
    return line
