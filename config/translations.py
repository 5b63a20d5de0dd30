"""The catalogues: every English message id of the source with its Ukrainian and Russian text.

Engineers write fragments (``config/locale/fragments/<area>.tsv``: msgid, uk, ru); ``merge_translations`` builds
``config/locale/{uk,ru}/LC_MESSAGES/django.po`` from them; ``check_translations`` refuses what is missing.
A row may have a fourth cell, the context. Plural forms are separated by ``||`` in uk and ru (one, few, many).
"""

from __future__ import annotations

import ast
import contextlib
import csv
import io
import re
import tempfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from babel.messages import Catalog, Message, pofile
from django.conf import settings
from django.core.management import call_command
from django.test.utils import override_settings

LANGUAGES = ("uk", "ru")
FOLDER = Path(settings.BASE_DIR) / "config" / "locale"
IGNORED = (".venv", "var", "tests", "config/locale", "docs", ".git")
PLACEHOLDER = re.compile(r"%\(\w+\)[sd]|\{\w*\}")
PLURAL = "||"
# Codes and addresses of sites are the same in every language.
WORDS = re.compile(r"[a-z]{2,} | [a-z]{2,}")


@dataclass(frozen=True)
class Key:
    """What identifies a message: context and (first) English text."""

    text: str
    context: str = ""


@dataclass(frozen=True)
class Row:
    """A row of a fragment."""

    key: Key
    texts: dict[str, str]
    place: str


# --- What the source says --------------------------------------------------------------------------


def extract() -> dict[Key, Message]:
    """Messages of Python and templates, found by Django's makemessages, and those of rules and checks."""
    found = {_key(message): message for message in _made_messages() if message.id}
    for text in (*_texts_of_rules(), *_texts_of_law()):
        found.setdefault(Key(text), Message(text))
    return found


def _key(message: Message) -> Key:
    text = message.id if isinstance(message.id, str) else message.id[0]
    return Key(str(text), str(message.context or ""))


def _made_messages() -> Iterator[Message]:
    with tempfile.TemporaryDirectory() as folder, contextlib.chdir(settings.BASE_DIR):
        with override_settings(LOCALE_PATHS=[folder]):
            options = {"locale": ["en"], "ignore_patterns": list(IGNORED), "no_location": True, "verbosity": 0}
            call_command("makemessages", stdout=io.StringIO(), **options)
        with (Path(folder) / "en" / "LC_MESSAGES" / "django.po").open("rb") as stream:
            yield from pofile.read_po(stream)


