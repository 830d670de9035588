// Weighted points: what clustering stores, and the arrays that its numerics are given.
#pragma once
#include <algorithm>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "kernels/bytes.h"

namespace jubatus {

// What does not change about a point, shared by all lists that it is in. `features` and `datum` are packed as in a model
// file: [[name, value], ...] by ascending name, and the datum in its three lists.
struct Content {
    std::string id, features, datum;
};

struct Point {
    std::shared_ptr<const Content> content;
    double weight;
};

typedef std::vector<Point> Points;
typedef std::vector<const Points*> Lists;

inline Cursor cursor_of(const std::string& packed) {
    const uint8_t* start = reinterpret_cast<const uint8_t*>(packed.data());
    return {start, start + packed.size()};
}

inline std::string text_of(const Buffer& packed) {
    return std::string(reinterpret_cast<const char*>(packed.data), packed.size);
}

inline Point make_point(std::string id, double weight, const Buffer& features, const Buffer& datum) {
    return {std::make_shared<Content>(Content{std::move(id), text_of(features), text_of(datum)}), weight};
}

// Reads pairs of a name and a text or a number, and writes them as 1.1 does. `out` may be null.
inline int copy_pairs(Cursor& c, bool numbers, Buffer* out) {
    uint32_t pairs = 0;
    int status = read_array(c, pairs);
    if (status) return status;
    if (out) out->array(pairs);
    for (; pairs; pairs--) {
        const char* p = nullptr;
        uint32_t n = 0;
        double number = 0;
        if ((status = read_pair(c)) || (status = read_raw(c, p, n))) return status;
        if (out) {
            out->array(2);
            out->raw(p, n);
        }
        if ((status = numbers ? read_double(c, number) : read_raw(c, p, n))) return status;
        if (out && numbers) out->number(number);
        if (out && !numbers) out->raw(p, n);
    }
    return OK;
}

// Reads a datum and writes it whole: a missing list is empty, further ones are left out.
inline int copy_datum(Cursor& c, Buffer* out) {
    uint32_t lists = 0, i;
    int status = read_array(c, lists);
    if (status) return status;
    if (out) out->array(3);
    for (i = 0; i < lists; i++)
        if ((status = i < 3 ? copy_pairs(c, i == 1, out) : skip(c))) return status;
    for (; i < 3 && out; i++) out->array(0);
    return OK;
}

// Reads [id, weight, features, datum]; `point` may be null, then it is only stepped over.
inline int read_point(Cursor& c, Point* point) {
    uint32_t more = 0, n = 0;
    const char* p = nullptr;
    double weight = 0;
    Buffer features, datum;
    int status = open_struct(c, 4, more);
    if (status || (status = read_raw(c, p, n)) || (status = read_double(c, weight)) ||
        (status = copy_pairs(c, true, point ? &features : nullptr)) ||
        (status = copy_datum(c, point ? &datum : nullptr)) || (status = close_struct(c, more)))
        return status;
    if (point) *point = make_point(std::string(p, n), weight, features, datum);
    return OK;
}

inline int read_points(Cursor& c, Points* points) {
    uint32_t n = 0;
    int status = read_array(c, n);
    for (; n && status == OK; n--) {
        Point point{nullptr, 0};
        status = read_point(c, points ? &point : nullptr);
        if (points && status == OK) points->push_back(std::move(point));
    }
    return status;
}

inline void write_point(Buffer& out, const Point& point) {
    const Content& content = *point.content;
    out.array(4);
    out.raw(content.id.data(), content.id.size());
    out.number(point.weight);
    out.append(content.features.data(), content.features.size());
    out.append(content.datum.data(), content.datum.size());
}

inline void write_points(Buffer& out, const Points& points) {
    out.array(points.size());
    for (const Point& point : points) write_point(out, point);
}

// Points as arrays: the features of point i are those from starts[i] up to starts[i + 1]. A column is a name, numbered
// in the order of first appearance; ranks has its place among all names in ascending order.
struct Arrays {
    std::vector<int64_t> starts;
    std::vector<int32_t> columns, ranks;
    std::vector<double> values, weights;
    std::vector<std::string> names;

