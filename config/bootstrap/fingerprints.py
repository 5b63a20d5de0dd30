"""Fingerprints of the sources, to see cheaply whether something made from them is still up to date."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from pathlib import Path

from config.bootstrap.layout import CHECKOUT

APPS = ("config", "contracts", "vouchers", "procurement", "settlement")
STAMP = ".fingerprint"
SCHEMA_FILES = ("requirements.txt", "config/database_roles.py", "config/settings/__init__.py")
STATIC_FILES = ("requirements.txt", "config/settings/__init__.py")


def _digest(paths: Iterable[Path], checkout: Path) -> str:
    digest = hashlib.sha256()
    for path in sorted(set(paths)):
        if path.is_file():
            digest.update(f"{path.relative_to(checkout)}\0".encode() + path.read_bytes())
    return digest.hexdigest()


def schema(checkout: Path = CHECKOUT) -> str:
    """Everything that shapes the database: migrations, roles, reference rows, versions of packages."""
    patterns = ("**/migrations/*.py", "**/reference/**/*.csv")
    found = [path for app in APPS for pattern in patterns for path in (checkout / app).glob(pattern)]
    return f"schema {_digest([*found, *(checkout / name for name in SCHEMA_FILES)], checkout)}"


def static(checkout: Path = CHECKOUT) -> str:
    """Static files of the checkout and the packages that bring more."""
    found = [path for app in APPS for path in (checkout / app).glob("**/static/**/*")]
    return f"static {_digest([*found, *(checkout / name for name in STATIC_FILES)], checkout)}"
