"""The laws of the store contract, a file for each part of it; `StoreSuite` is all of them.

A suite outside this project imports them as a library, so pytest has to be told, before any of them
is loaded, that their asserts should explain themselves.
"""

import pytest

__all__: list[str] = []

pytest.register_assert_rewrite(
    *(
        f"{__name__}.{part}"
        for part in (
            "appends",
            "archive",
            "feed",
            "keys",
            "leases",
            "model_runs",
            "pages",
            "reading",
            "refusals",
            "writing",
        )
    )
)
