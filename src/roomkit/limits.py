"""Every limit and period in one frozen value, checked once when it is made.

Names end in their unit: `_ms` milliseconds, `_bytes`, `_chars` (Unicode code points), `_per_s`. All
are whole numbers, are sent to protocol-2 clients in `welcome`, and can be set from the environment
as `ROOMKIT_` plus the upper-case name (see `roomkit.settings`). Defaults are the protocol page's
numbers.
"""

from __future__ import annotations

import msgspec

__all__ = ["Limits"]

_MIB = 1024 * 1024
_KIB = 1024
_HOUR_MS = 3_600_000
_DAY_MS = 24 * _HOUR_MS

_ORDERED = (
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
)


class Limits(msgspec.Struct, frozen=True, kw_only=True):
    """What one hub allows and how long it waits. Every field is 1 or more.

    Raises:
        ValueError: a field is below 1, above 2^53 - 1, or contradicts another (the message names
            both).
    """

    # Frames and fields
    frame_bytes: int = 64 * _KIB
    frame_close_bytes: int = 256 * _KIB
    frame_depth: int = 64
    message_chars: int = 4_000
    room_name_chars: int = 128
    username_chars: int = 64
    ref_chars: int = 64
    idempotency_key_chars: int = 64
    reply_to_chars: int = 64
    signal_name_chars: int = 64
    reason_chars: int = 256
    meta_bytes: int = 512
    meta_depth: int = 4
    signal_bytes: int = 4 * _KIB

    # Connections and sessions
    rooms_per_connection: int = 100
    connections_per_user: int = 10
    handshake_ms: int = 10_000
    silent_ms: int = 600_000
    heartbeat_ms: int = 25_000
    pong_ms: int = 10_000
    websocket_ping_ms: int = 20_000
    presence_grace_ms: int = 15_000
    outbox_soft_bytes: int = 256 * _KIB
    outbox_hard_bytes: int = 1 * _MIB
    close_ms: int = 5_000
    drain_jitter_ms: int = 5_000

    # Pacing
    frames_per_s: int = 20
    frames_burst: int = 200
    frames_refused: int = 100
    messages_per_s: int = 5
    messages_burst: int = 10
    joins_per_s: int = 1
    joins_burst: int = 20
    waiting_per_room: int = 1_000
    waiting_per_node: int = 10_000
    unanswered_ms: int = 10_000

    # History, resume and the log
    history_on_join: int = 20
    history_window: int = 50
    history_page: int = 50
    history_page_max: int = 200
    page_bytes: int = 256 * _KIB
    snapshot_bytes: int = 128 * _KIB
    replay_entries: int = 500
    replay_bytes: int = 256 * _KIB
    log_entries: int = 1_000
    log_age_ms: int = 7 * _DAY_MS
    snapshot_every: int = 256
    idempotency_ms: int = _HOUR_MS
    forget_ms: int = 60_000

    # Presence and typing
    roster_limit: int = 200
    roster_return: int = 150
    roster_return_ms: int = 10_000
    occupancy_ms: int = 3_000
    typing_resend_ms: int = 3_000
    typing_expiry_ms: int = 6_000
    typing_names: int = 20
    lease_ms: int = 45_000
    lease_renew_ms: int = 15_000

    # Following the store
    tips_ms: int = 5_000
    tips_idle_ms: int = 30_000
    behind_limit: int = 8
    retry_base_ms: int = 50
    retry_cap_ms: int = 2_000

    def __post_init__(self) -> None:
        for name in self.__struct_fields__:
            value = getattr(self, name)
            if not 1 <= value < 2**53:
                raise ValueError(f"{name} must be from 1 to 2^53 - 1, not {value}")
        for lower, upper in _ORDERED:
            low, high = getattr(self, lower), getattr(self, upper)
            if low > high:
                raise ValueError(
                    f"{lower} ({low}) must not be more than {upper} ({high}): change one of them"
                )
