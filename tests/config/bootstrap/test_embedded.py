"""The shared server: real processes, real kills."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Callable
from pathlib import Path

import psycopg
import pytest

from config.bootstrap import cluster as clusters
from config.bootstrap import embedded
from config.bootstrap.console import Refusal
from config.bootstrap.embedded import Attachment
from config.bootstrap.layout import CHECKOUT, Layout

Attach = Callable[..., Attachment]
Holder = Callable[[], "subprocess.Popen[str]"]


def ask(attachment: Attachment, statement: str) -> object:
    with psycopg.connect(attachment.environment["DATABASE_URL"], autocommit=True) as connection:
        cursor = connection.execute(statement.encode())
        row = cursor.fetchone() if cursor.description else None
    return row[0] if row else None


def test_data_is_back_after_the_last_user_left(attach: Attach) -> None:
    first = attach(durable=True)
    ask(first, "CREATE TABLE kept AS SELECT 42 AS answer")
    assert (ask(first, "SHOW fsync"), ask(first, "SHOW listen_addresses")) == ("on", "")
    first.release()
    assert not clusters.is_answering(first.cluster)
    assert clusters.postmaster_pid(first.cluster) is None
    second = attach()
    assert ask(second, "SELECT answer FROM kept") == 42


def test_server_lives_as_long_as_its_last_user(attach: Attach, holder: Holder) -> None:
    other = holder()
    mine = attach()
    pid = clusters.postmaster_pid(mine.cluster)
    other.communicate("\n")
    assert clusters.is_answering(mine.cluster), "the first user left, the second still works"
    third = holder()
    mine.release()
    assert clusters.postmaster_pid(mine.cluster) == pid, "the server is left as it was found"
    third.communicate("\n")
    assert not clusters.is_answering(mine.cluster)


def test_server_of_a_killed_user_is_adopted_and_stopped(attach: Attach, holder: Holder) -> None:
    other = holder()
    other.kill()
    other.wait()
    mine = attach()
    assert ask(mine, "SELECT 1") == 1
    mine.release()
    assert not clusters.is_answering(mine.cluster), "the dead user is not counted"


def test_killed_server_is_replaced_and_loses_nothing(attach: Attach) -> None:
    first = attach()
    ask(first, "CREATE TABLE kept AS SELECT generate_series(1, 1000) AS n")
    ask(first, "CHECKPOINT")
    killed = clusters.postmaster_pid(first.cluster)
    assert killed
    os.kill(killed, signal.SIGKILL)
    second = attach()
    assert clusters.postmaster_pid(second.cluster) != killed
    assert ask(second, "SELECT count(*) FROM kept") == 1000
    first.release()
    assert ask(second, "SELECT 1") == 1


def test_pid_file_that_names_another_process_is_replaced(attach: Attach) -> None:
    first = attach()
    first.release()
    data = first.cluster.data
    # As after restoring a container: the number now belongs to something else, here to this test.
    (data / "postmaster.pid").write_text(f"{os.getpid()}\n{data}\n0\n5432\n\n\n0 0\nready\n")
    assert ask(attach(), "SELECT 1") == 1


def test_server_started_by_somebody_else_is_left_running(attach: Attach) -> None:
    mine = attach()
    (mine.cluster.home / "server.lock").write_text("1")  # not the pid of this server
    mine.release()
    assert clusters.is_answering(mine.cluster)
    clusters.stop(mine.cluster)


def test_second_folder_is_another_installation(attach: Attach, data_dir: Path) -> None:
    first = attach()
    ask(first, "CREATE TABLE only_here ()")
    second = embedded.attach(Layout(CHECKOUT, data_dir.parent / "second"), durable=False)
    try:
        assert ask(second, "SELECT to_regclass('only_here')") is None
        assert second.environment["SECRET_KEY"] != first.environment["SECRET_KEY"]
        assert second.environment["FIELD_KEYS"] != first.environment["FIELD_KEYS"]
    finally:
        second.discard()
    assert ask(first, "SELECT 1") == 1, "throwing the second away does not touch the first"
    assert not (data_dir.parent / "second").exists()


def test_long_path_gets_a_short_socket(folder: Path) -> None:
    attachment = embedded.attach(Layout(CHECKOUT, folder / ("long" * 30)), durable=False)
    try:
        assert len(str(attachment.cluster.socket_dir())) < 60
        assert ask(attachment, "SELECT 1") == 1
    finally:
        attachment.discard()
    assert not attachment.cluster.socket_dir().exists()


def test_lost_field_keys_are_refused_not_replaced(attach: Attach, data_dir: Path) -> None:
    attach().release()
    (data_dir / "field.keys").unlink()
    with pytest.raises(Refusal, match=r"field\.keys is missing"):
        embedded.attach(Layout(CHECKOUT, data_dir))
    assert not (data_dir / "field.keys").exists()


def test_folder_that_cannot_be_made_is_refused(folder: Path) -> None:
    (folder / "file").write_text("")
    with pytest.raises(Refusal, match="EMBEDDED_DATA_DIR"):
        embedded.attach(Layout(CHECKOUT, folder / "file" / "below"))


def test_unknown_data_version_is_refused(attach: Attach) -> None:
    mine = attach()
    mine.release()
    version = mine.cluster.data / "PG_VERSION"
    original = version.read_text()
    version.write_text("9\n")
    with pytest.raises(Refusal, match="made by PostgreSQL 9"):
        attach()
    version.write_text(original)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root gives the server to another user")
class TestAsRoot:
    def test_server_runs_as_another_user_in_a_closed_folder(self, attach: Attach) -> None:
        mine = attach()
        pid = clusters.postmaster_pid(mine.cluster)
        status = Path(f"/proc/{pid}/status").read_text()
        uid = next(line.split()[1] for line in status.splitlines() if line.startswith("Uid:"))
        groups = next(line.split()[1:] for line in status.splitlines() if line.startswith("Groups:"))
        assert int(uid) == mine.cluster.user.uid != 0
        assert "0" not in groups
        assert mine.cluster.folder.stat().st_mode & 0o777 == 0o700

    def test_unreadable_path_moves_the_server_to_a_service_folder(
        self, folder: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        folder.chmod(0o700)
        mine = embedded.attach(Layout(CHECKOUT, folder / "closed"), durable=False)
        home = mine.cluster.home
        try:
            assert home.parent == embedded.SERVICE_ROOT
            assert str(home) in capsys.readouterr().err, "the command names the folder"
            assert ask(mine, "SELECT 1") == 1
            assert (folder / "closed" / "secret.key").stat().st_mode & 0o777 == 0o600
        finally:
            mine.discard()
        assert not home.exists()

    def test_programs_are_copied_when_the_server_cannot_read_them(
        self, data_dir: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("config.bootstrap.server_user.ServerUser.can_use", lambda self, folder: False)
        mine = embedded.attach(Layout(CHECKOUT, data_dir), durable=False)
        try:
            program = os.readlink(f"/proc/{clusters.postmaster_pid(mine.cluster)}/exe")
            assert Path(program).is_relative_to(mine.cluster.home)
        finally:
            mine.discard()
