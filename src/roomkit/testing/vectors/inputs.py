"""A vector's `do` steps, as calls of the Python machine."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import msgspec

from roomkit.client.asks import Ask, Output
from roomkit.client.machine import Machine

__all__ = ["do"]

_CUT = 1006  # RFC 6455, 7.4.1: closed without a close frame

_INPUTS: dict[str, Callable[[Machine, int], list[Output]]] = {
    "start": lambda machine, now: machine.start(now),
    "open": lambda machine, now: machine.opened(now),
    "cut": lambda machine, now: machine.closed(_CUT, now),
    "hint": lambda machine, now: machine.hint(now),
    "tick": lambda machine, now: machine.tick(now),
    "stop": lambda machine, now: machine.stop(now),
}


def do(machine: Machine, name: str, given: Mapping[str, object], now: int) -> list[Output]:
    """Do what a step says: an input of the machine, or an ask.

    Raises:
        msgspec.ValidationError: there is no such ask, or its arguments are wrong.
    """
    if name in _INPUTS:
        return _INPUTS[name](machine, now)
    if name == "closed":
        return machine.closed(msgspec.convert(given["code"], int), now)
    return machine.ask(msgspec.convert({"ask": name, **given}, Ask), now)
