"""Many connections to one server, read by one loop that does nothing but read and count.

A read costs about three microseconds. Nothing is parsed and nothing is kept, but of the few
connections that are watched. Linux only: it stands on epoll.
"""

from __future__ import annotations

import os
import select
import socket
import time
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from benchmarks.load_generator.dialect import HALF, MARK, Dialect, Step
from benchmarks.load_generator.watch import Ledger, Listener, Watch

__all__ = ["Crowd", "LoadError", "Place"]

_BUFFER = 256 * 1024
_AT_ONCE = 64
"""Connections read before the loop looks at its clock again."""

_ARRIVING = 64
"""Connections that open at one time. The server is busy and its queue stays short."""

_PER_SOURCE = 4000
"""Connections from one source address, so that finding a free port never takes long."""

_PATIENCE_S = 60.0
_BIND_ADDRESS_NO_PORT = 24  # Linux: the port is chosen by connect, which knows the other end


class LoadError(Exception):
    """The server did not do what every server here must."""


class Place(NamedTuple):
    """Who joins, and where."""

    name: str
    room: str


@dataclass
class _Arrival:
    """A connection on its way into its room."""

    socket: socket.socket
    steps: Iterator[Step]
    begun: float
    answer: bytes = b""
    heard: bytearray = field(default_factory=bytearray)


