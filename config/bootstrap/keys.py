"""Secrets of the embedded installation: made once, kept in the data folder, never printed."""

from __future__ import annotations

import base64
import os
import secrets
from pathlib import Path

from config.bootstrap.console import Refusal

SECRET_KEY_FILE = "secret.key"
FIELD_KEYS_FILE = "field.keys"


def _write_once(path: Path, text: str) -> str:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    return text


def _read(path: Path) -> str:
    return path.read_text().strip() if path.exists() else ""


def secret_key(data_dir: Path) -> str:
    """Django's SECRET_KEY. Callers hold the lock of the installation."""
    path = data_dir / SECRET_KEY_FILE
    return _read(path) or _write_once(path, secrets.token_urlsafe(50))


def field_keys(data_dir: Path, *, data_exists: bool) -> str:
    """Keyring of field encryption, `1:<base64 of 32 bytes>`.

    Raises: Refusal when the keys are gone and data encrypted with them is there: new keys could not read it.
    """
    path = data_dir / FIELD_KEYS_FILE
    found = _read(path)
    if not found and data_exists:
        raise Refusal(
            f"{path} is missing, and the database holds data encrypted with it. Put it back "
            "from a backup, or set FIELD_KEYS, or choose an empty folder with EMBEDDED_DATA_DIR."
        )
    return found or _write_once(path, f"1:{base64.b64encode(secrets.token_bytes(32)).decode()}")
