"""The part of the package msgpack-rpc-python that programs for Jubatus use."""

from jubatus.rpc.client import Address, Client, Future
from msgpackrpc import error

__all__ = ["Address", "Client", "Future", "error"]
