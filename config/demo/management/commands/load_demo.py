"""manage.py load_demo: play the demo municipality here, or ask a worker to."""

from __future__ import annotations

import json
import sys
import time
from argparse import ArgumentParser
from typing import Any

from django.db import transaction
from django.utils.translation import gettext_lazy as _
from tqdm import tqdm

from config.accounts.models import Organisation
from config.commands import RefusingCommand
from config.demo.load import DatabaseInUse, play
from config.demo.stage import Report, Stage
from config.demo.tasks import KIND
from config.errors import DomainError
from config.office.jobs import enqueue


class DemoGoneOn(DomainError):
    """Played whole before, it changes nothing; where people have worked since, it may not be able to go on."""

    code = "DEMO_GONE_ON"
    message = _(
        "People have worked in this demo, so it cannot be played again; what is there stays. A fresh one: stop the "
        "product, choose an empty EMBEDDED_DATA_DIR, start it. (%(refusal)s)"
    )


class Command(RefusingCommand):
    help = "Load the demo municipality by playing its months through the actions that people use."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--enqueue", action="store_true", help="only ask a worker to load it")
        parser.add_argument("--json", action="store_true", help="machine-readable answer")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["enqueue"]:
            self._enqueue()
            return
        started = time.monotonic()
        with tqdm(total=100, file=sys.stderr, disable=not sys.stderr.isatty(), unit="%") as bar:

            def say(percent: int, sentence: str) -> None:
                bar.set_description(sentence)
                bar.update(percent - bar.n)

            stage = self._play(say)
        seconds = round(time.monotonic() - started, 1)
        answer = {"organisation": stage.organisation.code, "seconds": seconds, "notes": stage.notes}
        if options["json"]:
            self.stdout.write(json.dumps(answer, ensure_ascii=False))
        else:
            self.stdout.write(f"The demo of «{stage.organisation}» is loaded in {seconds} s.")

    def _play(self, say: Report) -> Stage:
        try:
            return play(say)
        except DatabaseInUse:
            raise
        except DomainError as refusal:
            raise DemoGoneOn(refusal=refusal.sentence) from refusal

    def _enqueue(self) -> None:
        if Organisation.objects.filter(is_demo=False).exists():
            self.stdout.write(DatabaseInUse().sentence)
            return
        with transaction.atomic():
            row = enqueue(KIND, key="once")
        self.stdout.write(f"Job {row.pk} loads the demo ({row.state}).")
