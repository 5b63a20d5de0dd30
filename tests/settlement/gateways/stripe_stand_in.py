"""A stand-in for Stripe on loopback: keeps objects, honours idempotency keys, and fails in the ways networks do."""

from __future__ import annotations

import hashlib
import hmac
import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, parse_qsl, urlsplit

from django.test import override_settings

KEY, SECRET = "sk_test_stand_in", "whsec_stand_in"


@dataclass
class StripeStandIn:
    """What the other side holds. ``faults`` are used up one for each writing request:

    ``lost_answer`` carries the request out and hangs up; ``slow_answer`` carries it out and answers too late;
    ``lost_request`` hangs up before; ``broken`` answers 500 before; ``refused`` answers 400.
    """

    objects: dict[str, dict[str, Any]] = field(default_factory=dict)
    answers: dict[str, tuple[str, dict[str, Any]]] = field(default_factory=dict)
    faults: list[str] = field(default_factory=list)
    requests: list[tuple[str, str, str]] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)
    address: str = ""

    def of(self, kind: str) -> list[dict[str, Any]]:
        """Objects of a kind, oldest first."""
        return [row for row in self.objects.values() if row["object"] == kind]

    def write(self, path: str, body: dict[str, str], key: str) -> tuple[int, dict[str, Any]]:
        """Carry a writing request out, once for each key."""
        digest = hashlib.sha256(json.dumps([path, body], sort_keys=True).encode()).hexdigest()
        with self.lock:
            if key in self.answers:
                before, answer = self.answers[key]
                return (200, answer) if before == digest else (400, _error("idempotency_error", "another body"))
            made = getattr(self, f"_{path.strip('/').replace('/', '_')}")(body, len(self.objects) + 1)
            if "error" in made:
                return 400, made
            self.objects[made["id"]] = made
            self.answers[key] = (digest, dict(made))
            return 200, made

    def _v1_transfers(self, body: dict[str, str], number: int) -> dict[str, Any]:
        return {
            "id": f"tr_{number}", "object": "transfer", "amount": int(body["amount"]), "currency": body["currency"],
            "destination": body["destination"], "transfer_group": body["transfer_group"], "reversed": False,
            "metadata": _nested(body, "metadata"),
        }  # fmt: skip

    def _v1_checkout_sessions(self, body: dict[str, str], number: int) -> dict[str, Any]:
        return {
            "id": f"cs_test_{number}", "object": "checkout.session", "url": f"https://checkout.stripe.com/c/{number}",
            "amount_total": int(body["line_items[0][price_data][unit_amount]"]), "payment_status": "unpaid",
            "currency": body["line_items[0][price_data][currency]"], "metadata": _nested(body, "metadata"),
            "payment_intent": None, "status": "open",
        }  # fmt: skip

    def _v1_refunds(self, body: dict[str, str], number: int) -> dict[str, Any]:
        before = sum(row["amount"] for row in self.of("refund") if row["payment_intent"] == body["payment_intent"])
        paid = self.objects.get(body["payment_intent"], {"amount": 0})["amount"]
        if before + int(body["amount"]) > paid:
            return _error("invalid_request_error", "greater than the unrefunded amount")
        return {
            "id": f"re_{number}", "object": "refund", "amount": int(body["amount"]), "status": "succeeded",
            "payment_intent": body["payment_intent"], "metadata": _nested(body, "metadata"), "currency": "uah",
        }  # fmt: skip

    def read(self, path: str, query: dict[str, str]) -> tuple[int, dict[str, Any]]:
        """A list of transfers of a group or refunds of a payment, newest first, in pages."""
        kind, name = ("transfer", "transfer_group") if path == "/v1/transfers" else ("refund", "payment_intent")
        with self.lock:
            rows = [row for row in self.of(kind) if row[name] == query[name]][::-1]
        start = next((i + 1 for i, row in enumerate(rows) if row["id"] == query.get("starting_after")), 0)
        page = rows[start : start + int(query.get("limit", 10))]
        return 200, {"object": "list", "url": path, "data": page, "has_more": start + len(page) < len(rows)}

    def pay(self, session: dict[str, Any], *, amount: int | None = None) -> dict[str, Any]:
        """The payer pays a session: its payment intent."""
        with self.lock:
            paid = {
                "id": f"pi_{len(self.objects) + 1}", "object": "payment_intent", "status": "succeeded",
                "amount": session["amount_total"] if amount is None else amount, "currency": session["currency"],
                "metadata": session["metadata"],
            }  # fmt: skip
            paid["amount_received"] = paid["amount"]
            self.objects[paid["id"]] = paid
            session.update(payment_intent=paid["id"], payment_status="paid", status="complete")
        return paid


