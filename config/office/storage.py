"""Attachments by content hash: written once, the same content never twice."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime
from typing import IO

from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.db import models
from django.utils.translation import gettext_lazy as _

from config.accounts.models import Organisation
from config.audit.recording import label_of
from config.errors import DomainError
from config.office.models import Attachment
from config.transactions import step

NAME_LENGTH, TYPE_LENGTH = 200, 100


class FileMissing(DomainError):
    """The row is there, the bytes are not: a store that was not restored with the database."""

    code = "FILE_MISSING"
    message = _("The file %(name)s is not in the store of files any more. Tell the administrator.")
    http_status = 404


@dataclass(frozen=True)
class GivenFile:
    """A file as it was handed in."""

    filename: str
    content: bytes
    content_type: str = "application/pdf"


@step
def attach(
    *,
    organisation: Organisation | None,
    to: models.Model,
    kind: str,
    name: str,
    content: bytes,
    content_type: str,
    uploaded_by_id: int | None,
    at: datetime,
) -> Attachment:
    """Store a file and link it. Idempotent: the same content of the same kind on the same row is kept once.

    The file is written before the commit under its hash: a rolled-back transaction leaves at worst an unnamed file,
    never a row without its file.
    """
    digest = hashlib.sha256(content).hexdigest()
    path = storage_path(digest)
    if not default_storage.exists(path):
        default_storage.save(path, ContentFile(content))
    attachment, _created = Attachment.objects.get_or_create(
        label=label_of(to),
        kind=kind,
        sha256=digest,
        defaults={
            "organisation": organisation,
            "name": name[-NAME_LENGTH:],
            "content_type": content_type[:TYPE_LENGTH],
            "size": len(content),
            "uploaded_by_id": uploaded_by_id,
            "uploaded_at": at,
        },
    )
    return attachment


def storage_path(digest: str) -> str:
    """Where content with this hash lies."""
    return f"attachments/{digest[:2]}/{digest}"


def open_attachment(attachment: Attachment) -> IO[bytes]:
    """The stored bytes. Raises: FileMissing."""
    try:
        return default_storage.open(storage_path(attachment.sha256))
    except FileNotFoundError as missing:
        raise FileMissing(name=attachment.name) from missing


def attachments_of(row: models.Model) -> models.QuerySet[Attachment]:
    """Files linked to a row, oldest first."""
    return Attachment.objects.filter(label=label_of(row)).order_by("id")
