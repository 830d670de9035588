from jubatus._core.convert.program cimport Sample
from jubatus._core.convert.workspace cimport Conversion
from jubatus._core.kernels.bytes cimport Span


cdef int split_by_plugin(Conversion* w, void* plugin, Span value, Sample sample) noexcept nogil
cdef int filter_string_by_plugin(Conversion* w, void* plugin, Span value, Span* result) noexcept nogil
cdef int filter_number_by_plugin(Conversion* w, void* plugin, double value, double* result) noexcept nogil
cdef int number_features(Conversion* w, void* plugin, Span key, Span type, double value) noexcept nogil
cdef int binary_features(Conversion* w, void* plugin, Span key, Span type, Span value) noexcept nogil
cdef int combination_features(Conversion* w, void* plugin, Span key, double left, double right) noexcept nogil
