from jubatus._core.similar.method cimport SimilarRows


cdef SimilarRows make_similar_rows(name, parameter, path, context=*)
