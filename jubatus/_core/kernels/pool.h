// Memory: a Pool has small blocks that are given back one by one, an Arena has blocks that are freed all at once. And
// what is done when there is none.
#pragma once
#include <sys/mman.h>

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <exception>
#include <memory>
#include <new>
#include <stdexcept>
#include <system_error>
#include <utility>
#include <vector>

namespace jubatus {

// Calls `take` until it returns memory. In between it lets the program's new handler free some, as operator new does.
template <class F>
inline void* obtain(F take) {
    for (;;) {
        if (void* memory = take()) return memory;
        std::new_handler free_some = std::get_new_handler();
        if (!free_some) throw std::bad_alloc();
        free_some();
    }
}

// Is thrown by a call that would need more memory than one call may have.
struct TooMuch : std::exception {
    const char* what() const noexcept override { return "the features of a datum would take too much memory"; }
};

enum Shortage { NO_MEMORY = -101, TOO_MUCH = -102 };

// Calls a function that returns a status. If it has no memory, that is its status.
template <class F, class... A>
inline int guarded(F call, A... arguments) {
    try {
        return call(arguments...);
    } catch (const std::bad_alloc&) {
        return NO_MEMORY;
    } catch (const std::length_error&) {
        return NO_MEMORY;
    } catch (const std::system_error&) {
        return NO_MEMORY;  // for a thread
    } catch (const TooMuch&) {
        return TOO_MUCH;
    }
}

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
        if (n > LARGEST) return static_cast<char*>(obtain([&] { return malloc(n); }));
        void*& first = idle[n / 8];
        if (first) {
            char* p = static_cast<char*>(first);
            memcpy(&first, p, sizeof first);
            return p;
        }
        if (left < n) {
            // The rest of the old chunk is too small for this block and is not used any more.
            const size_t size = chunks.empty() ? size_t(1) << 18 : HUGE_PAGE;
            if (chunks.size() == chunks.capacity()) chunks.reserve(2 * chunks.size() + 1);
            void* chunk = obtain([&] { return aligned_alloc(size, size); });
            left = size;
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
