// Rows with a key and typed columns. Each row has a version: the server that wrote it last, and the time of that server's
// clock, which counts changes. Servers exchange the rows that are newer than what they have seen of each owner.
#pragma once
#include <algorithm>
#include <cstdint>
#include <cstring>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "kernels/bits.h"
#include "kernels/bytes.h"
#include "rows/keys.h"

namespace jubatus {

const uint32_t NUMBER_COLUMN = 9, BITS_COLUMN = 10;  // types as the model file has them

struct Column {
    uint32_t bits;  // 0 for a column of numbers
    std::vector<uint64_t> cells;

    size_t words() const { return bits ? words_of(bits) : 1; }
    uint64_t* at(uint32_t row) { return cells.data() + row * words(); }
    const uint64_t* at(uint32_t row) const { return cells.data() + row * words(); }
    const double* numbers() const { return reinterpret_cast<const double*>(cells.data()); }
    double number(uint32_t row) const { return numbers()[row]; }
    void set_number(uint32_t row, double v) { memcpy(at(row), &v, 8); }
};

// A row as it travels. Its cells stand elsewhere.
struct GivenRow {
    Span key, owner;
    uint64_t clock;
};

// The newest clock that was seen of an owner.
struct Horizon {
    std::unordered_map<std::string, uint64_t> clocks;

    bool covers(const std::string& owner, uint64_t clock) const {
        auto found = clocks.find(owner);
        return found != clocks.end() && clock <= found->second;
    }
    void raise(const std::string& owner, uint64_t clock) {
        uint64_t& known = clocks.try_emplace(owner, clock).first->second;
        known = std::max(known, clock);
    }
    // A map from [owner] to the clock.
    void pack(Buffer& out) const {
        out.map(clocks.size());
        for (const auto& [owner, clock] : clocks) {
            out.array(1);
            out.raw(owner.data(), owner.size());
            out.uint(clock);
        }
    }
    int unpack(Cursor& c) {
        uint32_t n = 0;
        int status = read_map(c, n);
        for (; status == OK && n; n--) {
            uint32_t more = 0;
            std::string owner;
            uint64_t clock = 0;
            status = open_struct(c, 1, more);
            if (status == OK) status = read_text(c, owner);
            if (status == OK) status = close_struct(c, more);
            if (status == OK) status = read_unsigned(c, clock);
            if (status == OK) raise(owner, clock);
        }
        return status;
    }
};

struct VersionedRows {
    Keys keys;
    std::vector<Column> columns;
    std::vector<uint64_t> clocks;
    std::vector<uint32_t> owners;  // by row: the number of its owner
    std::vector<std::string> names;  // of the owners; the first is this server
    std::unordered_map<std::string, uint32_t> numbers;
    uint64_t clock = 0;
    uint64_t removals = 0;  // how many times rows may have moved
    Horizon seen;

