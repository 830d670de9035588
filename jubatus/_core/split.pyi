"""Cutting the value of a string into tokens."""
