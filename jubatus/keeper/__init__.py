"""Keepers: they forward the calls of clients to the servers of a cluster."""
