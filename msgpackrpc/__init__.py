"""The part of the package msgpack-rpc-python that programs for Jubatus use."""

from jubatus.rpc.client import Address, Client, Future
from msgpackrpc import client, error

__all__ = ["Address", "Client", "Future", "client", "error"]
