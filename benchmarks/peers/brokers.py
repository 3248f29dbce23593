"""Brokers as they come, with a websocket to them: `python -m benchmarks.peers.brokers mosquitto`.

Neither picks a free port for its websocket, so one is found for it.
"""

from __future__ import annotations

import os
import shutil
import socket
import sys
from pathlib import Path

__all__ = ["BROKERS", "absent", "program", "run"]

_MOSQUITTO = """\
allow_anonymous true
log_type none
set_tcp_nodelay true
max_connections -1
user root
listener {plain} 127.0.0.1
listener {port} 127.0.0.1
protocol websockets
"""
"""Version 2.0.11 does not start without a plain listener."""

_NATS = """\
listen: "127.0.0.1:{plain}"
ping_interval: "1h"
websocket {{
    listen: "127.0.0.1:{port}"
    no_tls: true
}}
"""

BROKERS = {
    "mosquitto": (_MOSQUITTO, "mosquitto.conf"),
    "nats-server": (_NATS, "nats.conf"),
}


def absent(broker: str) -> str:
    """Say why it cannot run; nothing if it can."""
    return "" if program(broker) else f"there is no {broker} on the PATH"


def run(broker: str, folder: str) -> None:
    """Write the configuration into a folder, print the port, and become the broker."""
    settings, name = BROKERS[broker]
    plain, port = _free_port(), _free_port()
    Path(folder).mkdir()
    file = Path(folder, name)
    file.write_text(settings.format(plain=plain, port=port))
    print(port, flush=True)
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    found = program(broker)
    os.execv(found, [found, "-c", str(file)])


def program(broker: str) -> str:
    """Return where it is, in the virtual environment or where systems keep servers; or nothing."""
    places = [str(Path(sys.prefix, "bin")), os.environ.get("PATH", ""), "/usr/sbin"]
    return shutil.which(broker, path=os.pathsep.join(places)) or ""


def _free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        port: int = one.getsockname()[1]
    return port


if __name__ == "__main__":
    run(*sys.argv[1:])