    void fill(const Lists& lists) {
        std::unordered_map<std::string_view, int32_t> known;
        starts.push_back(0);
        for (const Points* points : lists)
            for (const Point& point : *points) {
                Cursor c = cursor_of(point.content->features);
                uint32_t n = 0;
                read_array(c, n);
                for (; n; n--) {
                    const char* p = nullptr;
                    uint32_t size = 0;
                    double value = 0;
                    read_pair(c);
                    read_raw(c, p, size);
                    read_double(c, value);
                    auto found = known.try_emplace(std::string_view(p, size), int32_t(known.size()));
                    columns.push_back(found.first->second);
                    values.push_back(value);
                }
                starts.push_back(int64_t(columns.size()));
                weights.push_back(point.weight);
            }
        names.resize(known.size());
        for (const auto& [name, column] : known) names[column] = std::string(name);
        std::vector<int32_t> order(names.size());
        for (size_t i = 0; i < order.size(); i++) order[i] = int32_t(i);
        std::sort(order.begin(), order.end(), [&](int32_t a, int32_t b) { return names[a] < names[b]; });
        ranks.resize(order.size());
        for (size_t i = 0; i < order.size(); i++) ranks[order[i]] = int32_t(i);
    }
};

// What a server gave to a MIX, and its name.
struct Given {
    std::string name;
    Points points;
};

// A packed diff in pieces: the name of a server, and its points as they stand there.
struct Piece {
    std::string_view name;
    uint32_t count;
    const uint8_t *at, *end;
};

// Reads [[name, points], ...].
inline int read_pieces(Cursor& c, std::vector<Piece>& pieces) {
    uint32_t n = 0;
    int status = read_array(c, n);
    for (; n && status == OK; n--) {
        Piece piece{{}, 0, nullptr, nullptr};
        const char* p = nullptr;
        uint32_t size = 0;
        if ((status = read_pair(c)) || (status = read_raw(c, p, size)) || (status = read_array(c, piece.count))) break;
        piece.name = std::string_view(p, size);
        piece.at = c.at;
        for (uint32_t i = 0; i < piece.count && status == OK; i++) status = read_point(c, nullptr);
        piece.end = c.at;
        pieces.push_back(piece);
    }
    return status;
}

// Joins diffs: one list for each name, by ascending name.
inline void join_pieces(std::vector<Piece>& pieces, Buffer& out) {
    std::stable_sort(pieces.begin(), pieces.end(), [](const Piece& a, const Piece& b) { return a.name < b.name; });
    size_t names = 0;
    for (size_t i = 0; i < pieces.size(); i++) names += i == 0 || pieces[i].name != pieces[i - 1].name;
    out.array(names);
    for (size_t i = 0, j; i < pieces.size(); i = j) {
        size_t count = 0;
        for (j = i; j < pieces.size() && pieces[j].name == pieces[i].name; j++) count += pieces[j].count;
        out.array(2);
        out.raw(pieces[i].name.data(), pieces[i].name.size());
        out.array(count);
        for (; i < j; i++) out.append(pieces[i].at, pieces[i].end - pieces[i].at);
    }
}

// The first `count` of the indexes, by descending distance. Equal distances are in the order in which the original's
// partial sort leaves them.
inline void put_farthest_first(std::vector<int64_t>& indexes, const double* distances, size_t count) {
    std::partial_sort(indexes.begin(), indexes.begin() + std::min(count, indexes.size()), indexes.end(),
                      [=](int64_t a, int64_t b) { return distances[a] > distances[b]; });
    indexes.resize(std::min(count, indexes.size()));
}

}  // namespace jubatus
