"""A chat client."""
