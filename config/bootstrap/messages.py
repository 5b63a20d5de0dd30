"""Translation catalogues compiled when their text is newer; msgfmt alone is enough, no Django needed."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

from config.bootstrap.console import Refusal, say
from config.bootstrap.layout import CHECKOUT


def stale_catalogues(locale: Path) -> list[Path]:
    """Catalogues whose compiled form is missing or older."""
    found = sorted(locale.glob("*/LC_MESSAGES/*.po"))
    return [po for po in found if not _is_fresh(po)]


def _is_fresh(po: Path) -> bool:
    mo = po.with_suffix(".mo")
    return mo.exists() and mo.stat().st_mtime >= po.stat().st_mtime


def compile_one(po: Path) -> None:
    """Compile beside, then rename: a reader sees the old file or the new one. Raises: Refusal."""
    unfinished = po.with_suffix(f".{os.getpid()}.unfinished")
    done = subprocess.run(["msgfmt", "-o", unfinished, po], capture_output=True, text=True)
    if done.returncode:
        raise Refusal(f"{done.stderr}\nThe catalogue {po} has mistakes.")
    unfinished.replace(po.with_suffix(".mo"))


def ensure_compiled(locale: Path = CHECKOUT / "config" / "locale") -> None:
    """Compile what is stale; without gettext say so and go on in English."""
    stale = stale_catalogues(locale)
    if stale and shutil.which("msgfmt") is None:
        say("Translations are not compiled: the package gettext is missing (apt-get install gettext).")
        return
    for po in stale:
        # A read-only checkout (an image) brings its compiled catalogues or stays as it is.
        if os.access(po.parent, os.W_OK):
            compile_one(po)
