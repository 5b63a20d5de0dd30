"""Schemas of ISO 20022 for conformance tests."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from lxml import etree

Validate = Callable[[str, bytes], list[str]]


@pytest.fixture(scope="session")
def schema_errors() -> Validate:
    """Errors of a document against a message schema; skipped without STANDARDS_DIR."""
    folder = os.environ.get("STANDARDS_DIR")
    if not folder:
        pytest.skip("STANDARDS_DIR is not set: the ISO 20022 schemas are not here")

    def validate(message: str, content: bytes) -> list[str]:
        schema = etree.XMLSchema(etree.parse(str(Path(folder) / "iso20022" / f"{message}.xsd")))
        schema.validate(etree.fromstring(content))
        return [str(error) for error in schema.error_log]

    return validate
