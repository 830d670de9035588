"""Storage of rows: as they were given, and by the features that they share."""
