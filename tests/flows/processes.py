"""Commands in a process of their own, as people give them."""

from __future__ import annotations

import subprocess
import sys

from django.conf import settings


def manage(variables: dict[str, str], *arguments: object) -> int:
    """The exit code of a command of the product."""
    command = [sys.executable, "-m", "django", *map(str, arguments)]
    return subprocess.run(command, env=variables, cwd=settings.BASE_DIR, capture_output=True).returncode
