// Many texts, most of which begin and end like others: names of features, as `key$token@rest`. The beginning up to the
// first `$` and the end from the last `@` behind it are kept once for all texts that have them, and only what stands
// between them is kept for each.
#pragma once
#include <cstdint>
#include <cstring>
#include <utility>
#include <vector>

#include "kernels/bytes.h"
#include "kernels/hash.h"

namespace jubatus {

// A text in three pieces.
struct Pieces {
    Span head, token, tail;
    uint64_t head_hash;  // fnv1a of the head

    uint32_t size() const { return head.n + token.n + tail.n; }
    void copy_to(char* out) const {
        memcpy(out, head.p, head.n);
        memcpy(out + head.n, token.p, token.n);
        memcpy(out + head.n + token.n, tail.p, tail.n);
    }
    uint64_t hash() const { return fnv1a(tail.p, tail.n, fnv1a(token.p, token.n, head_hash)); }
    uint64_t hash_fnv1() const {
        return fnv1(fnv1(fnv1(FNV_OFFSET, head.p, head.n), token.p, token.n), tail.p, tail.n);
    }
    void append_to(Buffer& out) const {
        copy_to(reinterpret_cast<char*>(out.reserve(size())));
        out.size += size();
    }
    void write(Buffer& out) const {
        out.raw_head(size());
        append_to(out);
    }
};

// Beginnings and ends that several texts have. They have the numbers 1, 2, 3, ...
struct Affixes {
    struct Affix {
        uint64_t at, hash, fnv;
        uint32_t size;
    };
    static const size_t TRACES = 4096;
    static const uint32_t LEAST = 2;  // bytes that are worth a number
    std::vector<Affix> kept;
    std::vector<uint32_t> slots;   // numbers, by hash; 0 if the slot is free
    std::vector<uint32_t> traces;  // of what came once, by hash
    Buffer text;

    void swap(Affixes& other) {
        kept.swap(other.kept);
        slots.swap(other.slots);
        traces.swap(other.traces);
        text.swap(other.text);
    }
    Span span(uint32_t number) const {
        if (!number) return {"", 0};
        const Affix& affix = kept[number - 1];
        return {reinterpret_cast<const char*>(text.data) + affix.at, affix.size};
    }
    uint64_t fnv(uint32_t number) const { return number ? kept[number - 1].fnv : FNV_OFFSET; }
    // Returns the number of an affix; 0 for one that comes for the first time, as it may well be the last time.
    uint32_t enter(const char* p, uint32_t n) {
        if (n < LEAST) return 0;
        const uint64_t hash = hash_part(p, n);
        if (!slots.empty())
            for (size_t i = hash & (slots.size() - 1); slots[i]; i = (i + 1) & (slots.size() - 1)) {
                const Affix& affix = kept[slots[i] - 1];
                if (affix.hash == hash && affix.size == n && memcmp(text.data + affix.at, p, n) == 0) return slots[i];
            }
        if (traces.empty()) traces.assign(TRACES, 0);
        uint32_t& trace = traces[hash % TRACES];
        const uint32_t mark = uint32_t(hash >> 32) | 1;
        if (trace != mark) {
            trace = mark;
            return 0;
        }
        return add(p, n, hash);
    }
    uint32_t add(const char* p, uint32_t n, uint64_t hash) {
        if (kept.size() * 2 >= slots.size()) {
            std::vector<uint32_t> larger(slots.empty() ? 16 : 2 * slots.size());
            for (uint32_t k = 0; k < kept.size(); k++) place(larger, kept[k].hash, k + 1);
            slots.swap(larger);
        }
        text.reserve(n);
        kept.push_back({text.size, hash, fnv1a(p, n), n});
        text.append(p, n);
        place(slots, hash, uint32_t(kept.size()));
        return uint32_t(kept.size());
    }

