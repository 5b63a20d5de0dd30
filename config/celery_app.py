"""The Celery application: it rings the bell, the job rows in PostgreSQL are the truth."""

from __future__ import annotations

import os
from pathlib import Path
from time import monotonic
from typing import Any
from uuid import uuid4

from celery import Celery
from kombu.transport import TRANSPORT_ALIASES, filesystem
from kombu.utils.json import dumps

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

from django.conf import settings

app = Celery("servisy")


class WholeMessages(filesystem.Channel):  # type: ignore[misc]
    """Messages in files that appear whole.

    The library makes an empty file and writes into it; a worker that looks at that moment takes the empty message and
    ends with an error that nothing recovers from.
    """

    def _put(self, queue: str, payload: dict[str, Any], **_kwargs: Any) -> None:  # type: ignore[override]
        name = f"{int(monotonic() * 1000)}_{uuid4()}.{queue}.msg"
        # No queue ends like this name, so nobody reads the file before it is renamed.
        unfinished = Path(self.data_folder_out, f"{name}.unfinished")
        unfinished.write_text(dumps(payload), "utf-8")
        unfinished.rename(unfinished.with_name(name))


class FileTransport(filesystem.Transport):  # type: ignore[misc]
    """The file broker of the embedded default."""

    Channel = WholeMessages


TRANSPORT_ALIASES["filesystem"] = "config.celery_app:FileTransport"


def _transport_options() -> dict[str, str]:
    if not settings.CELERY_BROKER_URL.startswith("filesystem:"):
        return {}
    folder = settings.CELERY_FILESYSTEM_DIR
    for name in ("queue", "processed", "control"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    # In and out are one folder: producer and worker share it.
    return {
        "data_folder_in": str(folder / "queue"),
        "data_folder_out": str(folder / "queue"),
        "processed_folder": str(folder / "processed"),
        "control_folder": str(folder / "control"),
    }


app.conf.update(
    broker_url=settings.CELERY_BROKER_URL,
    broker_transport_options=_transport_options(),
    broker_connection_retry_on_startup=True,
    task_acks_late=True,
    task_ignore_result=True,
    worker_prefetch_multiplier=1,
    worker_hijack_root_logger=False,
    timezone="UTC",
    beat_schedule={
        "sweep": {"task": "office.sweep", "schedule": 5.0},
        "expire": {"task": "vouchers.expire_due", "schedule": 1800.0},
        "corrections": {"task": "settlement.reject_uncorrected", "schedule": 1800.0},
        "bank lines": {"task": "settlement.chase_overdue_lines", "schedule": 1800.0},
        "transfers": {"task": "settlement.send_after_holds", "schedule": 1800.0},
    },
)
app.autodiscover_tasks()
