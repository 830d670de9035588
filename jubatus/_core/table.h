// Hash tables.
//
// Chains: the iteration order of a std::tr1::unordered_map, whose elements the owner keeps. Buckets go through a fixed
//   list of primes; an insert stands at the front of its bucket; a rehash takes old bucket after old bucket, front to
//   back, and puts each element at the front of its new one.
// Table: rows by 64-bit id with open addressing, each row with its name in one common block of bytes. Rows stand in the
//   order of their first insert; erase_if keeps it.
#pragma once
#include <sys/mman.h>

#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <new>
#include <vector>

#include "bytes.h"
#include "hash.h"

namespace jubatus {

constexpr uint64_t PRIMES[] = {
    11,      23,      47,      97,       199,      409,      823,       1741,      3739,      7517,       15173,
    30727,   62233,   126271,  256279,   520241,   1056323,  2144977,   4355707,   8844859,   17961079,   36473443,
    74066549, 150406843, 305431229, 620239453, 1259520799, 2557710269};

// A remainder by a constant is a multiplication; one by a variable is a division that costs several times as much.
inline uint32_t remainder(uint64_t h, int step) {
    switch (step) {
        case 0: return uint32_t(h % 11);
        case 1: return uint32_t(h % 23);
        case 2: return uint32_t(h % 47);
        case 3: return uint32_t(h % 97);
        case 4: return uint32_t(h % 199);
        case 5: return uint32_t(h % 409);
        case 6: return uint32_t(h % 823);
        case 7: return uint32_t(h % 1741);
        case 8: return uint32_t(h % 3739);
        default: return uint32_t(h % PRIMES[step]);
    }
}

struct Chains {
    struct Node {
        uint64_t hash;
        int32_t next;
    };
    int step = 0;
    uint32_t count = 0;
    std::vector<int32_t> heads, spare;
    std::vector<Node> nodes;

    Chains() { clear(); }
    void clear() {
        step = 0;
        count = 0;
        heads.assign(PRIMES[0], -1);
        nodes.clear();
    }
    // Element `at` (0, 1, 2, ... or one that was erased) enters the map.
    void insert(uint32_t at, uint64_t hash) {
        if (count + 1 > PRIMES[step]) rehash();
        if (at >= nodes.size()) nodes.resize(at + 1);
        int32_t& head = heads[remainder(hash, step)];
        nodes[at] = {hash, head};
        head = int32_t(at);
        count++;
    }
    void erase(uint32_t at) {
        int32_t* p = &heads[remainder(nodes[at].hash, step)];
        while (*p != int32_t(at)) p = &nodes[*p].next;
        *p = nodes[at].next;
        count--;
    }
    void rehash() {
        step++;
        spare.assign(PRIMES[step], -1);
        for (int32_t head : heads)
            while (head >= 0) {
                int32_t next = nodes[head].next;
                int32_t& target = spare[remainder(nodes[head].hash, step)];
                nodes[head].next = target;
                target = head;
                head = next;
            }
        heads.swap(spare);
    }
    // Writes the elements in iteration order; `out` has room for count.
    void order(int32_t* out) const {
        for (int32_t head : heads)
            for (; head >= 0; head = nodes[head].next) *out++ = head;
    }
};

// The same order for elements 0 .. n-1 that enter an empty map one after the other, without following chains: at each
// size of the table the elements come by bucket, and in a bucket those that entered last stand first.
struct MapOrder {
    std::vector<uint32_t> buckets, starts;
    std::vector<int32_t> entered;

    template <uint64_t P>
    void remainders(const uint64_t* hashes, uint32_t n) {
        for (uint32_t i = 0; i < n; i++) buckets[i] = uint32_t(hashes[entered[i]] % P);
    }
    void remainders(const uint64_t* hashes, uint32_t n, int step) {
        switch (step) {
            case 0: return remainders<PRIMES[0]>(hashes, n);
            case 1: return remainders<PRIMES[1]>(hashes, n);
            case 2: return remainders<PRIMES[2]>(hashes, n);
            case 3: return remainders<PRIMES[3]>(hashes, n);
            case 4: return remainders<PRIMES[4]>(hashes, n);
            case 5: return remainders<PRIMES[5]>(hashes, n);
            case 6: return remainders<PRIMES[6]>(hashes, n);
            case 7: return remainders<PRIMES[7]>(hashes, n);
            case 8: return remainders<PRIMES[8]>(hashes, n);
            case 9: return remainders<PRIMES[9]>(hashes, n);
            case 10: return remainders<PRIMES[10]>(hashes, n);
            case 11: return remainders<PRIMES[11]>(hashes, n);
            case 12: return remainders<PRIMES[12]>(hashes, n);
            case 13: return remainders<PRIMES[13]>(hashes, n);
            case 14: return remainders<PRIMES[14]>(hashes, n);
            case 15: return remainders<PRIMES[15]>(hashes, n);
            case 16: return remainders<PRIMES[16]>(hashes, n);
            default:
                for (uint32_t i = 0; i < n; i++) buckets[i] = uint32_t(hashes[entered[i]] % PRIMES[step]);
        }
    }
    void order(const uint64_t* hashes, uint32_t n, int32_t* out) {
        buckets.resize(n);
        entered.resize(n);
        uint32_t known = 0;
        for (int step = 0;; step++) {
            uint32_t held = n < PRIMES[step] ? n : uint32_t(PRIMES[step]);
            for (uint32_t i = known; i < held; i++) entered[i] = int32_t(i);
            known = held;
            remainders(hashes, held, step);
            starts.assign(PRIMES[step] + 1, 0);
            for (uint32_t i = 0; i < held; i++) starts[buckets[i] + 1]++;
            for (uint64_t b = 1; b <= PRIMES[step]; b++) starts[b] += starts[b - 1];
            for (uint32_t i = held; i-- > 0;) out[starts[buckets[i]]++] = entered[i];
            if (held == n) return;
            memcpy(entered.data(), out, held * sizeof(int32_t));
        }
    }
};

// Small blocks of memory by size, taken from large ones; a freed block serves the next of its size.
struct Pool {
    static const size_t LARGEST = 2048, HUGE_PAGE = size_t(1) << 21;
    std::vector<void*> chunks;
    void* idle[LARGEST / 8 + 1] = {};
    char* at = nullptr;
    size_t left = 0;