    VersionedRows() {}
    VersionedRows(const VersionedRows&) = delete;
    VersionedRows& operator=(const VersionedRows&) = delete;
    void add_column(uint32_t bits) { columns.push_back({bits, {}}); }
    void swap(VersionedRows& o) {
        keys.swap(o.keys);
        for (size_t i = 0; i < columns.size(); i++) columns[i].cells.swap(o.columns[i].cells);  // read_row needs no lock
        clocks.swap(o.clocks);
        owners.swap(o.owners);
        names.swap(o.names);
        numbers.swap(o.numbers);
        std::swap(clock, o.clock);
        std::swap(seen, o.seen);
        removals++;
        o.removals++;
    }
    uint32_t size() const { return keys.size(); }
    void clear() {
        keys.clear();
        for (Column& column : columns) std::vector<uint64_t>().swap(column.cells);
        std::vector<uint64_t>().swap(clocks);
        std::vector<uint32_t>().swap(owners);
        removals++;
    }
    uint32_t owner(const std::string& name) {
        auto [found, is_new] = numbers.try_emplace(name, uint32_t(names.size()));
        if (is_new) names.push_back(name);
        return found->second;
    }
    // The row of a key, which is made with cells of zero if there is none; the caller writes its cells.
    uint32_t place(const char* key, size_t n, uint32_t owner, uint64_t when) {
        uint32_t row = keys.find(key, n);
        if (row == NONE) {
            row = keys.add(key, n);
            for (Column& column : columns) column.cells.resize(column.cells.size() + column.words());
            clocks.push_back(0);
            owners.push_back(0);
        }
        owners[row] = owner;
        clocks[row] = when;
        return row;
    }
    // The same, as a change of this server.
    uint32_t set(const char* key, size_t n) { return place(key, n, 0, clock++); }
    // Marks a row that changed here as new.
    void touch(uint32_t row) {
        owners[row] = 0;
        clocks[row] = clock++;
    }
    bool remove(const std::string& key) {
        const uint32_t row = keys.find(key), last = size() - 1;
        if (row == NONE) return false;
        for (Column& column : columns) {
            if (row != last) memcpy(column.at(row), column.at(last), 8 * column.words());
            column.cells.resize(last * column.words());
        }
        clocks[row] = clocks[last];
        owners[row] = owners[last];
        clocks.pop_back();
        owners.pop_back();
        keys.remove(row);
        clock++;
        removals++;
        return true;
    }
    // Takes in a row of another server, unless the own one is newer. Of two rows of the same clock all servers keep that of
    // the same owner.
    void receive(const GivenRow& given, const uint64_t* cells) {
        const uint32_t known = keys.find(given.key.p, given.key.n);
        const std::string name(given.owner.p, given.owner.n);
        if (known == NONE || clocks[known] < given.clock || (clocks[known] == given.clock && names[owners[known]] <= name)) {
            const uint32_t from = owner(name);
            const uint32_t row = place(given.key.p, given.key.n, from, given.clock);
            for (Column& column : columns) {
                memcpy(column.at(row), cells, 8 * column.words());
                cells += column.words();
            }
        }
        if (clock <= given.clock) clock = given.clock + 1;
    }
    // Notes that rows which were received are seen. If several servers write under one name, own rows of the time before
    // would count as seen with them: those are marked as new once more.
    void see(const std::vector<GivenRow>& given) {
        std::vector<uint8_t> is_own(names[0].empty() ? size() : 0);
        for (uint32_t row = 0; row < is_own.size(); row++) is_own[row] = owners[row] == 0 && is_new(row, seen);
        for (const GivenRow& each : given) {
            const std::string name(each.owner.p, each.owner.n);
            seen.raise(name, each.clock);
            const uint32_t row = is_own.empty() ? NONE : keys.find(each.key.p, each.key.n);
            if (row != NONE && clocks[row] == each.clock && names[owners[row]] == name) is_own[row] = 0;
        }
        for (uint32_t row = 0; row < is_own.size(); row++)
            if (is_own[row] && !is_new(row, seen)) touch(row);
    }
    // Whether a row was written here since the clock had a value.
    bool is_own_since(uint32_t row, uint64_t when) const { return owners[row] == 0 && clocks[row] >= when; }
    bool is_new(uint32_t row, const Horizon& to) const { return !to.covers(names[owners[row]], clocks[row]); }
    size_t words_of_row() const {
        size_t words = 0;
        for (const Column& column : columns) words += column.words();
        return words;
    }
    // Takes what a server has, which this one will be: its rows are seen, and what is new here is put on top.
    void carry_to(VersionedRows& other) const {
        for (uint32_t row = 0; row < other.size(); row++) other.seen.raise(other.names[other.owners[row]], other.clocks[row]);
        other.clock = std::max(other.clock, clock);
        std::vector<uint64_t> cells(words_of_row());
        for (uint32_t row = 0; row < size(); row++) {
            if (!is_new(row, seen)) continue;
            const std::string &key = keys.name(row), &name = names[owners[row]];
            uint64_t* to = cells.data();
            for (const Column& column : columns) {
                memcpy(to, column.at(row), 8 * column.words());
                to += column.words();
            }
            uint64_t when = clocks[row];
            if (other.seen.covers(name, when)) {
                if (owners[row] != 0) continue;  // the others have this row of another server
                when = other.clock;  // this server has counted from 0 again
            }
            other.receive({{key.data(), uint32_t(key.size())}, {name.data(), uint32_t(name.size())}, when}, cells.data());
        }
    }

