"""Limits that contradict each other, or themselves, are refused by name."""

import msgspec
import pytest

from roomkit.limits import Limits

FIELDS = Limits.__struct_fields__
ORDERED = [
    ("frame_bytes", "frame_close_bytes"),
    ("message_chars", "frame_bytes"),
    ("history_on_join", "history_window"),
    ("history_page", "history_page_max"),
    ("roster_return", "roster_limit"),
    ("outbox_soft_bytes", "outbox_hard_bytes"),
    ("snapshot_bytes", "outbox_hard_bytes"),
    ("lease_renew_ms", "lease_ms"),
    ("typing_resend_ms", "typing_expiry_ms"),
    ("retry_base_ms", "retry_cap_ms"),
    ("tips_ms", "tips_idle_ms"),
    ("snapshot_every", "log_entries"),
]


def test_the_defaults_are_the_protocols_numbers() -> None:
    limits = Limits()
    kib = 1024
    assert (limits.frame_bytes, limits.frame_close_bytes) == (64 * kib, 256 * kib)
    assert (limits.message_chars, limits.room_name_chars, limits.username_chars) == (4000, 128, 64)
    assert (limits.rooms_per_connection, limits.connections_per_user) == (100, 10)
    assert (limits.history_on_join, limits.history_window) == (20, 50)
    assert (limits.history_page, limits.history_page_max) == (50, 200)
    assert (limits.page_bytes, limits.replay_bytes) == (256 * kib, 256 * kib)
    assert (limits.replay_entries, limits.snapshot_bytes) == (500, 128 * kib)
    assert (limits.log_entries, limits.log_age_ms) == (1000, 7 * 24 * 3_600_000)
    assert (limits.presence_grace_ms, limits.lease_ms, limits.lease_renew_ms) == (
        15_000,
        45_000,
        15_000,
    )
    assert (limits.roster_limit, limits.roster_return, limits.roster_return_ms) == (
        200,
        150,
        10_000,
    )
    assert (limits.typing_resend_ms, limits.typing_expiry_ms) == (3_000, 6_000)
    assert (limits.heartbeat_ms, limits.pong_ms, limits.handshake_ms) == (25_000, 10_000, 10_000)
    assert limits.silent_ms == 600_000
    assert (limits.outbox_soft_bytes, limits.outbox_hard_bytes) == (256 * kib, 1024 * kib)
    assert limits.close_ms == 5_000
    assert (limits.frames_per_s, limits.frames_burst, limits.frames_refused) == (20, 200, 100)
    assert (limits.messages_per_s, limits.messages_burst) == (5, 10)
    assert (limits.joins_per_s, limits.joins_burst) == (1, 20)
    assert (limits.waiting_per_room, limits.waiting_per_node) == (1_000, 10_000)
    assert (limits.unanswered_ms, limits.idempotency_ms) == (10_000, 3_600_000)
    assert (limits.meta_bytes, limits.meta_depth, limits.signal_bytes) == (512, 4, 4 * kib)
    assert (limits.ref_chars, limits.idempotency_key_chars) == (64, 64)


@pytest.mark.parametrize("name", FIELDS)
@pytest.mark.parametrize("value", [0, -1, 2**53])
def test_a_value_out_of_range_is_refused_by_name(name: str, value: int) -> None:
    with pytest.raises(ValueError, match=f"^{name} must be from 1 to 2.53 - 1, not {value}$"):
        Limits(**{name: value})


@pytest.mark.parametrize(("lower", "upper"), ORDERED)
def test_two_values_that_contradict_each_other_are_both_named(lower: str, upper: str) -> None:
    defaults = msgspec.structs.asdict(Limits())
    below = defaults[lower] - 1
    with pytest.raises(ValueError, match=f"^{lower} .* must not be more than {upper} .*change one"):
        Limits(**{"outbox_soft_bytes": 1, lower: defaults[lower], upper: below})


@pytest.mark.parametrize(("lower", "upper"), [pair for pair in ORDERED if "bytes" not in pair[1]])
def test_two_values_may_be_equal(lower: str, upper: str) -> None:
    value = getattr(Limits(), upper)
    assert getattr(Limits(**{lower: value}), lower) == value


def test_limits_cannot_be_changed() -> None:
    with pytest.raises(AttributeError):
        Limits().frame_bytes = 1  # type: ignore[misc]  # what the test is about
