cdef bytes joined(list joints, diffs, bint raw)