    void pack_row(Buffer& out, uint32_t row) const {
        const std::string &key = keys.name(row), &name = names[owners[row]];
        out.array(3);
        out.raw(key.data(), key.size());
        pack_version(out, name, clocks[row]);
        out.array(columns.size());
        for (const Column& column : columns) {
            if (!column.bits) {
                out.number(column.number(row));
                continue;
            }
            out.array(2);
            out.uint(column.bits);
            out.raw_head(8 * column.words());
            uint8_t* to = out.reserve(8 * column.words());
            for (size_t k = 0; k < column.words(); k++) {
                const uint64_t word = __builtin_bswap64(column.at(row)[k]);
                memcpy(to + 8 * k, &word, 8);
            }
            out.size += 8 * column.words();
        }
    }
    // Reads a row that travelled; its cells are appended.
    int read_row(Cursor& c, GivenRow& given, std::vector<uint64_t>& cells) const {
        uint32_t more = 0, n = 0;
        int status = open_struct(c, 3, more);
        if (status == OK) status = read_raw(c, given.key.p, given.key.n);
        if (status == OK) status = read_owner(c, given.owner, given.clock);
        if (status == OK) status = read_array(c, n);
        if (status == OK && n != columns.size()) status = MISMATCH;
        for (size_t i = 0; status == OK && i < columns.size(); i++) status = read_cell(c, columns[i], cells);
        return status ? status : close_struct(c, more);
    }
    void pack(Buffer& out) const {
        out.array(6);
        out.array(size());
        for (const std::string& key : keys.names) out.raw(key.data(), key.size());
        out.uint(size());
        out.array(size());
        for (uint32_t row = 0; row < size(); row++) pack_version(out, names[owners[row]], clocks[row]);
        out.array(columns.size());
        for (const Column& column : columns) pack_column(out, column);
        out.uint(clock);
        out.map(size());
        for (uint32_t row = 0; row < size(); row++) {
            out.raw(keys.name(row).data(), keys.name(row).size());
            out.uint(row);
        }
    }
    // Reads into empty rows with the same columns.
    int unpack(Cursor& c) {
        uint32_t more = 0, n = 0;
        uint64_t count = 0;
        int status = open_struct(c, 6, more);
        if (status == OK) status = read_keys(c);
        if (status == OK) status = read_unsigned(c, count);
        if (status == OK && count != size()) status = MISMATCH;
        if (status == OK) status = read_array(c, n);
        if (status == OK && n != size()) status = MISMATCH;
        for (uint32_t row = 0; status == OK && row < size(); row++) {
            Span name{nullptr, 0};
            uint64_t when = 0;
            status = read_owner(c, name, when);
            if (status) break;
            owners.push_back(owner(std::string(name.p, name.n)));
            clocks.push_back(when);
        }
        if (status == OK) status = read_array(c, n);
        if (status == OK && n != columns.size()) status = MISMATCH;
        for (size_t i = 0; status == OK && i < columns.size(); i++) status = read_column(c, columns[i]);
        if (status == OK) status = read_unsigned(c, clock);
        if (status == OK) status = skip(c);  // the index: the list of keys tells the same
        return status ? status : close_struct(c, more);
    }

  private:
    static void pack_version(Buffer& out, const std::string& name, uint64_t when) {
        out.array(2);
        out.array(1);
        out.raw(name.data(), name.size());
        out.uint(when);
    }
    static int read_owner(Cursor& c, Span& name, uint64_t& when) {
        uint32_t more = 0, inner = 0;
        int status = open_struct(c, 2, more);
        if (status == OK) status = open_struct(c, 1, inner);
        if (status == OK) status = read_raw(c, name.p, name.n);
        if (status == OK) status = close_struct(c, inner);
        if (status == OK) status = read_unsigned(c, when);
        return status ? status : close_struct(c, more);
    }
    static int read_cell(Cursor& c, const Column& column, std::vector<uint64_t>& cells) {
        if (!column.bits) {
            double v = 0;
            uint64_t bits;
            const int status = read_double(c, v);
            memcpy(&bits, &v, 8);
            cells.push_back(bits);
            return status;
        }
        uint64_t bits = 0;
        Span raw{nullptr, 0};
        int status = read_pair(c);
        if (status == OK) status = read_unsigned(c, bits);
        if (status == OK) status = read_raw(c, raw.p, raw.n);
        if (status == OK && (bits != column.bits || raw.n != 8 * column.words())) status = MISMATCH;
        for (size_t k = 0; status == OK && k < column.words(); k++)
            cells.push_back(big_endian(reinterpret_cast<const uint8_t*>(raw.p) + 8 * k, 8));
        return status;
    }
    static void pack_column(Buffer& out, const Column& column) {
        out.array(2);
        out.array(2);
        out.uint(column.bits ? BITS_COLUMN : NUMBER_COLUMN);
        out.uint(column.bits);
        out.array(column.cells.size());
        for (size_t i = 0; i < column.cells.size(); i++) {
            if (column.bits) out.uint(column.cells[i]);
            else out.number(column.numbers()[i]);
        }
    }
    int read_column(Cursor& c, Column& column) {
        uint64_t type = 0, bits = 0;
        uint32_t n = 0;
        int status = read_pair(c);
        if (status == OK) status = read_pair(c);
        if (status == OK) status = read_unsigned(c, type);
        if (status == OK) status = read_unsigned(c, bits);
        if (status == OK) status = read_array(c, n);
        if (status) return status;
        if (type != (column.bits ? BITS_COLUMN : NUMBER_COLUMN) || bits != column.bits || n != size() * column.words())
            return MISMATCH;
        column.cells.resize(n);
        for (uint32_t i = 0; status == OK && i < n; i++) {
            if (column.bits) {
                status = read_unsigned(c, column.cells[i]);
            } else {
                double v = 0;
                status = read_double(c, v);
                column.set_number(i, v);
            }
        }
        return status;
    }
    int read_keys(Cursor& c) {
        uint32_t n = 0;
        int status = read_array(c, n);
        for (; status == OK && n; n--) {
            Span key{nullptr, 0};
            status = read_raw(c, key.p, key.n);
            if (status == OK && keys.find(key.p, key.n) != NONE) status = MISMATCH;
            if (status == OK) keys.add(key.p, key.n);
        }
        return status;
    }
};

}  // namespace jubatus
