"""Minutes and hours, on a clock that the test moves: only trio has one."""

from __future__ import annotations

import anyio
import pytest
from trio.testing import MockClock

from roomkit import Hub, Limits
from tests.runtime.scripted import ScriptedTransport, served


@pytest.fixture
def anyio_backend() -> tuple[str, dict[str, object]]:
    """A loop that jumps to the next deadline whenever it has nothing else to do."""
    return "trio", {"clock": MockClock(autojump_threshold=0)}


async def test_a_connection_that_never_says_anything_is_sent_away() -> None:
    silent = ScriptedTransport()
    async with Hub() as hub, served(hub, silent):
        assert await silent.over() == pytest.approx(600, abs=1)
        assert silent.closed is not None
        assert silent.closed[0] == 4000


async def test_a_protocol_2_connection_that_falls_silent_is_asked_and_given_up() -> None:
    quiet = ScriptedTransport()
    async with Hub() as hub, served(hub, quiet):
        quiet.say("hello", protocol=2, username="alice")
        assert await quiet.over() == pytest.approx(35, abs=1)
        assert quiet.types() == ["welcome", "ping"]
        assert quiet.closed is not None
        assert quiet.closed[0] == 4002


async def test_a_hook_has_its_whole_time() -> None:
    async def who(handshake: object) -> None:
        await anyio.sleep_until(anyio.current_time() + 9.9)

    nobody = ScriptedTransport()
    async with Hub(authenticate=who) as hub, served(hub, nobody):
        nobody.say("hello", protocol=2)
        assert await nobody.over() == pytest.approx(9.9, abs=0.1)
        assert nobody.closed == (4501, "unauthenticated")


async def test_a_close_that_hangs_is_aborted_after_its_time() -> None:
    stuck = ScriptedTransport()
    async with Hub() as hub, served(hub, stuck):
        stuck.stop_reading()
        stuck.refuse_to_close()
        stuck.say("hello", protocol=3)
        assert await stuck.over() == pytest.approx(5, abs=0.1)
        assert stuck.aborted


async def test_leaving_takes_no_longer_than_it_may() -> None:
    stuck = ScriptedTransport()
    async with anyio.create_task_group() as tasks:
        async with Hub(limits=Limits(close_ms=2_000)) as hub:
            tasks.start_soon(hub.serve, stuck)
            stuck.say("hello", protocol=2, username="alice")
            await stuck.data_of("welcome")
            stuck.stop_reading()
            stuck.refuse_to_close()
            begun = anyio.current_time()
        assert anyio.current_time() - begun == pytest.approx(2, abs=0.1)
