"""The operator's log gets each kind of trouble at most once a minute, and no text of anybody's."""

from __future__ import annotations

import logging

import anyio
import pytest

from roomkit.errors import StoreError
from roomkit.runtime.complaints import Complaints


def raised(error: Exception) -> Exception:
    """The exception, as it is when it has been raised and caught."""
    try:
        raise error
    except type(error) as caught:
        return caught


async def test_an_exception_is_told_by_its_type_and_place(caplog: pytest.LogCaptureFixture) -> None:
    Complaints().warn("store load", "the store's load() failed", raised(ValueError("hi alice")))
    (record,) = caplog.records
    assert (record.name, record.levelno) == ("roomkit", logging.WARNING)
    first, *_, last = record.getMessage().splitlines()
    assert (first, last) == ("the store's load() failed", "ValueError")
    assert "in raised" in record.getMessage()
    assert "alice" not in record.getMessage()


async def test_an_error_written_for_operators_is_told_in_full(
    caplog: pytest.LogCaptureFixture,
) -> None:
    Complaints().bug("store", "saving failed", StoreError("the disk is full: make room"))
    (record,) = caplog.records
    assert record.levelno == logging.ERROR
    assert record.getMessage() == "saving failed\nStoreError: the disk is full: make room"


async def test_repeats_within_a_minute_are_counted_and_told_later(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    complaints, now = Complaints(), 100.0
    monkeypatch.setattr(anyio, "current_time", lambda: now)
    for _ in range(3):
        complaints.warn("feed", "the feed failed")
    complaints.warn("append", "an append failed")
    now = 160.0
    for _ in range(2):
        complaints.warn("feed", "the feed failed")
    assert [record.getMessage() for record in caplog.records] == [
        "the feed failed",
        "an append failed",
        "the feed failed (2 more like it since the last such line)",
    ]
