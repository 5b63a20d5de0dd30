"""A provider's people redeeming at the door without a pause, while the machine is killed under them."""

from __future__ import annotations

import threading
import uuid
from collections.abc import Iterator
from contextlib import suppress
from copy import deepcopy
from dataclasses import dataclass, field
from typing import Any

from tests.flows.browserless import GONE, Client

AUTHORISE = "/vouchers/redeem/"
UNITS = "0.25"
DAYS = 28  # so that no day's limit is reached


@dataclass
class Request:
    """One wish to redeem, with the answers that came: ``redemption`` is its number, None without an answer."""

    form: dict[str, str]
    certificate: int
    redemption: int | None = None
    confirmed: bool = False

    @property
    def key(self) -> str:
        """The idempotency key."""
        return self.form["idempotency_key"]


@dataclass
class Door:
    """Where one certificate is used: each request is another visit, numbered from the first on."""

    client: Client
    certificate: dict[str, Any]
    requests: list[Request] = field(default_factory=list)

    def next_request(self) -> Request:
        """The next visit, not yet sent."""
        number = len(self.requests)
        form = {
            "certificate_key": self.certificate["code"],
            "pin": self.certificate["pin"],
            "idempotency_key": uuid.uuid4().hex,
            "service_code": "015.1",
            "worker_code": "W-1",
            "units": UNITS,
            "starts_at": f"2025-11-{1 + number % DAYS:02}T{8 + number // DAYS:02}:00",
        }
        self.requests.append(Request(form, self.certificate["id"]))
        return self.requests[-1]

    def redeem(self, request: Request) -> None:
        """Authorise; every second visit is confirmed at once."""
        request.redemption = self.client.post(AUTHORISE, **request.form).number
        if len(self.requests) % 2:
            ends_at = request.form["starts_at"].replace(":00", ":15")
            path = f"/vouchers/redemptions/{request.redemption}/confirm/"
            request.confirmed = self.client.post(path, units=UNITS, ends_at=ends_at).status == 302

    def answered(self) -> int:
        """How many requests were answered so far."""
        return sum(request.redemption is not None for request in self.requests)

    def repeat(self, request: Request) -> int:
        """The same request once more; the number of its redemption."""
        return self.client.post(AUTHORISE, **request.form).number


def until_gone(door: Door, stopping: threading.Event) -> None:
    """Redeem visit after visit until nobody answers, or the month of the plan is full."""
    with suppress(*GONE):
        while not stopping.is_set() and len(door.requests) < DAYS * 2:
            door.redeem(door.next_request())


def one_that_waits(door: Door) -> None:
    """Send one request; no answer is expected."""
    with suppress(*GONE):
        door.redeem(door.next_request())


def working(doors: list[Door], waiting: Door, stopping: threading.Event) -> list[threading.Thread]:
    """All at work, in threads that end when nobody answers."""
    threads = [threading.Thread(target=until_gone, args=(door, stopping), daemon=True) for door in doors]
    threads.append(threading.Thread(target=one_that_waits, args=(waiting,), daemon=True))
    for thread in threads:
        thread.start()
    return threads


def doors_of(client: Client, certificates: list[dict[str, Any]]) -> Iterator[Door]:
    """A door for each certificate, all signed in as the same person."""
    for certificate in certificates:
        yield Door(deepcopy(client), certificate)
