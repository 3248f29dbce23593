"""A socket that listens at a free port of this machine."""

from __future__ import annotations

import os
import socket

__all__ = ["BACKLOG", "listening"]

BACKLOG = 4096


def listening() -> socket.socket:
    """Listen, and print the port; after that nothing that is printed is seen."""
    # With the protocol named: asyncio switches Nagle's algorithm off only where it sees TCP.
    one = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    one.bind(("127.0.0.1", 0))
    one.listen(BACKLOG)
    print(one.getsockname()[1], flush=True)
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    return one
