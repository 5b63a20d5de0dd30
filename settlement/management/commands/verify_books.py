"""manage.py verify_books: the books agree, or the first row that disagrees is named, in the language of the offices."""

from __future__ import annotations

import json
import sys
from argparse import ArgumentParser
from dataclasses import asdict
from typing import Any

from django.core.management.base import BaseCommand
from django.utils.translation import gettext

from settlement.book_words import sentence_of
from settlement.books import CHECKS, verify_books


class Command(BaseCommand):
    help = "Prove that sub-ledgers, ledger, claims, payments and bank agree. Exit code 1 when they do not."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--json", action="store_true", help="machine-readable answer")

    def handle(self, *args: Any, **options: Any) -> None:
        faults = verify_books()
        if options["json"]:
            self.stdout.write(json.dumps({"checks": len(CHECKS), "faults": [asdict(fault) for fault in faults]}))
        else:
            for fault in faults:
                self.stdout.write(sentence_of(fault))
            verdict = gettext("the books do not agree") if faults else gettext("the books agree")
            words = gettext("%(checks)s checks, %(rows)s rows that disagree: %(verdict)s")
            self.stdout.write(words % {"checks": len(CHECKS), "rows": len(faults), "verdict": verdict})
        if faults:
            sys.exit(1)
