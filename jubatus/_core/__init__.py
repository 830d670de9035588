"""The compiled core: bytes to values, values to features, features to models. Knows no sockets."""
