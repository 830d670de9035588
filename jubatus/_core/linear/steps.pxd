# How far each linear method moves its weights: one small function a method. The symbols are those of the papers; C is a
# float32 and some terms with it are rounded to float32, as in 1.1.
#
# - perceptron: Rosenblatt, 1958.
# - PA, PA1, PA2: Crammer, Dekel, Keshet, Shalev-Shwartz, Singer, "Online Passive-Aggressive Algorithms", JMLR 2006.
# - CW: Dredze, Crammer, Pereira, "Confidence-Weighted Linear Classification", ICML 2008.
# - AROW: Crammer, Kulesza, Dredze, "Adaptive Regularization of Weight Vectors", NIPS 2009.
# - NHERD: Crammer, Lee, "Learning via Gaussian Herding", NIPS 2010.
from libc.math cimport sqrt


cdef enum LinearMethod:
    PERCEPTRON, PA, PA1, PA2, CW, AROW, NHERD


cdef struct Cell:
    double weight
    double covariance


cdef struct Adaptation:
    # What CW, AROW and NHERD do to each cell of an example.
    LinearMethod method
    double rate, shrink, scale


cdef inline double step_pa(double loss, double norm) noexcept nogil:
    return loss / norm


cdef inline double step_pa1(double loss, double norm, double c) noexcept nogil:
    cdef double step = loss / norm
    return step if step < c else c


cdef inline double step_pa2(double loss, double norm, float c) noexcept nogil:
    cdef float twice = 2 * c
    return loss / (norm + <float>(<float>1.0 / twice))


cdef inline double gamma_cw(double margin, double variance, float c) noexcept nogil:
    """Gamma times 4 C V; an example with a value of 0 or less needs no update."""
    cdef float twice = 2 * c, eight_times = 8 * c
    cdef double b = 1.0 + twice * margin
    return -b + sqrt(b * b - eight_times * (margin - c * variance))


cdef inline Adaptation adapt_cw(double gamma, double variance, float c) noexcept nogil:
    """What a gamma of gamma_cw does to each cell."""
    cdef Adaptation a
    cdef float four_times = 4 * c
    a.method, a.rate, a.shrink, a.scale = CW, gamma / (four_times * variance), 0.0, c
    return a


cdef inline Adaptation adapt_arow(double loss, double variance, float c) noexcept nogil:
    cdef Adaptation a
    cdef double beta = 1.0 / (variance + 1.0 / c)
    a.method, a.rate, a.shrink, a.scale = AROW, loss * beta, beta, 0.0
    return a


cdef inline Adaptation adapt_nherd(double loss, double variance, float c) noexcept nogil:
    cdef Adaptation a
    cdef float twice = 2 * c, squared = c * c
    a.method, a.rate, a.shrink, a.scale = NHERD, loss, twice + squared * variance, variance + 1.0 / c
    return a


cdef inline void adapt_cell(const Adaptation* a, double x, double sign, Cell* cell) noexcept nogil:
    """Move the weight of a cell by the feature's value x, up or down by the sign, and make the cell surer."""
    cdef double v = cell.covariance
    if a.method == CW:
        cell.weight += sign * (a.rate * v * x)
        cell.covariance = 1.0 / (1.0 / v + 2 * a.rate * x * x * a.scale)
    elif a.method == AROW:
        cell.weight += sign * (a.rate * v * x)
        cell.covariance = v - a.shrink * v * v * x * x
    else:
        cell.weight += sign * (a.rate * (x * v) / a.scale)
        cell.covariance = 1.0 / (1.0 / v + a.shrink * x * x)
