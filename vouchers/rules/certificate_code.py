"""Short codes of certificates: for phone and hand entry, with a check letter (ISO/IEC 7064, mod 37,36)."""

from __future__ import annotations

from collections.abc import Callable, Sequence

# No 0/O, 1/I/L, 2/Z, 5/S, 8/B, U/V: read aloud or copied by hand they are taken for one another.
ALPHABET = "34679ACDEFGHJKMNPQRTWXY"
BODY_LENGTH = 8
GROUP = 3
_MOD = 36
_DIGITS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
# What a Cyrillic keyboard gives for letters that look the same.
_CYRILLIC = str.maketrans("АСЕНКМРТХУ", "ACEHKMPTXY")

Choose = Callable[[Sequence[str]], str]


def check_letter(body: str) -> str:
    """Check character of a body.

    Formula: p = 36; for each character p = ((p + value) mod 36 or 36) * 2 mod 37; check = (37 - p) mod 36.
    It finds every single wrong character and nearly every swap of neighbours. Source: ISO/IEC 7064.
    """
    product = _MOD
    for character in body:
        product = ((product + _DIGITS.index(character)) % _MOD or _MOD) * 2 % (_MOD + 1)
    return _DIGITS[(_MOD + 1 - product) % _MOD]


def make_short_code(choose: Choose) -> str:
    """A code of nine characters; ``choose`` draws one element (``secrets.choice``).

    Bodies whose check character would be easy to mistake are drawn again.
    """
    while True:
        body = "".join(choose(ALPHABET) for _ in range(BODY_LENGTH))
        if check_letter(body) in ALPHABET:
            return body + check_letter(body)


def normalise_short_code(text: str) -> str:
    """What a person typed as stored: capitals, Latin letters, no spaces or hyphens."""
    kept = (character for character in text.upper() if character.isalnum())
    return "".join(kept).translate(_CYRILLIC)


def is_well_formed(code: str) -> bool:
    """Whether a normalised code has the right length, alphabet and check letter."""
    right = len(code) == BODY_LENGTH + 1 and all(character in ALPHABET for character in code)
    return right and check_letter(code[:-1]) == code[-1]


def show_short_code(code: str) -> str:
    """The code in groups of three. Example: ``ACD-EFG-HJK``."""
    return "-".join(code[start : start + GROUP] for start in range(0, len(code), GROUP))
