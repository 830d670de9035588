// The iteration order of a std::tr1::unordered_map. The owner keeps the elements; here they are numbers.
//
// The number of buckets goes through a fixed list of primes. A new element is put at the front of its bucket. When the
// map grows, it takes the old buckets one after the other, each from front to back, and puts every element at the front
// of its new bucket.
#pragma once
#include <algorithm>
#include <cstdint>
#include <cstring>
#include <vector>

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
    // All leave. The map keeps its number of buckets, as std::tr1 does.
    void remove_all() {
        std::fill(heads.begin(), heads.end(), -1);
        nodes.clear();
        count = 0;
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
    // The elements get other numbers, number[i] instead of i. Their order stays.
    void renumber(const std::vector<uint32_t>& number) {
        std::vector<Node> moved;
        auto other = [&](int32_t at) { return at < 0 ? at : int32_t(number[size_t(at)]); };
        for (int32_t& head : heads) {
            for (int32_t at = head; at >= 0; at = nodes[size_t(at)].next) {
                const Node& node = nodes[size_t(at)];
                if (number[size_t(at)] >= moved.size()) moved.resize(number[size_t(at)] + 1);
                moved[number[size_t(at)]] = {node.hash, other(node.next)};
            }
            head = other(head);
        }
        nodes.swap(moved);
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

// The same order for elements 0 .. n-1 that enter an empty map one after the other. It follows no chains: at each size
// of the map it sorts the elements by bucket, and in a bucket those that entered last come first.
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

}  // namespace jubatus
