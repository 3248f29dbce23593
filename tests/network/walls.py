"""Network namespaces for processes, and walls between them that let nothing through.

What meets a wall is dropped without a word, as by a network that has failed: connections stay open,
and nobody is told. Only a process that was started by `behind` can put up any.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

__all__ = ["HERE", "Place", "Walls", "behind", "missing", "within"]

_INSIDE = "ROOMKIT_WALLS"
_FORWARDING = Path("/proc/sys/net/ipv4/ip_forward")
_ALONE = ("unshare", "--map-root-user", "--net", "--mount")
_RULES = """
table inet walls {
    set cut { type ipv4_addr . ipv4_addr; }
    chain passing {
        type filter hook forward priority 0;
        ip saddr . ip daddr @cut drop;
    }
}
"""


@dataclass(frozen=True)
class Place:
    """Where a process runs.

    Attributes:
        host: its address.
        command: what its command line begins with.
    """

    host: str = "127.0.0.1"
    command: tuple[str, ...] = ()


HERE = Place()


def missing() -> str | None:
    """Say what is lacking to put up walls on this machine; None if nothing is."""
    for program in ("unshare", "nsenter", "ip", "nft"):
        if shutil.which(program) is None:
            return f"no {program} on the PATH: install util-linux, iproute2 and nftables"
    tried = subprocess.run([*_ALONE, "true"], capture_output=True, text=True, check=False)
    if tried.returncode:
        return f"this machine lets nobody have a network of their own: {tried.stderr.strip()}"
    return None


def within() -> bool:
    """Tell whether this process was started by `behind`."""
    return _INSIDE in os.environ


def behind(module: str, arguments: Sequence[str]) -> None:
    """Run a module in place of this one, in a network where it may put up walls."""
    command = [*_ALONE, sys.executable, "-m", module, *arguments]
    os.execvpe(command[0], command, os.environ | {_INSIDE: "1"})


class Walls:
    """Places that reach each other through this process's network, until something is cut."""

    def __init__(self) -> None:
        self._places = 0
        _run("mount", "-t", "tmpfs", "none", "/run")  # where namespaces have their names
        _run("ip", "link", "set", "lo", "up")
        _FORWARDING.write_text("1")
        _run("nft", "-f", "-", given=_RULES)

    def place(self) -> Place:
        """Make another, with a network of its own."""
        self._places += 1
        name, here = f"place-{self._places}", f"to-{self._places}"
        gate, host = f"10.93.{self._places}.1", f"10.93.{self._places}.2"
        _run("ip", "netns", "add", name)
        _run("ip", "link", "add", here, "type", "veth", "peer", "name", "eth0", "netns", name)
        _run("ip", "address", "add", f"{gate}/24", "dev", here)
        _run("ip", "link", "set", here, "up")
        _run("ip", "-n", name, "link", "set", "lo", "up")
        _run("ip", "-n", name, "address", "add", f"{host}/24", "dev", "eth0")
        _run("ip", "-n", name, "link", "set", "eth0", "up")
        _run("ip", "-n", name, "route", "add", "default", "via", gate)
        return Place(host, ("nsenter", f"--net=/run/netns/{name}"))

    def cut(self, sources: Iterable[Place], targets: Iterable[Place]) -> None:
        """Let nothing through that one of these sends to one of those; the other way is another."""
        ends = [target.host for target in targets]
        pairs = ", ".join(f"{source.host} . {end}" for source in sources for end in ends)
        _run("nft", "add", "element", "inet", "walls", "cut", f"{{ {pairs} }}")

    def mend(self) -> None:
        """Let everything through."""
        _run("nft", "flush", "set", "inet", "walls", "cut")


def _run(*command: str, given: str = "") -> None:
    subprocess.run(command, input=given, text=True, check=True)
