"""How a figure is written for people: in the reader's language, a negative one with a true minus sign.

Files and exports for programs write figures with a hyphen and do not pass here.
"""

from __future__ import annotations

from decimal import Decimal

from babel.numbers import format_decimal
from django.utils.translation import get_language

MINUS = "\N{MINUS SIGN}"


def written(value: Decimal | int, pattern: str) -> str:
    """The figure by a pattern of CLDR: -1520 by «#,##0.00» is «−1 520,00»."""
    text = format_decimal(value, format=pattern, locale=(get_language() or "uk").split("-")[0])
    return text.replace("-", MINUS)
