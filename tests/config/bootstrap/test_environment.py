"""When the environment is complete, and what happens when it is not."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

from config.bootstrap import environment, system_packages
from config.bootstrap.console import Refusal
from config.bootstrap.layout import Layout


@pytest.fixture
def layout(tmp_path: Path) -> Layout:
    (tmp_path / "requirements.txt").write_text("a==1\n")
    (tmp_path / "requirements-dev.txt").write_text("a==1\nb==1\n")
    python = tmp_path / ".venv" / "bin" / "python"
    python.parent.mkdir(parents=True)
    python.touch(mode=0o755)
    return Layout(tmp_path, tmp_path / "var")


@pytest.fixture
def installed(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Kinds that would have been installed, instead of installing them."""
    kinds: list[str] = []
    monkeypatch.setattr(environment, "create_venv", lambda layout: None)
    monkeypatch.setattr(environment, "install", lambda layout, kind: kinds.append(kind))
    return kinds


def test_same_lock_is_installed_once(layout: Layout, installed: list[str]) -> None:
    environment.ensure(layout, "runtime")
    environment.ensure(layout, "runtime")
    assert installed == ["runtime"]


def test_development_environment_serves_ordinary_commands(layout: Layout, installed: list[str]) -> None:
    environment.ensure(layout, "dev")
    environment.ensure(layout, "runtime")
    assert installed == ["dev"]


def test_runtime_environment_does_not_serve_the_checks(layout: Layout, installed: list[str]) -> None:
    environment.ensure(layout, "runtime")
    environment.ensure(layout, "dev")
    assert installed == ["runtime", "dev"]


def test_changed_lock_is_installed_and_keeps_the_tools(layout: Layout, installed: list[str]) -> None:
    environment.ensure(layout, "dev")
    (layout.checkout / "requirements.txt").write_text("a==2\n")
    environment.ensure(layout, "runtime")
    assert installed == ["dev", "dev"]


def test_interrupted_installation_is_repeated(layout: Layout, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(layout: Layout, kind: str) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(environment, "create_venv", lambda layout: None)
    monkeypatch.setattr(environment, "install", interrupted)
    with pytest.raises(KeyboardInterrupt):
        environment.ensure(layout, "runtime")
    assert not environment.is_ready(layout, "runtime")


def test_broken_stamp_counts_as_none(layout: Layout) -> None:
    (layout.venv / environment.STAMP).write_text("{")
    assert environment.read_stamp(layout) == {}
    (layout.venv / environment.STAMP).write_text(json.dumps(environment.wanted_stamp(layout, "dev")))
    assert environment.is_ready(layout, "dev")


@pytest.fixture
def commands(monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    """Commands of an installation in which uv fails and pip succeeds."""
    seen: list[list[str]] = []

    def run(command: list[str]) -> subprocess.CompletedProcess[str]:
        seen.append(command)
        return subprocess.CompletedProcess(command, 1 if command[0] == "/bin/uv" else 0, "", "no such mirror")

    monkeypatch.setattr(environment, "_run_quietly", run)
    monkeypatch.setattr(environment.shutil, "which", lambda name: f"/bin/{name}")
    return seen


def test_pip_follows_when_uv_fails_and_both_check_hashes(layout: Layout, commands: list[list[str]]) -> None:
    environment.install(layout, "dev")
    assert [Path(command[0]).name for command in commands] == ["uv", "python"]
    lock = str(layout.checkout / "requirements-dev.txt")
    assert all(command[-3:] == ["--require-hashes", "-r", lock] for command in commands)


def test_python_without_venv_names_the_package(layout: Layout, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(environment.importlib.util, "find_spec", lambda name: None)
    monkeypatch.setattr(system_packages, "may_install", lambda: False)
    layout.python.unlink()
    with pytest.raises(Refusal, match="python3-venv"):
        environment.create_venv(layout)


def test_missing_packages_are_named_with_their_purpose(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("NO_SYSTEM_PACKAGES", "1")
    there = system_packages.SystemPackage("there", "nothing", lambda: True)
    absent = system_packages.SystemPackage("libabsent", "PDF documents", lambda: False)
    system_packages.ensure([there, absent])
    printed = capsys.readouterr().err
    assert "apt-get install libabsent" in printed
    assert "PDF documents" in printed
    assert "there" not in printed.replace("libabsent", "")


def test_permitted_installation_is_asked_for_what_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    state = {"present": False}
    asked: list[list[str]] = []

    def apt(names: list[str]) -> bool:
        state["present"] = True
        asked.append(names)
        return True

    monkeypatch.setattr(system_packages, "may_install", lambda: True)
    monkeypatch.setattr(system_packages, "apt_install", apt)
    package = system_packages.SystemPackage("libabsent", "PDF documents", lambda: state["present"])
    system_packages.ensure([package])
    system_packages.ensure([package])
    assert asked == [["libabsent"]]
