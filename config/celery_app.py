"""The Celery application: it rings the bell, the job rows in PostgreSQL are the truth."""

from __future__ import annotations

import os

from celery import Celery

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

from django.conf import settings

app = Celery("servisy")


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
    },
)
app.autodiscover_tasks()
