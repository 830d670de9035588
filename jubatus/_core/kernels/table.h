// A hash table of rows by 64-bit id, with open addressing. Rows keep the order in which they were
// inserted; erase_if keeps it too. A call that finds no memory has changed nothing.
#pragma once
#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <new>
#include <utility>
#include <vector>

#include "kernels/pool.h"
#include "kernels/texts.h"

namespace jubatus {

inline void prefetch(const void* p) { __builtin_prefetch(p); }

const uint32_t NONE = 0xffffffff;

struct Slot {
    uint32_t tag;
    uint32_t at;  // index of the row + 1; 0 if the slot is free
};

inline Slot* new_slots(uint64_t count) {
    return static_cast<Slot*>(obtain([&] { return calloc(count, sizeof(Slot)); }));
}

inline void place_in(Slot* slots, uint64_t mask, uint64_t id, uint32_t at) {
    uint64_t i = id & mask;
    while (slots[i].at) i = (i + 1) & mask;
    slots[i] = {uint32_t(id >> 32), at + 1};
}

// A larger index of a table, filled step by step while the table goes on using the old one.
struct NextIndex {
    Slot* slots = nullptr;
    uint64_t mask = 0;
    uint32_t placed = 0;  // how many rows it has

    NextIndex() {}
    NextIndex(const NextIndex&) = delete;
    NextIndex& operator=(const NextIndex&) = delete;
    ~NextIndex() { clear(); }
    void clear() {
        free(slots);
        slots = nullptr;
        placed = 0;
    }
};

// Row must have `uint64_t id` and `uint64_t name` (set by the table) and be trivially copyable.
template <class Row>
struct Table {
    Slot* slots = nullptr;
    uint64_t mask = 0;
    Row* rows = nullptr;
    uint32_t size = 0, room = 0;
    Texts names;

    Table() {}
    Table(const Table&) = delete;
    Table& operator=(const Table&) = delete;
    ~Table() {
        free(slots);
        free(rows);
    }
    void clear() {
        free(slots);
        free(rows);
        slots = nullptr;
        rows = nullptr;
        mask = 0;
        size = room = 0;
        names.clear();
    }
    void swap(Table& other) {
        std::swap(slots, other.slots);
        std::swap(mask, other.mask);
        std::swap(rows, other.rows);
        std::swap(size, other.size);
        std::swap(room, other.room);
        names.swap(other.names);
    }
    void prefetch(uint64_t id) const {
        if (slots) __builtin_prefetch(&slots[id & mask]);
    }
    // Returns the row that probably has the id, without reading it. Good enough to prefetch it.
    const Row* guess(uint64_t id) const {
        if (!slots) return nullptr;
        const Slot& s = slots[id & mask];
        return s.at ? &rows[s.at - 1] : nullptr;
    }
    uint32_t find(uint64_t id) const {
        if (!slots) return NONE;
        uint32_t tag = uint32_t(id >> 32);
        for (uint64_t i = id & mask;; i = (i + 1) & mask) {
            Slot s = slots[i];
            if (!s.at) return NONE;
            if (s.tag == tag && rows[s.at - 1].id == id) return s.at - 1;
        }
    }
    void rebuild_slots(uint64_t count) {
        Slot* larger = new_slots(count);
        free(slots);
        slots = larger;
        mask = count - 1;
        for (uint32_t i = 0; i < size; i++) place_in(slots, mask, rows[i].id, i);
    }
    bool has_room(uint64_t more) const { return slots && (size + more) * 3 <= (mask + 1) * 2; }
    // Makes room for `more` rows. Puts at most `left` rows into the next index and counts `left` down. Returns
    // whether there is room now; if not, the caller calls again. Rows must not move in between.
    bool make_room(uint64_t more, NextIndex& next, size_t& left) {
        if (has_room(more)) return true;
        if (!next.slots) {
            uint64_t count = 64;
            while ((size + more) * 3 > count * 2) count *= 2;
            next.slots = new_slots(count);
            next.mask = count - 1;
        }
        for (; left && next.placed < size; next.placed++, left--)
            place_in(next.slots, next.mask, rows[next.placed].id, next.placed);
        if (next.placed < size) return false;
        std::swap(slots, next.slots);
        std::swap(mask, next.mask);
        next.clear();
        return true;
    }
    // Makes room for `more` rows whose names have so many bytes, so that adding them takes no memory but for affixes.
    void reserve(uint64_t more, uint64_t bytes) {
        if (!has_room(more)) {
            uint64_t count = slots ? mask + 1 : 64;
            while ((size + more) * 3 > count * 2) count *= 2;
            rebuild_slots(count);
        }
        if (size + more > room) make_rows(std::max<uint64_t>(2 * uint64_t(room), size + more));
        names.entries.reserve(bytes + more * Texts::ROOM);
    }
    // Adds a row for an id that is not there, and returns its index. It is all zero but for the id and the name, of whose
    // n bytes `put` writes.
    template <class Put>
    uint32_t insert(uint64_t id, uint32_t n, Put put) {
        if (!slots || (uint64_t(size) + 1) * 3 > (mask + 1) * 2) rebuild_slots(slots ? 2 * (mask + 1) : 64);
        if (size == room) make_rows(room ? 2 * uint64_t(room) : 64);
        const uint64_t name = names.add(n, put);
        memset(static_cast<void*>(&rows[size]), 0, sizeof(Row));
        rows[size].id = id;
        rows[size].name = name;
        place_in(slots, mask, id, size);
        return size++;
    }
    uint32_t insert(uint64_t id, const char* name, uint32_t n) {
        return insert(id, n, [&](char* out) { memcpy(out, name, n); });
    }
    uint32_t insert(uint64_t id, const Pieces& name) {
        return insert(id, name.size(), [&](char* out) { name.copy_to(out); });
    }
    Pieces name(uint32_t at) const { return names.pieces(rows[at].name); }
    // Removes the rows for which dead(row) is true, and their names.
    template <class F>
    void erase_if(F dead) {
        Texts kept;
        kept.whole = names.whole;
        std::vector<uint64_t> places;
        for (uint32_t i = 0; i < size; i++)
            if (!dead(rows[i])) places.push_back(kept.copy(names, rows[i].name));
        uint32_t to = 0;
        for (uint32_t i = 0; i < size; i++) {
            if (dead(rows[i])) continue;
            rows[to] = rows[i];
            rows[to].name = places[to];
            to++;
        }
        size = to;
        kept.moved.clear();
        names.swap(kept);
        if (!slots) return;
        memset(static_cast<void*>(slots), 0, (mask + 1) * sizeof(Slot));
        for (uint32_t i = 0; i < size; i++) place_in(slots, mask, rows[i].id, i);
    }

  private:
    void make_rows(uint64_t wanted) {
        wanted = std::min<uint64_t>(wanted, NONE);
        if (wanted <= room) throw std::bad_alloc();
        rows = static_cast<Row*>(obtain([&] { return realloc(static_cast<void*>(rows), wanted * sizeof(Row)); }));
        room = uint32_t(wanted);
    }
};

}  // namespace jubatus
