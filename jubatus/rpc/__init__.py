"""MessagePack-RPC."""
