"""The process agent: it starts, watches and stops the servers of its machine."""
