// Keys of rows. Row i has key i; when a row is removed, the last row takes its place.
#pragma once
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "kernels/hash.h"
#include "kernels/table.h"

namespace jubatus {

struct Keys {
    std::vector<std::string> names;
    std::vector<uint64_t> hashes;
    Slot* slots = nullptr;
    uint64_t mask = 0;

    Keys() {}
    Keys(const Keys&) = delete;
    Keys& operator=(const Keys&) = delete;
    ~Keys() { free(slots); }
    void swap(Keys& other) {
        names.swap(other.names);
        hashes.swap(other.hashes);
        std::swap(slots, other.slots);
        std::swap(mask, other.mask);
    }
    void clear() {
        names.clear();
        hashes.clear();
        free(slots);
        slots = nullptr;
        mask = 0;
    }
    uint32_t size() const { return uint32_t(names.size()); }
    const std::string& name(uint32_t row) const { return names[row]; }
    // The row of a key; NONE for an unknown one.
    uint32_t find(const char* p, size_t n) const {
        if (!slots) return NONE;
        const uint64_t hash = hash_part(p, n);
        const uint32_t tag = uint32_t(hash >> 32);
        for (uint64_t i = hash & mask; slots[i].at; i = (i + 1) & mask) {
            const std::string& name = names[slots[i].at - 1];
            if (slots[i].tag == tag && name.size() == n && memcmp(name.data(), p, n) == 0) return slots[i].at - 1;
        }
        return NONE;
    }
    uint32_t find(const std::string& name) const { return find(name.data(), name.size()); }
    // Adds a key that is not there; returns its row, the last one.
    uint32_t add(const char* p, size_t n) {
        if (!slots || (names.size() + 1) * 3 > (mask + 1) * 2) grow();
        const uint32_t row = size();
        names.emplace_back(p, n);
        hashes.push_back(hash_part(p, n));
        place_in(slots, mask, hashes.back(), row);
        return row;
    }
    void remove(uint32_t row) {
        const uint32_t last = size() - 1;
        vacate(slot_of(row));
        if (row != last) {
            slots[slot_of(last)].at = row + 1;
            names[row].swap(names[last]);
            hashes[row] = hashes[last];
        }
        names.pop_back();
        hashes.pop_back();
    }

  private:
    void grow() {
        const uint64_t count = slots ? 2 * (mask + 1) : 64;
        Slot* wider = new_slots(count);
        free(slots);
        slots = wider;
        mask = count - 1;
        for (uint32_t row = 0; row < size(); row++) place_in(slots, mask, hashes[row], row);
    }
    uint64_t slot_of(uint32_t row) const {
        uint64_t i = hashes[row] & mask;
        while (slots[i].at != row + 1) i = (i + 1) & mask;
        return i;
    }
    // Frees a slot. Those behind it that a search would not reach any more move up.
    void vacate(uint64_t free_slot) {
        for (uint64_t i = free_slot;;) {
            i = (i + 1) & mask;
            if (!slots[i].at) break;
            const uint64_t home = hashes[slots[i].at - 1] & mask;
            if (((i - home) & mask) < ((i - free_slot) & mask)) continue;
            slots[free_slot] = slots[i];
            free_slot = i;
        }
        slots[free_slot] = {0, 0};
    }
};

}  // namespace jubatus