    Pool() {}
    Pool(const Pool&) = delete;
    Pool& operator=(const Pool&) = delete;
    ~Pool() { clear(); }
    // The large blocks of the owner are not the pool's: it gives them back itself before this.
    void clear() {
        for (void* chunk : chunks) free(chunk);
        chunks.clear();
        memset(idle, 0, sizeof idle);
        at = nullptr;
        left = 0;
    }
    char* take(size_t n) {
        n = (n + 7) & ~size_t(7);
        if (n > LARGEST) {
            char* p = static_cast<char*>(malloc(n));
            if (!p) throw std::bad_alloc();
            return p;
        }
        void*& first = idle[n / 8];
        if (first) {
            char* p = static_cast<char*>(first);
            memcpy(&first, p, sizeof first);
            return p;
        }
        if (left < n) {
            // What is left of the old chunk is less than one block: lost.
            left = chunks.empty() ? size_t(1) << 18 : HUGE_PAGE;
            void* chunk = nullptr;
            if (posix_memalign(&chunk, left, left)) throw std::bad_alloc();
#ifdef MADV_HUGEPAGE
            // A large model's rows are read all over the place: with small pages each look costs a walk for its address.
            if (left == HUGE_PAGE) madvise(chunk, left, MADV_HUGEPAGE);
#endif
            chunks.push_back(chunk);
            at = static_cast<char*>(chunk);
        }
        char* p = at;
        at += n;
        left -= n;
        return p;
    }
    void give_back(char* p, size_t n) {
        n = (n + 7) & ~size_t(7);
        if (n > LARGEST) {
            free(p);
            return;
        }
        memcpy(p, &idle[n / 8], sizeof(void*));
        idle[n / 8] = p;
    }
    void swap(Pool& other) {
        chunks.swap(other.chunks);
        std::swap(idle, other.idle);
        std::swap(at, other.at);
        std::swap(left, other.left);
    }
};

const uint32_t NONE = 0xffffffff;

struct Slot {
    uint32_t tag;
    uint32_t at;  // row + 1; 0 where free
};

inline Slot* new_slots(uint64_t count) {
    Slot* slots = static_cast<Slot*>(calloc(count, sizeof(Slot)));
    if (!slots) throw std::bad_alloc();
    return slots;
}

inline void place_in(Slot* slots, uint64_t mask, uint64_t id, uint32_t at) {
    uint64_t i = id & mask;
    while (slots[i].at) i = (i + 1) & mask;
    slots[i] = {uint32_t(id >> 32), at + 1};
}

// A table's next index, made beside the one in use.
struct NextIndex {
    Slot* slots = nullptr;
    uint64_t mask = 0;
    uint32_t placed = 0;  // rows

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
    Buffer names;

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
        Buffer empty;
        names.swap(empty);
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
    // A guess that costs no look at the row: for prefetching it.
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
        free(slots);
        slots = new_slots(count);
        mask = count - 1;
        for (uint32_t i = 0; i < size; i++) place_in(slots, mask, rows[i].id, i);
    }
    bool has_room(uint64_t more) const { return slots && (size + more) * 3 <= (mask + 1) * 2; }
    // Works on an index with room for that many rows more, `left` rows long; whether that is done. Rows must not move.
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
    // A new row, all zero but its id, for an id that is not there. The caller appends the name's pieces (add_name).
    uint32_t insert(uint64_t id, uint32_t name_size) {
        if (!slots || (uint64_t(size) + 1) * 3 > (mask + 1) * 2) rebuild_slots(slots ? 2 * (mask + 1) : 64);
        if (size == room) {
            uint32_t wanted = room ? 2 * room : 64;
            Row* p = static_cast<Row*>(realloc(static_cast<void*>(rows), size_t(wanted) * sizeof(Row)));
            if (!p) throw std::bad_alloc();
            rows = p;
            room = wanted;
        }
        memset(static_cast<void*>(&rows[size]), 0, sizeof(Row));
        rows[size].id = id;
        rows[size].name = names.size;
        names.append(&name_size, 4);
        place_in(slots, mask, id, size);
        return size++;
    }
    void add_name(const void* p, size_t n) { names.append(p, n); }
    const char* name(uint32_t at, uint32_t& n) const {
        const uint8_t* p = names.data + rows[at].name;
        memcpy(&n, p, 4);
        return reinterpret_cast<const char*>(p) + 4;
    }
    // Removes the rows for which dead(row) is true and packs the names of the others.
    template <class F>
    void erase_if(F dead) {
        Buffer kept;
        uint32_t to = 0;
        for (uint32_t i = 0; i < size; i++) {
            if (dead(rows[i])) continue;
            uint32_t n;
            const char* p = name(i, n);
            uint64_t at = kept.size;
            kept.append(&n, 4);
            kept.append(p, n);
            rows[to] = rows[i];
            rows[to++].name = at;
        }
        size = to;
        names.swap(kept);
        if (slots) rebuild_slots(mask + 1);
    }
};

}  // namespace jubatus
