"""What the figures were measured on, and with which versions."""

from __future__ import annotations

import os
import platform
import re
from importlib import metadata
from pathlib import Path

__all__ = ["machine"]

_LIBRARIES = (
    "roomkit-chat", "anyio", "msgspec", "websockets", "starlette", "uvicorn", "uvloop", "httptools",
    "zestapi", "python-socketio", "channels", "django",
)  # fmt: skip


def machine() -> dict[str, object]:
    """Return the processor, the system, and the versions of what is installed."""
    return {
        "processor": f"{_processor()}, {os.cpu_count()} processors",
        "system": f"{platform.system()} {platform.release().partition('-')[0]}",
        "python": platform.python_version(),
        "versions": {name: version for name in _LIBRARIES if (version := _version(name))},
    }


def _processor() -> str:
    told = Path("/proc/cpuinfo")
    text = told.read_text() if told.exists() else ""
    found = re.search(r"^model name\s*: (.*)$", text, re.MULTILINE)
    return found[1] if found else platform.machine()


def _version(name: str) -> str:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return ""
