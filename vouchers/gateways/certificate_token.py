"""What the QR of a certificate holds: a CWT in COSE_Sign1 (ES256), base45, prefix ``SV1:``. No name, no birth date."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import base45
import cbor2
import cwt
from cwt import COSE

from vouchers.gateways.certificate_keys import signing_key

PREFIX = "SV1:"
ISSUER, SUBJECT, EXPIRES, NOT_BEFORE, TOKEN_ID = 1, 2, 4, 5, 7
LINES = -70001  # private claim: [[service code, thousandths of its unit], ...]


class TokenInvalid(ValueError):
    """Not a payload of ours, or its signature does not hold."""


@dataclass(frozen=True)
class CertificateToken:
    """The content of a QR payload. Times are seconds since 1970 UTC; ``expires`` is the end of the last day."""

    issuer: str
    number: str
    not_before: int
    expires: int | None
    token_id: bytes
    lines: tuple[tuple[str, int], ...]


def sign_token(
    *, issuer: str, number: str, not_before: datetime, expires: datetime | None, lines: Sequence[tuple[str, int]]
) -> str:
    """The QR payload of a certificate.

    Its secret id follows from the number, so that printing again gives the same certificate (see ``token_for``).
    """
    key = signing_key()
    claims: dict[int, Any] = {
        ISSUER: issuer,
        SUBJECT: number,
        NOT_BEFORE: int(not_before.timestamp()),
        TOKEN_ID: key.token_for(issuer, number),
        LINES: [list(line) for line in lines],
    }
    if expires is not None:
        claims[EXPIRES] = int(expires.timestamp())
    coder = COSE.new(alg_auto_inclusion=True, kid_auto_inclusion=True)
    signed = coder.encode_and_sign(cbor2.dumps(claims), key.cose())
    assert isinstance(signed, bytes)
    return PREFIX + base45.b45encode(signed).decode("ascii")


def read_token(payload: str, *, public_key: Any | None = None) -> CertificateToken:
    """Check the signature with the public key alone and give the content. Raises: TokenInvalid.

    Time: whether it is still valid is for the caller to judge against the business time.
    """
    if not payload.startswith(PREFIX):
        raise TokenInvalid("no prefix")
    try:
        raw = base45.b45decode(payload.removeprefix(PREFIX).strip())
        claims = cbor2.loads(COSE.new().decode(raw, public_key or signing_key().cose_public()))
        return CertificateToken(
            issuer=claims[ISSUER],
            number=claims[SUBJECT],
            not_before=claims[NOT_BEFORE],
            expires=claims.get(EXPIRES),
            token_id=claims[TOKEN_ID],
            lines=tuple((code, units) for code, units in claims[LINES]),
        )
    except (ValueError, KeyError, TypeError, cwt.CWTError, cbor2.CBORError) as error:
        raise TokenInvalid(str(error)) from error


def fingerprint(token_id: bytes) -> str:
    """What the database keeps of a secret id."""
    return hashlib.sha256(token_id).hexdigest()


def fingerprint_of(issuer: str, number: str) -> str:
    """Fingerprint of the secret id that belongs to an issuer's certificate number."""
    return fingerprint(signing_key().token_for(issuer, number))
