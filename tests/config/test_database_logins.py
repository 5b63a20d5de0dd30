"""Production with a login for each process: the owner migrates, web serves, worker works, a reader reads.

Real roles and a database of their own on the server of the tests; both go when the tests are over.
"""

from __future__ import annotations

import os
import secrets
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from http.cookiejar import CookieJar
from pathlib import Path
from urllib.error import URLError
from urllib.parse import urlencode
from urllib.request import HTTPCookieProcessor, build_opener

import psycopg
import pytest
from django.conf import settings
from psycopg import sql

ROOT = Path(__file__).resolve().parents[2]
HISTORY = ("audit_auditevent", "vouchers_certificateentry", "settlement_posting")
LOGINS = ("web", "worker", "readonly")


@dataclass(frozen=True)
class Site:
    """A database with its logins. ``name`` begins every role and names the database."""

    name: str
    folder: Path

    def url(self, login: str) -> str:
        where = settings.DATABASES["default"]
        query = urlencode({"host": where["HOST"], "port": where["PORT"] or "5432", "user": f"{self.name}_{login}"})
        return f"postgresql:///{self.name}?{query}"

    def environment(self, login: str, role: str) -> dict[str, str]:
        kept = {
            name: os.environ[name] for name in ("PATH", "HOME", "FIELD_KEYS", "STANDARDS_DIR") if name in os.environ
        }
        return {
            **kept,
            "BOOTSTRAP": "off",
            "DATABASE_URL": self.url(login),
            "DB_ROLE": role,
            "DB_ROLE_PREFIX": f"{self.name}_",
            "DATA_DIR": str(self.folder),
            "SECRET_KEY": "k" * 10 + secrets.token_urlsafe(60),
            "DJANGO_SETTINGS_MODULE": "config.settings",
        }

    def manage(self, login: str, role: str, *arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "manage.py", *arguments],
            cwd=ROOT,
            env=self.environment(login, role),
            capture_output=True,
            text=True,
            timeout=400,
        )

    def connect(self, login: str) -> psycopg.Connection:
        return psycopg.connect(self.url(login), autocommit=True)

    def refusal(self, login: str, statement: str) -> str:
        """SQLSTATE of what the login may not do, blank when it may."""
        try:
            with self.connect(login) as connection:
                connection.execute(statement)
        except psycopg.Error as error:
            return error.sqlstate or ""
        return ""


def execute(statements: list[sql.Composed]) -> None:
    where = settings.DATABASES["default"]
    address = {"host": where["HOST"], "port": where["PORT"] or None, "user": where["USER"], "dbname": "postgres"}
    with psycopg.connect(**address, password=where["PASSWORD"] or None, autocommit=True) as connection:
        for statement in statements:
            connection.execute(statement)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """The commands of docs/operations.md, with other names."""
    made = Site(f"t{secrets.token_hex(4)}", tmp_path_factory.mktemp("site"))
    owner, name = sql.Identifier(f"{made.name}_owner"), sql.Identifier(made.name)
    execute(
        [
            sql.SQL("CREATE ROLE {} LOGIN CREATEROLE").format(owner),
            sql.SQL("CREATE DATABASE {} OWNER {} TEMPLATE template0 ENCODING 'UTF8' LOCALE 'C.UTF-8'").format(
                name, owner
            ),
        ]
    )
    try:
        migrated = made.manage("owner", "owner", "migrate", "-v0")
        assert migrated.returncode == 0, migrated.stderr
        with made.connect("owner") as connection:
            for login in LOGINS:
                role = sql.Identifier(f"{made.name}_{login}_login"), sql.Identifier(f"{made.name}_{login}")
                connection.execute(sql.SQL("CREATE ROLE {} LOGIN IN ROLE {}").format(*role))
        yield made
    finally:
        roles = [f"{made.name}_{login}{kind}" for login in LOGINS for kind in ("_login", "")]
        drops = [sql.SQL("DROP ROLE IF EXISTS {}").format(sql.Identifier(role)) for role in roles]
        database = sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(name)
        execute([database, *drops, sql.SQL("DROP ROLE IF EXISTS {}").format(owner)])


@pytest.fixture(scope="module")
def town(site: Site) -> Site:
    """The demonstration, played by the worker's login: every action of the product."""
    loaded = site.manage("owner", "owner", "load_reference")
    assert loaded.returncode == 0, loaded.stderr
    played = site.manage("worker_login", "worker", "load_demo")
    assert played.returncode == 0, played.stderr[-3000:]
    return site


def test_the_month_was_played_and_its_trail_is_whole(town: Site) -> None:
    with town.connect("readonly_login") as connection:
        rows = [connection.execute(f"SELECT count(*) FROM {table}").fetchone()[0] for table in HISTORY]
    assert min(rows) > 0
    for command in ("verify_audit", "verify_books"):
        done = town.manage("worker_login", "worker", command)
        assert done.returncode == 0, done.stdout + done.stderr