def _nested(body: dict[str, str], name: str) -> dict[str, str]:
    return {key[len(name) + 1 : -1]: value for key, value in body.items() if key.startswith(f"{name}[")}


def _error(kind: str, text: str) -> dict[str, Any]:
    return {"error": {"type": kind, "message": text, "code": "refused_here"}}


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    stripe: StripeStandIn

    def log_message(self, format: str, *args: Any) -> None:
        """Be quiet."""

    def do_GET(self) -> None:
        parts = urlsplit(self.path)
        self._note(parts.path)
        self._answer(*self.stripe.read(parts.path, {k: v[0] for k, v in parse_qs(parts.query).items()}))

    def do_POST(self) -> None:
        body = dict(parse_qsl(self.rfile.read(int(self.headers.get("Content-Length", 0))).decode()))
        self._note(self.path)
        fault = self.stripe.faults.pop(0) if self.stripe.faults else ""
        if fault == "lost_request":
            self._hang_up()
        elif fault in ("broken", "refused"):
            self._answer(500 if fault == "broken" else 400, _error("api_error", fault))
        else:
            self._carry_out(body, fault)

    def _carry_out(self, body: dict[str, str], fault: str) -> None:
        status, answer = self.stripe.write(self.path, body, self.headers["Idempotency-Key"])
        if fault == "lost_answer":
            self._hang_up()
            return
        if fault == "slow_answer":
            time.sleep(1.5)
        self._answer(status, answer)

    def _note(self, path: str) -> None:
        self.stripe.requests.append((self.command, path, self.headers.get("Idempotency-Key", "")))

    def _hang_up(self) -> None:
        self.close_connection = True
        self.connection.close()

    def _answer(self, status: int, body: dict[str, Any]) -> None:
        if self.headers.get("Authorization") != f"Bearer {KEY}":
            status, body = 401, _error("invalid_request_error", "wrong key")
        content = json.dumps(body).encode()
        try:
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)
        except OSError:
            self.close_connection = True


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A caller that hung up is what is being tested."""


@contextmanager
def stripe_on_loopback(**more: Any) -> Iterator[StripeStandIn]:
    """The stand-in behind a real HTTP server, and the settings that lead there."""
    stripe = StripeStandIn()
    server = _Server(("127.0.0.1", 0), type("Handler", (_Handler,), {"stripe": stripe}))
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    stripe.address = f"http://127.0.0.1:{server.server_address[1]}"
    values = {
        "STRIPE_API_KEY": KEY, "STRIPE_WEBHOOK_SECRET": SECRET, "STRIPE_API_BASE": stripe.address,
        "STRIPE_TIMEOUT_SECONDS": 1.0,
    }  # fmt: skip
    try:
        with override_settings(**(values | more)):
            yield stripe
    finally:
        server.shutdown()
        server.server_close()
        thread.join(5)


def event(kind: str, subject: dict[str, Any], *, event_id: str = "", created: int | None = None) -> bytes:
    """The body of a delivery."""
    name = event_id or f"evt_{kind.replace('.', '_')}_{subject['id']}"
    moment = int(time.time()) if created is None else created
    return json.dumps(
        {"id": name, "object": "event", "type": kind, "created": moment, "data": {"object": subject}}
    ).encode()


def signature(content: bytes, *, secret: str = SECRET, moment: int | None = None) -> str:
    """The header that proves a delivery."""
    when = int(time.time()) if moment is None else moment
    digest = hmac.new(secret.encode(), f"{when}.".encode() + content, hashlib.sha256).hexdigest()
    return f"t={when},v1={digest}"
