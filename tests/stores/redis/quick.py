"""Limits under which a dead node is noticed within seconds."""

import msgspec

from roomkit import Limits

__all__ = ["CROWDED", "QUICK", "SECRET"]

SECRET = "correct horse battery staple"
QUICK = Limits(
    lease_ms=2_000, lease_renew_ms=500, presence_grace_ms=1_000, tips_ms=500, tips_idle_ms=1_000,
    messages_per_s=1_000, messages_burst=1_000,
)  # fmt: skip
CROWDED = msgspec.structs.replace(
    QUICK, rooms_per_connection=1_000, joins_per_s=1_000, joins_burst=1_000, frames_burst=1_000,
)  # fmt: skip
"""The same, and one person may be in very many rooms."""
