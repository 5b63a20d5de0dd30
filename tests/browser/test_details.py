"""Every page of a single paper: it answers, breaks no rule of accessibility, fits a phone with the longest words."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.browser.detail_pages import DETAILS
from tests.browser.test_pages import looked_over
from tests.settlement.detail_rows import build_details


@pytest.fixture
def papers(transactional_db: None, tmp_path: Path) -> dict[str, Any]:
    """The rows of one office, committed, so that the server's threads see them."""
    return build_details(tmp_path)


def test_every_paper(papers: dict[str, Any], open_page: Any) -> None:
    """One office for all pages: making it anew for each would cost more than the browser."""
    assert [fault for entry in DETAILS for fault in looked_over(entry, papers, open_page)] == []
