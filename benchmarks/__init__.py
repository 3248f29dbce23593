"""Measurements anyone can repeat: `scripts/bench`. Nothing here is a test, and no test is timed."""
