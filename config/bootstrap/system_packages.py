"""System packages that pip cannot bring: found by what they offer, installed when permitted, else named."""

from __future__ import annotations

import ctypes
import os
import shutil
import subprocess
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from config.bootstrap.console import say, tail


@dataclass(frozen=True)
class SystemPackage:
    """A Debian package, what it is for, and a cheap way to see that its content is there."""

    name: str
    purpose: str
    present: Callable[[], bool]


def _library(soname: str) -> Callable[[], bool]:
    def present() -> bool:
        try:
            ctypes.CDLL(soname)
        except OSError:
            return False
        return True

    return present


def _program(*names: str) -> Callable[[], bool]:
    return lambda: any(shutil.which(name) for name in names)


def _file(*paths: str) -> Callable[[], bool]:
    return lambda: any(Path(path).exists() for path in paths)


FONT_FILES = (
    "/usr/share/fonts/truetype/dejavu/DejaVuSans.ttf",
    "/usr/share/fonts/dejavu-sans-fonts/DejaVuSans.ttf",
    "/usr/share/fonts/TTF/DejaVuSans.ttf",
)
RUNTIME = (
    SystemPackage("libpango-1.0-0", "PDF documents", _library("libpango-1.0.so.0")),
    SystemPackage("libpangoft2-1.0-0", "PDF documents", _library("libpangoft2-1.0.so.0")),
    SystemPackage("libharfbuzz-subset0", "PDF documents", _library("libharfbuzz-subset.so.0")),
    SystemPackage("fonts-dejavu-core", "PDF documents", _file(*FONT_FILES)),
    SystemPackage("tzdata", "time zones in the database", _file("/usr/share/zoneinfo/Europe/Kyiv")),
    SystemPackage("gettext", "translations", _program("msgfmt")),
)
CHECKS = (
    SystemPackage("chromium", "browser tests", _program("chromium", "chromium-browser", "google-chrome")),
    SystemPackage("poppler-utils", "tests of PDF documents", _program("pdftotext")),
    SystemPackage("hledger", "the independent check of the books", _program("hledger")),
    SystemPackage("beancount", "the independent check of the books", _program("bean-check")),
)


def missing(packages: Iterable[SystemPackage]) -> list[SystemPackage]:
    """Those whose content is not found."""
    return [package for package in packages if not package.present()]


def may_install() -> bool:
    """Root on a system with apt, and not forbidden by NO_SYSTEM_PACKAGES=1."""
    forbidden = os.environ.get("NO_SYSTEM_PACKAGES", "0") not in {"", "0"}
    return not forbidden and os.geteuid() == 0 and shutil.which("apt-get") is not None


def apt_install(names: list[str]) -> bool:
    """Install with apt; False, with the reason said, when that fails."""
    say(f"Installing system packages: {' '.join(names)}")
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    steps = (["update", "-qq"], ["install", "-y", "-qq", "--no-install-recommends", *names])
    for step in steps:
        done = subprocess.run(["apt-get", *step], env=environment, capture_output=True, text=True)
    if done.returncode:
        say(f"apt-get install failed:\n{tail(done.stdout + done.stderr, 5)}")
    return done.returncode == 0


def describe(packages: list[SystemPackage]) -> str:
    """One sentence that names what is missing, what for, and how to get it."""
    names = " ".join(package.name for package in packages)
    purposes = ", ".join(dict.fromkeys(package.purpose for package in packages))
    return f"System packages are missing (needed for {purposes}). As root: apt-get install {names}"


def ensure(packages: Iterable[SystemPackage]) -> None:
    """Install what is missing when permitted; otherwise name it and go on without it."""
    absent = missing(packages)
    if absent and may_install():
        apt_install([package.name for package in absent])
        absent = missing(absent)
    if absent:
        say(describe(absent))
