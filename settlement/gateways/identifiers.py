"""Accounts, creditor references and the character set of ISO 20022 identifiers."""

from __future__ import annotations

import re

from stdnum import iban, iso11649
from stdnum.iso7064 import mod_97_10

from settlement.gateways.base import GatewayError

ID_LENGTH = 35
_ALLOWED = re.compile(r"[A-Za-z0-9/\-?:().,'+ ]*")
_OWN = re.compile(r"[A-Z0-9]+(?:-[A-Z0-9]+)+")
_REFERENCE = re.compile(r"\bRF\d{2}[A-Z0-9]{1,21}\b")
# Cabinet resolution 55 of 27.01.2010 for Ukrainian letters; Russian letters beside them by their usual sound.
_TABLE = (
    "а:a б:b в:v г:h ґ:g д:d е:e є:ie ж:zh з:z и:y і:i ї:i й:i к:k л:l м:m н:n о:o п:p р:r с:s т:t у:u ф:f "
    "х:kh ц:ts ч:ch ш:sh щ:shch ю:iu я:ia ы:y э:e ё:io"
)
_LETTERS: dict[str, str] = {pair[0]: pair[2:] for pair in _TABLE.split()}
_INITIAL = {"є": "ye", "ї": "yi", "й": "y", "ю": "yu", "я": "ya"}
_SILENT = set("ьъ'’ʼ`")


def is_iban(account: str) -> bool:
    """Whether the account is an IBAN with right check digits."""
    return bool(iban.is_valid(account))


def bank_code(account: str) -> str:
    """Code of the bank inside a Ukrainian IBAN (digits 5 to 10), empty for other accounts."""
    return account[4:10] if account.startswith("UA") and len(account) == 29 else ""


def creditor_reference(text: str) -> str:
    """ISO 11649 reference of up to 21 letters and digits of ``text``; other characters are left out.

    Example: "P-2025-0001" -> "RF16P20250001".
    Raises: GatewayError when nothing is left or more than 21 characters are.
    """
    body = re.sub(r"[^A-Z0-9]", "", text.upper())
    if not 1 <= len(body) <= 21:
        raise GatewayError("REFERENCE_LENGTH", reference=text)
    return f"RF{mod_97_10.calc_check_digits(body + 'RF')}{body}"


def find_creditor_references(text: str) -> tuple[str, ...]:
    """Valid ISO 11649 references in free text, in order, blanks inside them only where the standard prints
    them.
    """
    spaced = re.sub(r"\b(RF\d{2}(?: [A-Z0-9]{1,4})+)\b", lambda found: found[0].replace(" ", ""), text.upper())
    found = [*_REFERENCE.findall(text.upper()), *_REFERENCE.findall(spaced)]
    return tuple(dict.fromkeys(item for item in found if iso11649.is_valid(item)))


def find_own_identifiers(text: str) -> tuple[str, ...]:
    """Words of Latin letters and digits with hyphens, as the ids are that we give to payments."""
    return tuple(dict.fromkeys(_OWN.findall(text.upper())))


def transliterate(text: str) -> str:
    """Cyrillic letters as Latin ones; everything else stays. Example: "Згурський Юрій" -> "Zghurskyi
    Yurii".
    """
    result: list[str] = []
    previous = ""
    for char in text:
        result.append(_letter(char, previous))
        previous = char
    return "".join(result)


def _letter(char: str, previous: str) -> str:
    lower = char.lower()
    if char in _SILENT:
        return ""
    if lower == "г" and previous.lower() == "з":
        latin = "gh"
    elif lower in _INITIAL and not previous.isalpha() and previous not in _SILENT:
        latin = _INITIAL[lower]
    else:
        latin = _LETTERS.get(lower, lower)
    return latin.capitalize() if char != lower else latin


def identifier(text: str) -> str:
    """An id for a payment file: transliterated, refused rather than cut so that it stays unique.

    Raises: GatewayError beyond 35 characters, with a character outside the set, or with a slash at an end
    or doubled.
    """
    clean = transliterate(text)
    if not 1 <= len(clean) <= ID_LENGTH:
        raise GatewayError("IDENTIFIER_LENGTH", identifier=text)
    if not _ALLOWED.fullmatch(clean) or clean != clean.strip(" /") or "//" in clean:
        raise GatewayError("IDENTIFIER_CHARACTERS", identifier=text)
    return clean
