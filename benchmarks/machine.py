"""What the figures were measured on, and with which versions."""

from __future__ import annotations

import os
import platform
import re
import subprocess
from collections.abc import Sequence
from importlib import metadata
from pathlib import Path

from benchmarks.peers import brokers, node

__all__ = ["machine"]

_LIBRARIES = (
    "roomkit-chat", "anyio", "msgspec", "websockets", "starlette", "uvicorn", "uvloop", "httptools",
    "zestapi", "python-socketio", "channels", "django",
)  # fmt: skip

_PROGRAMS = {
    "node": ["node", "--version"],
    "nats-server": [brokers.program("nats-server"), "--version"],
    "mosquitto": [brokers.program("mosquitto"), "-h"],
}


def machine() -> dict[str, object]:
    """Return the processor, the system, and the versions of what is installed."""
    return {
        "processor": f"{_processor()}, {os.cpu_count()} processors",
        "system": f"{platform.system()} {platform.release().partition('-')[0]}",
        "python": platform.python_version(),
        "versions": _versions(),
    }


def _versions() -> dict[str, str]:
    found = {name: _library(name) for name in _LIBRARIES}
    found |= {f"{name} (Node)": node.version(name) for name in ("ws", "socket.io")}
    found |= {name: _program(command) for name, command in _PROGRAMS.items()}
    return {name: version for name, version in found.items() if version}


def _processor() -> str:
    told = Path("/proc/cpuinfo")
    text = told.read_text() if told.exists() else ""
    found = re.search(r"^model name\s*: (.*)$", text, re.MULTILINE)
    return found[1] if found else platform.machine()


def _library(name: str) -> str:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return ""


def _program(command: Sequence[str]) -> str:
    """Return the version in what a program says first; nothing if there is no such program."""
    try:
        told = subprocess.run(command, capture_output=True, text=True, check=False).stdout
    except OSError:
        return ""
    found = re.search(r"\d+(\.\d+)+", told)
    return found[0] if found else ""
