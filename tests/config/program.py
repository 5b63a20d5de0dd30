"""A program that calls the interface over HTTP, as a provider's own would."""

from __future__ import annotations

import json
import uuid
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from urllib.error import HTTPError
from urllib.request import Request, urlopen

from django.utils import timezone

from config.accounts.actions import create_token
from config.accounts.models import AccessToken, Organisation, User


@dataclass
class Answer:
    """What came back."""

    status: int
    body: Any
    headers: Any


@dataclass
class Program:
    """Knows the address of the server and a secret; blank: none."""

    base: str
    secret: str = ""
    headers: dict[str, str] = field(default_factory=dict)

    def get(self, path: str, **headers: str) -> Answer:
        return self.send("GET", path, **headers)

    def post(self, path: str, body: Any = None, key: str = "") -> Answer:
        return self.write("POST", path, body, key)

    def put(self, path: str, body: Any = None, key: str = "") -> Answer:
        return self.write("PUT", path, body, key)

    def write(self, method: str, path: str, body: Any, key: str) -> Answer:
        return self.send(method, path, json.dumps(body or {}).encode(), **{"Idempotency-Key": key or uuid.uuid4().hex})

    def send(self, method: str, path: str, data: bytes | None = None, **headers: str) -> Answer:
        sent = {"Content-Type": "application/json", **self.headers, **headers}
        if self.secret:
            sent["Authorization"] = f"Bearer {self.secret}"
        request = Request(f"{self.base}/api/v1{path}", data, sent, method=method)
        try:
            with urlopen(request, timeout=60) as answer:
                return _answer(answer)
        except HTTPError as error:
            return _answer(error)


def _answer(answer: Any) -> Answer:
    raw = answer.read()
    return Answer(answer.status, json.loads(raw) if "json" in answer.headers["Content-Type"] else raw, answer.headers)


def key_of(user: User, organisation: Organisation, days: int = 30) -> tuple[AccessToken, str]:
    """A key of a person."""
    now = timezone.now()
    return create_token(
        user=user,
        organisation=organisation,
        title="програма",
        expires_at=now + timedelta(days=days),
        actor=user.as_actor(),
        at=now,
    )
