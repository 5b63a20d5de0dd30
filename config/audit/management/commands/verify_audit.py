"""manage.py verify_audit: the chains are whole, or the first broken row is named."""

from __future__ import annotations

import json
import sys
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand
from django.utils.translation import gettext

from config.audit.verification import verify_chains


class Command(BaseCommand):
    help = "Recompute the hash chains of the audit trail. Exit code 1 when a row was changed, added or removed."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--json", action="store_true", help="machine-readable answer")

    def handle(self, *args: Any, **options: Any) -> None:
        count, faults = verify_chains()
        if options["json"]:
            rows = [{"chain": f.chain, "sequence": f.sequence, "reason": f.reason} for f in faults]
            self.stdout.write(json.dumps({"events": count, "faults": rows}))
        else:
            for fault in faults:
                self.stdout.write(f"{fault.chain} #{fault.sequence}: {gettext(fault.reason)}")
            verdict = gettext("the trail is broken") if faults else gettext("the trail is whole")
            words = gettext("%(events)s events checked, %(faults)s faults: %(verdict)s")
            self.stdout.write(words % {"events": count, "faults": len(faults), "verdict": verdict})
        if faults:
            sys.exit(1)
