"""The only thing that knows JSON: frames to commands, events to frames, under one set of limits."""

from __future__ import annotations

from collections.abc import Sequence

from roomkit.core.commands import Command, Hello
from roomkit.core.events import Event, Welcomed
from roomkit.ids import ConnectionId
from roomkit.limits import Limits
from roomkit.wire.decoding import decode
from roomkit.wire.encoding import encode_event, encode_welcome
from roomkit.wire.legacy_encoding import encode_legacy

__all__ = ["Codec"]


class Codec:
    """Translates both protocols. It holds nothing but its limits, so one serves a whole hub."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits

    def decode(self, frame: str | bytes, protocol: int) -> Hello | Command:
        """Return what a client's frame asks for; names and texts in it are judged by the engine.

        Args:
            frame: one websocket message: `str` for text, `bytes` for binary.
            protocol: 1 or 2; 0 for the first frame, which decides it: 2 after a `Hello`, else 1.

        Raises:
            WireError: the frame asks for nothing this connection may ask for.
        """
        return decode(frame, self._limits, protocol)

    def encode(self, event: Event, protocol: int) -> tuple[bytes, ...]:
        """Return the frames that tell an event, in order: one in protocol 2, any number in 1.

        Raises:
            TypeError: for `Welcomed` in protocol 2; see `encode_welcome`.
        """
        if protocol == 1:
            return encode_legacy(event, self._limits)
        return (encode_event(event, self._limits),)

    def encode_welcome(
        self,
        event: Welcomed,
        *,
        connection_id: ConnectionId,
        session_token: str,
        guest_token: str | None,
        durability: str,
        features: Sequence[str],
    ) -> bytes:
        """Return the `welcome` frame: the event, the limits, and the secrets no event holds.

        Args:
            session_token: the signed form of `event.session`.
            guest_token: the signed form of the guest's id; None for a user the host vouches for.
            durability: the store's.
            features: those asked for in `hello` that this server has.
        """
        return encode_welcome(
            event,
            connection_id=connection_id,
            session_token=session_token,
            guest_token=guest_token,
            durability=durability,
            limits=self._limits,
            features=features,
        )
