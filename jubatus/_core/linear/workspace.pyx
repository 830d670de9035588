"""The memory that a call needs to learn from a vector."""

from jubatus._core.convert.workspace cimport Workspace


cdef class LinearWorkspace(Workspace):
    """The memory that a linear learner needs besides.

    Attributes (C level):
        rows: the row of each feature of the vector, or NONE; WeightTable.find_rows sets them.
        scores: of each label, by slot; WeightTable.score sets them.
        labels: room for the slots of the labels in result order, for Labels.in_order.
    """
