"""The command `roomkit`, for those who run a hub: what its black box has to say."""

from roomkit.cli.main import main

__all__ = ["main"]
