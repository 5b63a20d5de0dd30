"""The key that signs certificates: a file beside the installation, never in the database."""

from __future__ import annotations

import base64
import hashlib
import hmac
import os
import tempfile
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cwt import COSEKey
from django.conf import settings

KEY_ID_BYTES = 8
TOKEN_BYTES = 16  # 128 random-looking bits, CRT-20


@dataclass(frozen=True)
class SigningKey:
    """An ES256 key with its short id (the head of the SHA-256 of its public point)."""

    private: ec.EllipticCurvePrivateKey

    @property
    def public_der(self) -> bytes:
        """Subject public key info."""
        return self.private.public_key().public_bytes(
            serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
        )

    @property
    def key_id(self) -> bytes:
        """Short id put into the header of what it signs."""
        return hashlib.sha256(self.public_der).digest()[:KEY_ID_BYTES]

    def cose(self) -> Any:
        """The private key as a COSE key."""
        return COSEKey.from_pem(_pem(self.private), kid=self.key_id)

    def cose_public(self) -> Any:
        """The public key as a COSE key."""
        pem = self.private.public_key().public_bytes(
            serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
        )
        return COSEKey.from_pem(pem, kid=self.key_id)

    def token_for(self, issuer: str, number: str) -> bytes:
        """Secret id of the issuer's certificate with this number.

        Derived from the key, so that a certificate can be printed again although the database keeps only the
        fingerprint: a stolen database shows no usable secret.
        """
        secret = hashlib.sha256(b"certificate token\0" + _pem(self.private)).digest()
        return hmac.new(secret, f"{issuer}\0{number}".encode(), hashlib.sha256).digest()[:TOKEN_BYTES]

    def as_jwk(self) -> dict[str, str]:
        """The public key for publication (RFC 7517)."""
        numbers = self.private.public_key().public_numbers()
        return {
            "kty": "EC",
            "crv": "P-256",
            "alg": "ES256",
            "use": "sig",
            "kid": self.key_id.hex(),
            "x": _base64url(numbers.x.to_bytes(32, "big")),
            "y": _base64url(numbers.y.to_bytes(32, "big")),
        }


def signing_key() -> SigningKey:
    """The installation's key; its file is made on first use."""
    path = Path(settings.CERTIFICATE_KEY_FILE)
    if not path.exists():
        _create(path)
    return _load(str(path), path.stat().st_mtime_ns)


@lru_cache(maxsize=4)
def _load(path: str, _modified: int) -> SigningKey:
    private = serialization.load_pem_private_key(Path(path).read_bytes(), password=None)
    assert isinstance(private, ec.EllipticCurvePrivateKey)
    return SigningKey(private)


def _create(path: Path) -> None:
    """Write a new key whole or not at all; whoever comes second keeps the first one's key."""
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor, draft = tempfile.mkstemp(dir=path.parent)  # readable by its owner only
    with os.fdopen(descriptor, "wb") as file:
        file.write(_pem(ec.generate_private_key(ec.SECP256R1())))
        file.flush()
        os.fsync(file.fileno())
    try:
        os.link(draft, path)
    except FileExistsError:
        pass
    finally:
        os.unlink(draft)


def _pem(private: ec.EllipticCurvePrivateKey) -> bytes:
    return private.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


def _base64url(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()
