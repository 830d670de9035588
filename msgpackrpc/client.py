"""The client, where programs look for it."""

from jubatus.rpc.client import Client

__all__ = ["Client"]
