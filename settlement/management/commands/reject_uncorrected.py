"""manage.py reject_uncorrected: reject returned claims whose term of correction is over, at once."""

from __future__ import annotations

import json
from argparse import ArgumentParser
from typing import Any

from django.utils.translation import gettext as _

from config.accounts.organisations import organisation_named
from config.audit.actors import SYSTEM
from config.clock import business_now
from config.commands import RefusingCommand
from settlement.actions.lapsed_claims import reject_uncorrected


class Command(RefusingCommand):
    """Exit codes: 0 done, also when there was nothing to do; 1 refused."""

    help = "Reject returned claims that were not corrected in time. The worker does the same every half hour."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--organisation", default="", help="code of the municipality, if there are several")
        parser.add_argument("--json", action="store_true", help="print the numbers of the claims as JSON")

    def handle(self, *args: Any, **options: Any) -> None:
        organisation = organisation_named(options["organisation"])
        at = business_now(organisation.clock_offset)
        claims = [claim.number for claim in reject_uncorrected(organisation=organisation, actor=SYSTEM, at=at)]
        if options["json"]:
            self.stdout.write(json.dumps({"claims": claims}, ensure_ascii=False))
            return
        told = _("Claims rejected because they were not corrected in time: %(count)s. %(numbers)s")
        self.stdout.write((told % {"count": len(claims), "numbers": ", ".join(claims)}).strip())
