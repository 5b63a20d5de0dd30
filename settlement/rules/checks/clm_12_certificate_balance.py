"""CLM-12: the certificate has units left."""

from __future__ import annotations

from settlement.rules.ceilings import Ceiling
from settlement.rules.facts import NO_LIMIT, Ints, column
from settlement.rules.frame import Frame
from settlement.rules.lookup import Register, Sums, pair, pick

CODE = "CLM-12"
SEVERITY = "C"
TITLE = "More than the certificate had left"
ADVICE = "Claim only what the certificate had left; ask the case worker before serving beyond it."


def ceilings(frame: Frame) -> tuple[Ceiling, ...]:
    """Units of the certificate line, less those allowed by earlier runs."""
    lines, used, services = frame.facts.certificate_lines, frame.facts.certificate_used, len(frame.facts.services)
    certificates = Register(column(frame.facts.certificates, "certificate")).rows(column(used, "certificate"))
    keys = pair(certificates, frame.service_rows(column(used, "service")), services)
    spent = Sums(keys, column(used, "units")).of(pair(frame.certificate_row, frame.service_row, services))
    rows = frame.certificate_line_row
    return (Ceiling(12, rows, pick(column(lines, "units"), rows, NO_LIMIT) - spent),)


def explain(frame: Frame, rows: Ints) -> dict[str, list[str]]:
    """Nothing beside what the kernel says."""
    return {}
