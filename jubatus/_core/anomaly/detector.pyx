"""The contract of a method of telling outliers.

Both methods compute the local outlier factor (Breunig et al. 2000): the density around a point compared with that around
its nearest neighbours. It is about 1 inside a cluster, and higher for an outlier.
"""

from libcpp.string cimport string

from jubatus._core.convert.workspace cimport REFUSED
from jubatus._core.kernels.names cimport Names
from jubatus._core.similar.method cimport RowsWorkspace


cdef class AnomalyWorkspace(RowsWorkspace):
    """The memory of a call.

    Attributes (C level):
        ids, stored: those of the points of add_bulk, and of those that were stored.
        id: of the row that the call is about.
        own, own_ranked: the neighbours of the row that was stored last, own_id, if `knows_own`.
        lists, ends: the neighbours of all rows that are computed again, and where those of each row end.
        given: a datum that is joined with its row.
        hash, norm: of the datum, while other rows are looked at.
        densities: of neighbours.
    """


cdef class Detector:
    """A method of telling outliers.

    Attributes (C level):
        ignores: whether a point is not stored where there are as many equal ones as count.
        ignored: how many points were not stored for that.
        updates: whether rows can be updated; otherwise they are only overwritten.
    """

    cdef list parts(self):
        """Return the parts as a model file nests them."""
        return []

    cdef int update(self, AnomalyWorkspace w, const string& id, double* score) noexcept nogil:
        """Give a row the values of w.vector, and say how far it lies out."""
        return REFUSED

    cdef int overwrite(self, AnomalyWorkspace w, const string& id, double* score) noexcept nogil:
        """Replace a row by w.vector, and say how far it lies out."""
        return REFUSED

    cdef int clear_row(self, AnomalyWorkspace w, const string& id) noexcept nogil:
        """Remove a row."""
        return REFUSED

    cdef int score_vector(self, AnomalyWorkspace w, double* score) noexcept nogil:
        """Say how far w.vector lies out; nothing is stored."""
        return REFUSED

    cdef int add_to_bulk(self, AnomalyWorkspace w, const string& id, Names& changed) noexcept nogil:
        """Store one of several points. What is computed again for all of them is collected in `changed`."""
        return REFUSED

    cdef int finish_bulk(self, AnomalyWorkspace w, Names& changed) noexcept nogil:
        """Finish what add_to_bulk began; w.stored are then the ids of the points that were stored."""
        return REFUSED

    cdef void list_rows(self, AnomalyWorkspace w) noexcept nogil:
        """Put all rows into w.found, without scores."""
        w.found.clear()

    cdef bint is_large(self) noexcept:
        """Return whether there are so many rows that a search takes long."""
        return False

    cpdef dict status(self):
        """Return the entries of get_status."""
        return {"num_ignored": str(self.ignored)} if self.ignores else {}
