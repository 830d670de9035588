"""From a packed datum to its sparse vector."""
