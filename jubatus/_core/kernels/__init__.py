"""Header-only kernels in C++: bytes, hashes, tables. They have no name of the domain."""