def _texts_of_rules() -> Iterator[str]:
    """Labels of calculation rows and titles of checks: rules know no gettext, the page translates what they say."""
    for path in sorted(Path(settings.BASE_DIR).glob("*/rules/**/*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            yield from _step_texts(node)
            if "checks" in path.parts:
                yield from _check_texts(node)


def _texts_of_law() -> Iterator[str]:
    """Acts, units and notes of the parameters of law: stored in English, translated by the page."""
    for path in sorted(Path(settings.BASE_DIR).glob("contracts/reference/*/parameters.csv")):
        with path.open(encoding="utf-8", newline="") as stream:
            for row in csv.DictReader(stream):
                yield from (row[name] for name in ("act", "unit", "note") if WORDS.search(row[name]))


def _step_texts(node: ast.AST) -> Iterator[str]:
    if not isinstance(node, ast.Call) or getattr(node.func, "id", "") != "Step":
        return
    named = {keyword.arg: keyword.value for keyword in node.keywords}
    value = named.get("label") or (node.args[1] if len(node.args) > 1 else None)
    if isinstance(value, ast.Constant) and isinstance(value.value, str):
        yield value.value


def _check_texts(node: ast.AST) -> Iterator[str]:
    if isinstance(node, ast.Assign) and isinstance(node.value, ast.Constant):
        names = {getattr(target, "id", "") for target in node.targets}
        if names & {"TITLE", "ADVICE"} and node.value.value:
            yield str(node.value.value)


# --- What the fragments say ------------------------------------------------------------------------


def read_fragments() -> list[Row]:
    """Rows of every fragment, in the order of their file names."""
    return [row for path in sorted((FOLDER / "fragments").glob("*.tsv")) for row in _rows(path)]


def _rows(path: Path) -> Iterator[Row]:
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
        cells = [cell.replace("\\n", "\n") for cell in line.split("\t")]
        if not line.strip() or cells[0] == "msgid" or line.startswith("#"):
            continue
        cells += [""] * (4 - len(cells))
        yield Row(Key(cells[0], cells[3]), {"uk": cells[1], "ru": cells[2]}, f"{path.name}:{number}")


def dictionary(rows: Iterable[Row]) -> dict[Key, Row]:
    """The first complete row of each message wins."""
    found: dict[Key, Row] = {}
    for row in rows:
        if row.key not in found and all(row.texts.values()):
            found[row.key] = row
    return found


# --- Catalogues --------------------------------------------------------------------------------------


def build(language: str) -> Catalog:
    """The catalogue of a language: what the source uses, and what fragments know beyond that."""
    words = dictionary(read_fragments())
    catalog = Catalog(locale=language, project="Posluha", charset="utf-8", fuzzy=False)
    found = extract()
    for key in sorted({*found, *words}, key=lambda key: (key.text, key.context)):
        message = found.get(key) or Message(key.text, context=key.context or None)
        row = words.get(key)
        flags = set(message.flags) - {"fuzzy"}
        text = _text_of(message, row.texts[language] if row else "", catalog.num_plurals)
        catalog.add(message.id, text, flags=flags, context=key.context or None)
    return catalog


def _text_of(message: Message, text: str, forms: int) -> str | tuple[str, ...]:
    if isinstance(message.id, str):
        return text
    parts = text.split(PLURAL) if text else []
    return tuple((parts + parts[-1:] * forms)[:forms]) if parts else ("",) * forms


def write(language: str) -> Path:
    """Build and store a catalogue, without dates and places, so that equal contents are equal files."""
    path = FOLDER / language / "LC_MESSAGES" / "django.po"
    path.parent.mkdir(parents=True, exist_ok=True)
    buffer = io.BytesIO()
    pofile.write_po(buffer, build(language), no_location=True, omit_header=False, width=0, sort_output=False)
    lines = [line for line in buffer.getvalue().decode().splitlines() if not _is_dated(line)]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def _is_dated(line: str) -> bool:
    dated = ("POT-Creation-Date", "PO-Revision-Date", "Generated-By", "Last-Translator", "Report-Msgid-Bugs")
    return line.startswith(tuple(f'"{name}' for name in dated)) or (line.startswith("#") and not line.startswith("#,"))


# --- Checks --------------------------------------------------------------------------------------------


def problems() -> list[str]:
    """What keeps the catalogues from being complete: missing texts, and placeholders that differ."""
    found = extract()
    said = []
    for language in LANGUAGES:
        stored = stored_catalogue(language)
        said += [f"{language}: no translation: {key.text!r}" for key in found if not _is_filled(stored.get(key))]
        said += [f"{language}: other placeholders: {key.text!r}" for key in found if not _fits(key, stored.get(key))]
    return said


def stored_catalogue(language: str) -> dict[Key, Message]:
    """The committed catalogue."""
    path = FOLDER / language / "LC_MESSAGES" / "django.po"
    if not path.exists():
        return {}
    with path.open("rb") as stream:
        return {_key(message): message for message in pofile.read_po(stream) if message.id}


def _texts(message: Message | None) -> list[str]:
    if message is None:
        return []
    return [message.string] if isinstance(message.string, str) else list(message.string or ())


def _is_filled(message: Message | None) -> bool:
    texts = _texts(message)
    return bool(texts) and all(texts) and not (message and message.fuzzy)


def _fits(key: Key, message: Message | None) -> bool:
    allowed = set(PLACEHOLDER.findall(key.text))
    if message is not None and not isinstance(message.id, str):
        allowed |= set(PLACEHOLDER.findall(message.id[1]))
        return all(set(PLACEHOLDER.findall(text)) <= allowed for text in _texts(message))
    return all(set(PLACEHOLDER.findall(text)) == allowed for text in _texts(message) if text)
