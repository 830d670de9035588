"""What every program that runs until a signal ends it has: addresses, a port, a log, the background, the end."""
