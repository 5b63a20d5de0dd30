"""The file broker of the embedded default: a message is whole whenever it can be seen."""

from __future__ import annotations

from pathlib import Path

import pytest
from kombu import Connection

from config.celery_app import FileTransport


@pytest.fixture
def broker(tmp_path: Path) -> Connection:
    folders = {name: str(tmp_path / name) for name in ("queue", "processed", "control")}
    for folder in folders.values():
        Path(folder).mkdir()
    options = {
        "data_folder_in": folders["queue"],
        "data_folder_out": folders["queue"],
        "processed_folder": folders["processed"],
        "control_folder": folders["control"],
    }
    return Connection("filesystem://localhost", transport_options=options)


def test_the_scheme_of_files_is_ours(broker: Connection) -> None:
    assert isinstance(broker.transport, FileTransport)


def test_what_is_put_is_got(broker: Connection) -> None:
    queue = broker.SimpleQueue("bells")
    queue.put({"job": 7})
    assert queue.get(timeout=1).payload == {"job": 7}


def test_a_message_is_seen_only_when_it_is_written(
    broker: Connection, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[list[str]] = []
    rename = Path.rename

    def look(self: Path, target: Path) -> Path:
        seen.append([path.name for path in (tmp_path / "queue").glob("*.msg")])
        return rename(self, target)

    monkeypatch.setattr(Path, "rename", look)
    broker.SimpleQueue("chimes").put({"job": 7})
    assert seen == [[]]
    (message,) = (tmp_path / "queue").glob("*.msg")
    assert message.stat().st_size > 0
