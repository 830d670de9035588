"""What all programs share that run until a signal ends them: settings, a port, a log, and how they start and end."""
