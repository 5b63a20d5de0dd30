"""The name of the product: the one place that says it."""

from __future__ import annotations

NAME = "Послуга"
