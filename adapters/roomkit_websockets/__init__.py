"""roomkit on the `websockets` library: `await serve(hub, host, port)`, on asyncio and trio."""

try:
    from roomkit_websockets.server import listen, serve
except ModuleNotFoundError as error:
    if (error.name or "").partition(".")[0] != "websockets":
        raise
    raise ImportError(
        "roomkit_websockets needs the websockets library: pip install 'roomkit-chat[websockets]'"
    ) from error

__all__ = ["listen", "serve"]
