"""Methods of finding rows that are similar to a vector."""
