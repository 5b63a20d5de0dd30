"""The catalogues: fragments are read, plurals have their forms, gaps and wrong placeholders are named."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from babel.messages import Message
from django.core.management import CommandError, call_command

from config import translations
from config.translations import Key, Row


def _row(text: str, uk: str, ru: str = "р") -> Row:
    return Row(Key(text), {"uk": uk, "ru": ru}, "x.tsv:1")


def test_a_fragment_is_read_with_new_lines_and_context(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "fragments").mkdir()
    text = "One\\nTwo\tОдин\\nДва\tРаз\\nДва\tmenu\n# note\n\n"
    (tmp_path / "fragments" / "a.tsv").write_text(text, encoding="utf-8")
    monkeypatch.setattr(translations, "FOLDER", tmp_path)
    (row,) = translations.read_fragments()
    assert row.key == Key("One\nTwo", "menu")
    assert row.texts["uk"] == "Один\nДва"


def test_the_first_complete_row_wins() -> None:
    words = translations.dictionary([_row("A", "", "р"), _row("A", "перший"), _row("A", "другий")])
    assert words[Key("A")].texts["uk"] == "перший"


def test_plurals_have_the_three_forms_of_the_language() -> None:
    message = Message(("%(n)s line", "%(n)s lines"))
    forms = translations._text_of(message, "%(n)s рядок||%(n)s рядки||%(n)s рядків", 3)
    assert forms == ("%(n)s рядок", "%(n)s рядки", "%(n)s рядків")
    assert translations._text_of(message, "", 3) == ("", "", "")


@pytest.mark.parametrize(
    ("text", "fits"), [("%(n)s рядків", True), ("рядків", False), ("%(m)s рядків", False), ("", True)]
)
def test_placeholders_must_be_the_same(text: str, fits: bool) -> None:
    assert translations._fits(Key("%(n)s lines"), Message("%(n)s lines", text)) is fits


def test_a_fuzzy_or_empty_text_is_a_gap() -> None:
    assert not translations._is_filled(Message("A", ""))
    assert not translations._is_filled(Message("A", "А", flags={"fuzzy"}))
    assert not translations._is_filled(None)
    assert translations._is_filled(Message("A", "А"))


def test_labels_of_rules_are_found_without_gettext() -> None:
    assert "Months whose incomes count" in set(translations._texts_of_rules())


def test_a_gap_fails_the_command(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(translations, "problems", lambda: ["uk: no translation: 'A'"])
    with pytest.raises(CommandError, match="1 messages"):
        call_command("check_translations", stderr=io.StringIO())
    monkeypatch.setattr(translations, "problems", list)
    call_command("check_translations", stdout=io.StringIO())
