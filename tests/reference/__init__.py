"""Slow twins of the compiled core, written from the description of the original and sharing no code with the core."""
