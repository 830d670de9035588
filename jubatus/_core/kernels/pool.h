// Memory: a Pool has small blocks that are given back one by one, an Arena has blocks that are freed all at once.
#pragma once
#include <sys/mman.h>

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <new>
#include <utility>
#include <vector>

namespace jubatus {

// Small blocks of memory, cut from large chunks. A block that was given back serves the next request for its size.
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
    // Frees all chunks. A block above LARGEST is in none of them: its owner must have given it back before.
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
            // The rest of the old chunk is too small for this block and is not used any more.
            left = chunks.empty() ? size_t(1) << 18 : HUGE_PAGE;
            void* chunk = nullptr;
            if (posix_memalign(&chunk, left, left)) throw std::bad_alloc();
#ifdef MADV_HUGEPAGE
            // A large model's rows are read in random order. With small pages nearly every read would have to look up
            // where its page is in memory.
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

// Blocks of memory whose addresses stay until reset.
struct Arena {
    std::vector<std::unique_ptr<char[]>> blocks;
    size_t used = 0, room = 0;
    char* take(size_t n) {
        if (blocks.empty() || room - used < n) {
            room = std::max<size_t>(n, 1 << 16);
            blocks.emplace_back(new char[room]);
            used = 0;
        }
        char* p = blocks.back().get() + used;
        used += n;
        return p;
    }
    void reset() {
        if (blocks.size() > 1) {
            blocks.clear();
            room = 0;
        }
        used = 0;
    }
};

}  // namespace jubatus
