"""Model fields and bases shared by the apps: encrypted text, append-only rows, date ranges."""

from __future__ import annotations

import base64
import hashlib
import hmac
import os
from functools import lru_cache
from typing import Any

import pgtrigger
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.db import IntegrityError, models


@lru_cache(maxsize=4)
def _keyring(text: str) -> dict[int, bytes]:
    keys = {}
    for part in filter(None, text.split(",")):
        number, key = part.split(":", 1)
        keys[int(number)] = base64.b64decode(key)
    if not keys:
        raise ImproperlyConfigured("FIELD_KEYS is empty: personal data cannot be encrypted")
    return keys


def _active_key() -> tuple[int, bytes]:
    ring = _keyring(settings.FIELD_KEYS)
    number = next(iter(ring))
    return number, ring[number]


def blind_index(value: str, *, purpose: str) -> str:
    """Keyed fingerprint for exact look-up of an encrypted value; case, spaces at the ends are ignored.

    The oldest key of the ring makes it, so that adding a key does not lose the index.
    """
    ring = _keyring(settings.FIELD_KEYS)
    key = ring[min(ring)]
    text = f"{purpose}\0{value.strip().casefold()}".encode()
    return hmac.new(key, text, hashlib.sha256).hexdigest()[:32] if value.strip() else ""


class EncryptedTextField(models.TextField):
    """Text kept as AES-256-GCM bytes (key number, nonce, cipher text), bound to its table and column.

    A value moved to another column is refused on reading. Blank stays blank. No look-ups: use blind_index().
    """

    def db_type(self, connection: Any) -> str:
        return "bytea"

    def _context(self) -> bytes:
        return f"{self.model._meta.db_table}.{self.column}".encode()

    def get_prep_value(self, value: Any) -> Any:
        return value

    def get_db_prep_value(self, value: Any, connection: Any, prepared: bool = False) -> Any:
        if value is None or value == "":
            return None if value is None else b""
        return self.encrypt(str(value))

    def encrypt(self, value: str) -> bytes:
        """Cipher text as stored; for bulk writers that go round the ORM."""
        number, key = _active_key()
        nonce = os.urandom(12)
        return bytes([number]) + nonce + AESGCM(key).encrypt(nonce, value.encode(), self._context())

    def from_db_value(self, value: Any, expression: Any, connection: Any) -> str | None:
        return None if value is None else self.decrypt(bytes(value))

    def decrypt(self, raw: bytes) -> str:
        """Plain text of stored bytes. Raises: cryptography.exceptions.InvalidTag when tampered with."""
        if not raw:
            return ""
        key = _keyring(settings.FIELD_KEYS)[raw[0]]
        return AESGCM(key).decrypt(raw[1:13], raw[13:], self._context()).decode()


def append_only(name: str) -> list[pgtrigger.Trigger]:
    """Triggers that refuse UPDATE, DELETE and TRUNCATE, for the owner of the table too."""
    return [
        pgtrigger.Protect(name=f"{name}_append_only", operation=pgtrigger.Update | pgtrigger.Delete),
        pgtrigger.Trigger(
            name=f"{name}_no_truncate",
            level=pgtrigger.Statement,
            when=pgtrigger.Before,
            operation=pgtrigger.Truncate,
            func="RAISE EXCEPTION 'history is append-only: % cannot be truncated', TG_TABLE_NAME;",
        ),
    ]


class AppendOnlyModel(models.Model):
    """Rows that are only ever inserted; the web and worker roles get no other right on the table."""

    class Meta:
        abstract = True


class DateRangeOf(models.Func):
    """``daterange(valid_from, valid_to)``: half-open, an absent end is open."""

    function = "daterange"
    output_field = models.TextField()


def no_overlap(
    name: str,
    *keys: str | models.Func,
    condition: models.Q | None = None,
    start: str = "valid_from",
    end: str = "valid_to",
) -> Any:
    """Exclusion constraint: rows with the same keys never hold on the same day. Nullable keys: coalesce first."""
    from django.contrib.postgres.constraints import ExclusionConstraint
    from django.contrib.postgres.fields import RangeOperators

    return ExclusionConstraint(
        name=name,
        expressions=[
            *((key, RangeOperators.EQUAL) for key in keys),
            (DateRangeOf(start, end), RangeOperators.OVERLAPS),
        ],
        condition=condition,
    )


def broken_constraint(error: IntegrityError) -> str:
    """Name of the constraint that the database saw broken, empty when it names none."""
    return getattr(getattr(error.__cause__, "diag", None), "constraint_name", None) or ""


def ordered(name: str, start: str = "valid_from", end: str = "valid_to") -> models.CheckConstraint:
    """The end of a range is after its start."""
    return models.CheckConstraint(
        name=name, condition=models.Q(**{f"{end}__isnull": True}) | models.Q(**{f"{end}__gt": models.F(start)})
    )
