"""The peers that run on Node: `python -m benchmarks.peers.node ws.js`.

What they need is installed by npm into the virtual environment, the first time they are asked for.
"""

from __future__ import annotations

import functools
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

__all__ = ["absent", "run", "version"]

_HERE = Path(__file__).resolve().parent
_INSTALLED = Path(sys.prefix, "bench-node")
_MODULES = _INSTALLED / "node_modules"


@functools.cache
def absent() -> str:
    """Say why none of them can run; nothing if they can."""
    for program in ("node", "npm"):
        if shutil.which(program) is None:
            return f"there is no {program} on the PATH"
    _INSTALLED.mkdir(exist_ok=True)
    wanted = (_HERE / "package.json").read_bytes()
    kept = _INSTALLED / "package.json"
    if kept.exists() and kept.read_bytes() == wanted and _MODULES.exists():
        return ""
    kept.write_bytes(wanted)
    command = ["npm", "install", "--no-package-lock", "--no-audit", "--no-fund", "--silent"]
    done = subprocess.run(command, cwd=_INSTALLED, capture_output=True, text=True, check=False)
    if done.returncode == 0:
        return ""
    kept.unlink()
    told = done.stderr.strip().splitlines() or [f"it ended with {done.returncode}"]
    return f"npm install failed: {told[-1]}"


def version(package: str) -> str:
    """Return the version of an installed package; nothing if it is not."""
    described = _MODULES / package / "package.json"
    if not described.exists():
        return ""
    return str(json.loads(described.read_text())["version"])


def run(script: str) -> None:
    """Become node, running this script."""
    environment = os.environ | {"NODE_PATH": str(_MODULES)}
    os.execvpe("node", ["node", str(_HERE / script)], environment)
