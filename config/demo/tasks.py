"""The demo as a job, so that the web answers and shows its progress while it is played."""

from __future__ import annotations

from config.demo.load import play
from config.office.jobs import job, report_progress
from config.office.models import Job

KIND = "load_demo"


@job(KIND)
def load_demo(row: Job) -> None:
    """Play the demo; what is already there stays."""
    play(lambda percent, sentence: report_progress(row, percent, sentence))
