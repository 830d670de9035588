"""Regular expressions, over bytes and in bounded time."""
