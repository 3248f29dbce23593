"""roomkit in a ZestAPI application: one call mounts it, and ZestAPI's own tokens say who is who."""

try:
    from roomkit_zestapi.mount import mount_chat
    from roomkit_zestapi.users import zestapi_users
except ModuleNotFoundError as error:
    if (error.name or "").partition(".")[0] not in ("jose", "starlette", "zestapi"):
        raise
    raise ImportError(
        "roomkit_zestapi needs ZestAPI: pip install 'roomkit-chat[zestapi]'"
    ) from error

__all__ = ["mount_chat", "zestapi_users"]
