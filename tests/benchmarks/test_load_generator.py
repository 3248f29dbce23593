"""The load counts and times copies however the bytes are cut into reads."""

import socket
import sys
import threading

import pytest

from benchmarks.load_generator.dialect import DIGITS, MARK, Dialect, numbered
from benchmarks.load_generator.watch import Count, Ledger, Watch

TWO = b'\x81\x7e\x01\x00{"message":"^^00000000 hello"}\x81\x7e\x01\x00{"message":"^^00000001 bob"}'
CUTS = range(1, len(TWO))


def whole_and_parts(cut: int) -> tuple[bytes, bytes]:
    return TWO[:cut], TWO[cut:]


@pytest.mark.parametrize("cut", CUTS)
def test_a_copy_is_timed_once_wherever_it_is_cut(cut: int) -> None:
    ledger, own = Ledger(), list[int]()
    ledger.note(author=7, at=10.0)
    ledger.note(author=8, at=11.0)
    watch = Watch(7, ledger, own.append)
    for part in whole_and_parts(cut):
        watch.read(part, 13.0)
    assert (ledger.latencies, own) == ([3.0, 2.0], [7])


@pytest.mark.parametrize("cut", CUTS)
def test_a_copy_is_counted_once_wherever_it_is_cut(cut: int) -> None:
    wholes = list[int]()
    count = Count(7, 2, wholes.append)
    for part in whole_and_parts(cut):
        count.read(part, 13.0)
    assert wholes == [7]


def test_a_number_takes_the_place_of_the_one_before() -> None:
    frame = bytearray(TWO)
    numbered(frame, frame.index(MARK) + len(MARK), 12_345)
    assert bytes(frame) == TWO.replace(b"0" * DIGITS, b"00012345", 1)


@pytest.mark.socket
@pytest.mark.skipif(sys.platform != "linux", reason="the crowd stands on epoll")
def test_a_mark_in_two_reads_is_one_copy() -> None:
    from benchmarks.load_generator.crowd import Crowd, Place

    first_was_read = threading.Event()

    def serve(listening: socket.socket) -> None:
        connection, _ = listening.accept()
        with connection:
            connection.recv(4096)
            connection.sendall(b"HTTP/1.1 101 \r\n\r\n")
            assert first_was_asked.wait(10)
            connection.sendall(b"^^1 one ^")
            assert first_was_read.wait(10)
            connection.sendall(b"^2 two ^^3 three")
            connection.recv(4096)

    first_was_asked = threading.Event()
    silent = Dialect("/", lambda name, room: [], lambda name, room, text: b"")
    with socket.create_server(("127.0.0.1", 0)) as listening:
        server = threading.Thread(target=serve, args=(listening,))
        server.start()
        crowd = Crowd(listening.getsockname()[1], silent)
        crowd.arrive([Place("alice", "lobby")])
        first_was_asked.set()
        first = crowd.read(10)
        first_was_read.set()
        rest = crowd.read(10)
        crowd.close()
        server.join()
    assert (first, rest, crowd.copies) == (1, 2, 3)
