"""MIX: how the servers of a cluster bring their models together."""
