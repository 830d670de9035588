"""MIX without a stop: copies of diffs, mixed diffs on their way in, and the kinds of parts that models are made of."""
