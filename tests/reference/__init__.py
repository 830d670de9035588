"""Slow twins of the compiled core, written from the description of the original and sharing no code with the core."""


class Refusal(Exception):
    """A slow model refuses a call; where the other one raises ModelError, its text begins alike."""