  private:
    static void place(std::vector<uint32_t>& slots, uint64_t hash, uint32_t number) {
        size_t i = hash & (slots.size() - 1);
        while (slots[i]) i = (i + 1) & (slots.size() - 1);
        slots[i] = number;
    }
};

// The texts. Each is known by the place that add returned.
struct Texts {
    static const size_t ROOM = 15;  // bytes of three numbers
    Buffer entries;  // of each text: the numbers of head and tail, the size of the token, the token
    Affixes affixes;
    std::vector<uint32_t> moved;  // by number of an affix of the other texts from which copy takes them
    uint64_t size = 0;            // bytes of all texts, if they were whole
    bool whole = false;           // whether texts are kept whole: each is all token

    void swap(Texts& other) {
        entries.swap(other.entries);
        affixes.swap(other.affixes);
        moved.swap(other.moved);
        std::swap(size, other.size);
        std::swap(whole, other.whole);
    }
    void clear() {
        Texts empty;
        empty.whole = whole;
        swap(empty);
    }
    // Adds a text of n bytes, which `put` writes. If there is no memory, nothing has changed.
    template <class Put>
    uint64_t add(uint32_t n, Put put) {
        char* text = reinterpret_cast<char*>(entries.reserve(ROOM + size_t(n))) + ROOM;
        put(text);
        uint32_t head = 0, tail = 0, front = 0, back = 0;
        if (!whole) {
            split(text, n, head, tail);
            front = affixes.enter(text, head);
            back = affixes.enter(text + n - tail, tail);
        }
        if (!front) head = 0;
        if (!back) tail = 0;
        size += n;
        return end(front, back, text + head, n - head - tail);
    }
    // Adds a text of others, which are the same until clear. Their affixes must not have been given other numbers.
    uint64_t copy(const Texts& other, uint64_t at) {
        const uint8_t* p = other.entries.data + at;
        const uint32_t front = move(other, read(p)), back = move(other, read(p)), n = read(p);
        entries.reserve(ROOM + size_t(n));
        size += affixes.span(front).n + uint64_t(n) + affixes.span(back).n;
        return end(front, back, reinterpret_cast<const char*>(p), n);
    }
    Pieces pieces(uint64_t at) const {
        const uint8_t* p = entries.data + at;
        const uint32_t front = read(p), back = read(p), n = read(p);
        return {affixes.span(front), {reinterpret_cast<const char*>(p), n}, affixes.span(back), affixes.fnv(front)};
    }

  private:
    static void split(const char* p, uint32_t n, uint32_t& head, uint32_t& tail) {
        if (!n) return;
        const char* dollar = static_cast<const char*>(memchr(p, '$', n));
        if (dollar) head = uint32_t(dollar + 1 - p);
        for (uint32_t at = n; at > head; at--)
            if (p[at - 1] == '@') {
                tail = n - (at - 1);
                return;
            }
    }
    static uint32_t read(const uint8_t*& p) {
        uint32_t v = *p & 127;
        for (int shift = 7; *p++ & 128; shift += 7) v |= uint32_t(*p & 127) << shift;
        return v;
    }
    static uint8_t* write(uint8_t* p, uint32_t v) {
        for (; v >= 128; v >>= 7) *p++ = uint8_t(v | 128);
        *p++ = uint8_t(v);
        return p;
    }
    // Writes an entry for which there is room. The token may stand in that room already.
    uint64_t end(uint32_t front, uint32_t back, const char* token, uint32_t n) {
        const uint64_t at = entries.size;
        uint8_t* p = write(write(write(entries.data + at, front), back), n);
        memmove(p, token, n);
        entries.size = size_t(p + n - entries.data);
        return at;
    }
    uint32_t move(const Texts& other, uint32_t number) {
        if (!number) return 0;
        if (moved.size() <= number) moved.resize(other.affixes.kept.size() + 1);
        if (!moved[number]) {
            const Span span = other.affixes.span(number);
            moved[number] = affixes.add(span.p, span.n, other.affixes.kept[number - 1].hash);
        }
        return moved[number];
    }
};

}  // namespace jubatus
