"""What calls raise."""

from jubatus.rpc.client import RPCError, TimeoutError, TransportError

__all__ = ["RPCError", "TimeoutError", "TransportError"]
