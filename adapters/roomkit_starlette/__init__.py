"""roomkit in a Starlette or FastAPI application: a websocket endpoint and HTTP routes."""

try:
    from roomkit_starlette.endpoint import chat_endpoint
    from roomkit_starlette.routes import chat_routes
except ModuleNotFoundError as error:
    if (error.name or "").partition(".")[0] != "starlette":
        raise
    raise ImportError(
        "roomkit_starlette needs Starlette: pip install 'roomkit-chat[starlette]'"
    ) from error

__all__ = ["chat_endpoint", "chat_routes"]
