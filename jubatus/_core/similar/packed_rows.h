// Rows that are known by a hash, as model files and diffs hold them. A value is `[bits, raw]`, with tables it is
// `[[key of a bucket, ...], [bits, raw], norm]`. A row of a diff that is removed has no bits, or no keys.
#pragma once
#include <cstdint>
#include <cstring>
#include <string>
#include <vector>

#include "kernels/bytes.h"
#include "rows/packed_names.h"
#include "similar/hashed_rows.h"

namespace jubatus::hashed {

inline void write_bits(Buffer& out, const Form& form, const uint64_t* value) {
    out.array(2);
    out.uint(value ? form.bits : 0);
    out.raw_head(value ? 8 * form.words : 0);
    for (size_t i = 0; value && i < form.words; i++) {
        uint8_t* to = out.reserve(8);
        for (int k = 0; k < 8; k++) to[k] = uint8_t(value[i] >> (56 - 8 * k));
        out.size += 8;
    }
}

// `value` is null for a row that is removed.
inline void write_value(Buffer& out, const Form& form, const uint64_t* value) {
    if (!form.tables) return write_bits(out, form, value);
    out.array(3);
    out.array(value ? form.tables : 0);
    for (size_t t = 0; value && t < form.tables; t++) out.uint(form.keys(value)[t]);
    write_bits(out, form, value);
    out.number(value ? form.norm(value) : 0.0);
}

// Reads bits, all zero if there are none in the string. `has_bits` tells whether they are there at all.
inline int read_bits(Cursor& c, const Form& form, uint64_t* value, bool& has_bits) {
    uint64_t bits = 0;
    uint32_t n = 0, more = 0;
    const char* p = nullptr;
    int status = open_struct(c, 2, more);
    if (status == OK) status = read_unsigned(c, bits);
    if (status == OK) status = read_raw(c, p, n);
    if (status == OK) status = close_struct(c, more);
    if (status) return status;
    has_bits = bits != 0;
    if (has_bits && (bits != form.bits || (n && n != 8 * form.words))) return MISMATCH;
    for (size_t i = 0; i < form.words; i++)
        value[i] = n ? big_endian(reinterpret_cast<const uint8_t*>(p) + 8 * i, 8) : 0;
    if (form.bits % 64 && has_bits) value[form.words - 1] &= (uint64_t(1) << form.bits % 64) - 1;
    return OK;
}

// Reads a value; `removed` tells whether it is that of a row that is removed.
inline int read_value(Cursor& c, const Form& form, uint64_t* value, bool& removed) {
    bool has_bits = false;
    if (!form.tables) {
        const int status = read_bits(c, form, value, has_bits);
        removed = !has_bits;
        return status;
    }
    uint32_t more = 0, n = 0;
    double norm = 0;
    int status = open_struct(c, 3, more);
    if (status == OK) status = read_array(c, n);
    if (status) return status;
    removed = n == 0;
    if (!removed && n != form.tables) return MISMATCH;
    for (uint32_t t = 0; status == OK && t < n; t++) status = read_unsigned(c, value[form.words + 1 + t]);
    if (status == OK) status = removed ? skip(c) : read_bits(c, form, value, has_bits);
    if (status == OK) status = read_double(c, norm);
    if (status == OK && !removed && !has_bits) return MISMATCH;
    memcpy(value + form.words, &norm, 8);
    return status ? status : close_struct(c, more);
}

inline void write_diff(Buffer& out, const Diff& diff) {
    out.map(diff.names.size());
    for (int32_t at : diff.names.order()) {
        const std::string& name = diff.names.name(uint32_t(at));
        out.raw(name.data(), name.size());
        write_value(out, diff.form, diff.value(uint32_t(at)));
    }
}

inline int read_diff(Cursor& c, Diff& diff) {
    uint32_t n = 0;
    bool removed = false;
    std::string name;
    Value value(diff.form.width);
    int status = read_map(c, n);
    for (; status == OK && n; n--) {
        status = read_text(c, name);
        if (status == OK) status = read_value(c, diff.form, value.data(), removed);
        if (status == OK) diff.put(name, removed ? nullptr : value.data());
    }
    return status;
}

inline void write_buckets(Buffer& out, const Buckets& buckets) {
    out.map(buckets.rows.size());
    for (const auto& [key, bucket] : buckets.rows) {
        out.uint(key);
        out.array(bucket.size());
        for (uint32_t row : bucket) out.uint(row);
    }
}

inline int read_buckets(Cursor& c, size_t rows, Buckets& buckets) {
    uint32_t n = 0, size = 0;
    uint64_t key = 0, row = 0;
    int status = read_map(c, n);
    for (; status == OK && n; n--) {
        status = read_unsigned(c, key);
        if (status == OK) status = read_array(c, size);
        if (status) break;
        for (; status == OK && size; size--) {
            status = read_unsigned(c, row);
            if (status == OK && row >= rows) status = MISMATCH;
            if (status == OK) buckets.add_last(key, uint32_t(row));
        }
    }
    return status;
}

// `[master, diff]`; with tables `[master, diff, buckets of both, shifts, tables, numbers of rows]`
inline void write_rows(Buffer& out, const Rows& rows) {
    size_t n = 0;
    out.array(rows.form.tables ? 7 : 2);
    for (uint8_t flags : rows.flags) n += flags & Rows::IN_MASTER;
    auto write_name = [&](uint32_t at) {
        const std::string& name = rows.names.name(at);
        out.raw(name.data(), name.size());
    };
    out.map(n);
    for (int32_t i : rows.names.order()) {
        const uint32_t at = uint32_t(i);
        if (!(rows.flags[at] & Rows::IN_MASTER)) continue;
        write_name(at);
        write_value(out, rows.form, rows.master_value(at));
    }
    out.map(rows.changed.count);
    for (int32_t at : rows.changed_rows()) {
        write_name(uint32_t(at));
        write_value(out, rows.form, rows.flags[uint32_t(at)] & Rows::REMOVED ? nullptr : rows.value(uint32_t(at)));
    }
    if (!rows.form.tables) return;
    write_buckets(out, rows.master);
    write_buckets(out, rows.diff);
    out.array(rows.shifts.size());
    for (float shift : rows.shifts) {
        uint32_t bits;
        memcpy(&bits, &shift, 4);
        out.put(0xca, bits, 4);
    }
    out.uint(rows.form.tables);
    write_names(out, uint32_t(rows.names.size()), [&](uint32_t at) {
        const std::string& name = rows.names.name(at);
        return Span{name.data(), uint32_t(name.size())};
    });
}

inline int read_shifts(Cursor& c, Rows& rows) {
    uint32_t n = 0;
    double shift = 0;
    uint64_t tables = 0;
    int status = read_array(c, n);
    if (status == OK && n != rows.shifts.size()) return MISMATCH;
    for (float& each : rows.shifts) {
        if (status == OK) status = read_double(c, shift);
        each = float(shift);
    }
    if (status == OK) status = read_unsigned(c, tables);
    return status == OK && tables != rows.form.tables ? MISMATCH : status;
}

// Reads what write_rows wrote into empty rows. The numbers of rows stand behind them, and are read first.
inline int read_rows(Cursor& c, Rows& rows) {
    uint32_t more = 0;
    Cursor fields = c;
    std::vector<Span> names;
    const size_t tables = rows.form.tables;
    int status = open_struct(c, tables ? 7 : 2, more);
    Cursor at = c;
    for (size_t i = 0; tables && i < 6 && status == OK; i++) status = skip(at);
    if (tables && status == OK) status = read_names(at, names);
    for (const Span& name : names) rows.enter(std::string(name.p, name.n));
    if (rows.names.size() != names.size()) return MISMATCH;
    for (int part = 0; part < 2 && status == OK; part++) {
        Diff read;
        read.form = rows.form;
        status = read_diff(c, read);
        if (status) break;
        for (int32_t i : read.names.order()) {
            const std::string& name = read.names.name(uint32_t(i));
            const uint64_t* value = read.value(uint32_t(i));
            if (tables && rows.names.find(name) == NONE) return MISMATCH;
            if (part == 0 && !value) return MISMATCH;
            if (part == 0)
                rows.put(name, value);
            else if (value)
                rows.set(name, value);
            else
                rows.remove(name);
        }
    }
    if (!tables || status) return status ? status : close_struct(c, more);
    rows.master.rows.clear();
    rows.diff.rows.clear();
    status = read_buckets(c, names.size(), rows.master);
    if (status == OK) status = read_buckets(c, names.size(), rows.diff);
    if (status == OK) status = read_shifts(c, rows);
    c.at = status == OK ? at.at : fields.at;
    return status ? status : close_struct(c, more);
}

}  // namespace jubatus::hashed
