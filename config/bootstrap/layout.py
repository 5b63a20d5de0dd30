"""Where things are: the checkout, its environment, the data folder and the home of the database server."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parents[2]
PRODUCT = "servisy"
DEFAULT_PORT = 8000
STARTED_AT = "BOOTSTRAP_STARTED_AT"


@dataclass(frozen=True)
class Layout:
    """Paths of one installation. Two data folders are two installations of the same checkout."""

    checkout: Path
    data_dir: Path

    @property
    def venv(self) -> Path:
        return self.checkout / ".venv"

    @property
    def python(self) -> Path:
        return self.venv / "bin" / "python"

    @property
    def up_lock(self) -> Path:
        return self.data_dir / "up.lock"

    @property
    def broker_dir(self) -> Path:
        return self.data_dir / "broker"


def current_layout() -> Layout:
    """The layout of this checkout; `EMBEDDED_DATA_DIR` chooses another data folder."""
    chosen = os.environ.get("EMBEDDED_DATA_DIR")
    data_dir = Path(chosen).expanduser().absolute() if chosen else CHECKOUT / "var"
    return Layout(checkout=CHECKOUT, data_dir=data_dir)
