"""A person at a browser, reduced to cookies, forms and redirects over real HTTP."""

from __future__ import annotations

import re
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException, HTTPResponse
from http.cookies import SimpleCookie
from urllib.parse import urlencode, urlsplit

from config.demo.cast import PASSWORD

# What a client sees when the other side is gone.
GONE = (OSError, HTTPException)
SECONDS = 180


@dataclass
class Answer:
    """Status, where it sends the browser, and the page."""

    status: int
    location: str
    body: str

    @property
    def number(self) -> int:
        """The last number of the address it sends to: the record that was made."""
        found = re.findall(r"\d+", self.location)
        assert self.status == 302 and found, (self.status, self.location, self.body[-2000:])
        return int(found[-1])


class Client:
    """Keeps its cookies when the server moves to another port."""

    def __init__(self, address: str) -> None:
        self.address = address
        self.cookies: dict[str, str] = {}

    def get(self, path: str) -> Answer:
        """Load a page."""
        return self._read(self._send("GET", path, None))

    def post(self, path: str, **fields: str) -> Answer:
        """Send a form. Raises one of GONE when no answer comes."""
        return self._read(self._send("POST", path, fields))

    def post_and_forget(self, path: str, **fields: str) -> HTTPConnection:
        """Send a form and leave the answer unread."""
        return self._send("POST", path, fields)

    def sign_in(self, username: str) -> None:
        """With the password of the demo."""
        self.get("/sign-in/")
        answer = self.post("/sign-in/", username=username, password=PASSWORD)
        assert answer.status == 302, answer.body

    def _send(self, method: str, path: str, fields: dict[str, str] | None) -> HTTPConnection:
        headers = {"Cookie": "; ".join(f"{name}={value}" for name, value in self.cookies.items())}
        body = None
        if fields is not None:
            headers["Content-Type"] = "application/x-www-form-urlencoded"
            body = urlencode({**fields, "csrfmiddlewaretoken": self.cookies["csrftoken"]})
        connection = HTTPConnection(urlsplit(self.address).netloc, timeout=SECONDS)
        connection.request(method, path, body, headers)
        return connection

    def _read(self, connection: HTTPConnection) -> Answer:
        response = connection.getresponse()
        answer = Answer(response.status, response.getheader("Location", ""), response.read().decode())
        self._keep_cookies(response)
        connection.close()
        return answer

    def _keep_cookies(self, response: HTTPResponse) -> None:
        for header in response.headers.get_all("Set-Cookie") or []:
            self.cookies |= {name: morsel.value for name, morsel in SimpleCookie(header).items()}