def test_web_serves_with_its_own_login(town: Site) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "gunicorn", "config.wsgi", "--threads", "2", "--bind", f"127.0.0.1:{port}"]
    web = subprocess.Popen(
        command, cwd=ROOT, env=town.environment("web_login", "web"), stderr=subprocess.PIPE, text=True
    )
    try:
        home = sign_in(f"http://127.0.0.1:{port}", "nadiia")
    finally:
        web.terminate()
        said = web.communicate(timeout=30)[1]
    assert "Надія" in home, said[-3000:]
    with town.connect("readonly_login") as connection:
        assert connection.execute("SELECT count(*) FROM django_session").fetchone() == (1,)


def sign_in(base: str, username: str) -> str:
    """The page after signing in."""
    jar = CookieJar()
    browser = build_opener(HTTPCookieProcessor(jar))
    for _ in range(120):
        try:
            browser.open(f"{base}/sign-in/").read()
            break
        except URLError:
            time.sleep(0.5)
    token = next(cookie.value for cookie in jar if cookie.name == "csrftoken")
    form = {"username": username, "password": "demo-servisy-2025", "csrfmiddlewaretoken": token}
    page: bytes = browser.open(f"{base}/sign-in/", urlencode(form).encode()).read()
    return page.decode()


DENIED = "42501"


@pytest.mark.parametrize("login", ["web_login", "worker_login", "readonly_login"])
@pytest.mark.parametrize("table", HISTORY)
def test_nobody_but_the_owner_may_touch_history(town: Site, login: str, table: str) -> None:
    assert town.refusal(login, f"SELECT 1 FROM {table} LIMIT 1") == ""
    for statement in (f"UPDATE {table} SET id = id", f"DELETE FROM {table}", f"TRUNCATE {table} CASCADE"):
        assert town.refusal(login, statement) == DENIED, statement


@pytest.mark.parametrize("login", ["web_login", "worker_login"])
def test_a_login_leads_to_no_other_role(town: Site, login: str) -> None:
    other = "worker" if login == "web_login" else "web"
    for statement in (
        f"SET ROLE {town.name}_owner",
        f"SET ROLE {town.name}_{other}",
        "SET session_replication_role = replica",
        "ALTER TABLE audit_auditevent DISABLE TRIGGER ALL",
        "DROP TABLE audit_auditevent",
        "UPDATE audit_chainhead SET sequence = 0",
        "UPDATE office_rowseal SET seal = ''",
        "DELETE FROM office_rowseal",
        "CREATE TABLE mine (id int)",
    ):
        assert town.refusal(login, statement) == DENIED, statement
    # What the process does every day it may.
    assert town.refusal(login, "UPDATE accounts_user SET language = language") == ""


def test_the_reader_only_reads(town: Site) -> None:
    assert town.refusal("readonly_login", "SELECT 1 FROM settlement_claim") == ""
    for statement in (
        "UPDATE settlement_claim SET number = number",
        "INSERT INTO django_session VALUES ('a', 'b', now())",
    ):
        assert town.refusal("readonly_login", statement) == DENIED


def test_a_process_with_the_wrong_login_does_not_start(site: Site) -> None:
    done = site.manage("web_login", "worker", "verify_audit")
    assert done.returncode != 0
    assert "permission denied to set role" in done.stderr


def test_an_owner_who_was_given_the_roles_need_not_be_able_to_make_or_give_any(site: Site) -> None:
    owner = sql.Identifier(f"{site.name}_owner")
    roles = [sql.Identifier(f"{site.name}_{role}") for role in LOGINS]
    taken = [sql.SQL("REVOKE {} FROM {} CASCADE").format(role, owner) for role in roles]
    given = [sql.SQL("GRANT {} TO {}").format(role, owner) for role in roles]
    execute([sql.SQL("ALTER ROLE {} NOCREATEROLE").format(owner), *taken, *given])
    assert site.refusal("owner", f"GRANT {site.name}_web TO {site.name}_owner") == DENIED
    again = site.manage("owner", "owner", "migrate", "-v0")
    assert again.returncode == 0, again.stderr


def test_a_production_environment_passes_the_deployment_check(tmp_path: Path) -> None:
    site = Site("nowhere", tmp_path)
    environment = {**site.environment("web_login", "web"), "BEHIND_TLS": "1", "ALLOWED_HOSTS": "social.example.org"}
    command = [sys.executable, "manage.py", "check", "--deploy", "--fail-level", "WARNING"]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    assert "no issues" in done.stdout


def test_a_careless_environment_does_not(tmp_path: Path) -> None:
    environment = {**Site("nowhere", tmp_path).environment("web_login", "web"), "DEBUG": "1", "SECRET_KEY": "short"}
    command = [sys.executable, "manage.py", "check", "--deploy", "--fail-level", "WARNING"]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=120)
    assert done.returncode != 0
    assert all(code in done.stderr for code in ("security.W008", "security.W009", "security.W018"))