class Crowd:
    """All connections of one run.

    Args:
        ports: of the nodes, which they go to in turns; most servers are one.

    Attributes:
        copies: messages read by all of them, each by each.
        reads: reads that brought something.
        connections: their descriptors, in the order of the places.
        own: connections whose own message came back, to be taken by whoever sends.
    """

    def __init__(self, ports: int | Sequence[int], dialect: Dialect) -> None:
        self.copies = 0
        self.reads = 0
        self.connections: list[int] = []
        self.own: deque[int] = deque()
        self.ledger = Ledger()
        self._ports = [ports] if isinstance(ports, int) else ports
        self._dialect = dialect
        self._epoll = select.epoll()
        self._sockets: dict[int, socket.socket] = {}
        self._watched: dict[int, Listener] = {}
        self._halves: set[int] = set()
        self._unsent: dict[int, bytes] = {}
        self._buffer = bytearray(_BUFFER)

    def arrive(self, places: Sequence[Place], at_once: int = _ARRIVING) -> list[float]:
        """Connect and join all of them, and return the seconds each took, in no order.

        Raises:
            LoadError: somebody was refused, or nothing moved for a minute.
        """
        waiting = deque(places)
        arriving: dict[int, _Arrival] = {}
        took: list[float] = []
        while waiting or arriving:
            while waiting and len(arriving) < at_once:
                departed = self._depart(waiting.popleft())
                arriving[departed.socket.fileno()] = departed
            ready = self._epoll.poll(_PATIENCE_S, _AT_ONCE)
            if not ready:
                raise LoadError(f"{len(arriving)} clients were not let in within {_PATIENCE_S} s")
            for descriptor, events in ready:
                arrival = arriving.get(descriptor)
                if arrival is None:
                    self._skip(descriptor)
                elif self._advance(arrival, events):
                    took.append(time.perf_counter() - arrival.begun)
                    del arriving[descriptor]
        return took

    def watch(self, connection: int) -> None:
        """Tell apart what this connection is sent from now on."""
        self.listen(connection, Watch(connection, self.ledger, self.own.append))

    def listen(self, connection: int, listener: Listener) -> None:
        """Show all that this connection reads from now on to somebody, and to nobody else."""
        self._watched[connection] = listener

    def stop_reading(self, connection: int) -> None:
        """Never read this connection again: a phone in a tunnel."""
        self._epoll.unregister(connection)

    def send(self, connection: int, data: bytes | bytearray) -> None:
        """Send, or keep for later what the socket does not take now."""
        if connection in self._unsent:
            self._unsent[connection] += data
            return
        try:
            written = os.write(connection, data)
        except BlockingIOError:
            written = 0
        if written < len(data):
            self._unsent[connection] = bytes(data[written:])
            self._epoll.modify(connection, select.EPOLLIN | select.EPOLLOUT)

    def ask(self, connection: int, data: bytes, answer: bytes) -> None:
        """Send, and read until the answer is there. Only before anybody talks.

        Raises:
            LoadError: it did not come within a minute.
        """
        self.send(connection, data)
        heard = bytearray()
        until = time.perf_counter() + _PATIENCE_S
        while answer not in heard:
            for descriptor, _ in self._epoll.poll(1.0, _AT_ONCE):
                read = os.read(descriptor, _BUFFER)
                if descriptor == connection:
                    heard += read
            if time.perf_counter() > until:
                raise LoadError(f"no answer with {answer!r} came within {_PATIENCE_S:g} s")

    def read(self, timeout: float) -> int:
        """Wait for something and read it; return how many copies came.

        Raises:
            LoadError: the server ended a connection.
        """
        copies = 0
        buffer, halves, watched = self._buffer, self._halves, self._watched
        buffers, count, readv = [buffer], buffer.count, os.readv
        ready = self._epoll.poll(timeout, _AT_ONCE)
        for descriptor, events in ready:
            if events & select.EPOLLOUT:
                self._send_rest(descriptor)
                continue
            try:
                size = readv(descriptor, buffers)
            except ConnectionError:
                size = 0
            if not size:
                raise LoadError("the server ended a connection in the middle of a run")
            copies += count(MARK, 0, size)
            last = buffer[size - 1]
            if last == HALF or halves:
                copies += self._halved(descriptor, buffer[0], last)
            if descriptor in watched:
                watched[descriptor].read(bytes(buffer[:size]), time.perf_counter())
        self.reads += len(ready)
        self.copies += copies
        return copies

    def close(self) -> None:
        """Cut every connection."""
        for each in self._sockets.values():
            each.close()
        self._sockets.clear()
        self._epoll.close()

    def _halved(self, descriptor: int, first: int, last: int) -> bool:
        """Whether a mark was cut in two by the read before; note one that is cut by this one."""
        whole = first == HALF and descriptor in self._halves
        self._halves.discard(descriptor)
        if last == HALF:
            self._halves.add(descriptor)
        return whole

    def _send_rest(self, descriptor: int) -> None:
        data = self._unsent.pop(descriptor)
        self._epoll.modify(descriptor, select.EPOLLIN)
        self.send(descriptor, data)

    def _skip(self, descriptor: int) -> None:
        """Read what somebody who is in already is told of those who come."""
        if not os.readv(descriptor, [self._buffer]):
            raise LoadError("the server ended a connection while others arrived")

    def _depart(self, place: Place) -> _Arrival:
        port = self._ports[len(self._sockets) % len(self._ports)]
        one = socket.socket(socket.AF_INET, socket.SOCK_STREAM | socket.SOCK_NONBLOCK)
        one.setsockopt(socket.IPPROTO_IP, _BIND_ADDRESS_NO_PORT, 1)
        one.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        one.bind((f"127.0.0.{1 + len(self._sockets) // _PER_SOURCE}", 0))
        one.connect_ex(("127.0.0.1", port))
        steps = [self._dialect.opening(port), *self._dialect.arrival(place.name, place.room)]
        arrival = _Arrival(one, iter(steps), time.perf_counter())
        self._sockets[one.fileno()] = one
        self.connections.append(one.fileno())
        self._epoll.register(one, select.EPOLLOUT)
        return arrival

    def _advance(self, arrival: _Arrival, events: int) -> bool:
        """Go one step on if the answer is there; return whether it was the last."""
        descriptor = arrival.socket.fileno()
        if events & select.EPOLLOUT:
            if error := arrival.socket.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR):
                raise LoadError(f"could not connect: {os.strerror(error)}")
            self._epoll.modify(descriptor, select.EPOLLIN)
        else:
            data = os.read(descriptor, _BUFFER)
            arrival.heard += data
            if not data:
                heard = bytes(arrival.heard[-200:])
                raise LoadError(f"the server refused somebody; the last it said was {heard!r}")
            if arrival.answer not in arrival.heard:
                return False
            arrival.heard.clear()
        step = next(arrival.steps, None)
        if step is None:
            return True
        arrival.answer = step.answer
        self.send(descriptor, step.sent)
        return False
