// Memory that is set aside for the update under way. Where an allocation fails, it goes back to the system, and the
// update can still be done to its end. The next one begins only when so much is set aside again.
#pragma once
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <cstdio>
#include <new>

namespace jubatus {

const size_t LEAST_RESERVE = size_t(64) << 20;
// What grows takes at once up to twice of what it has, and is seldom more than a quarter of all.
const size_t PART_OF_ALL = 2;

struct Reserve {
    std::atomic<void*> memory{nullptr};
    size_t size = 0;
};

inline Reserve& reserve() {
    static Reserve only;
    return only;
}

// The new handler: gives the reserve back once.
inline void give_back_reserve() {
    void* memory = reserve().memory.exchange(nullptr);
    if (!memory) throw std::bad_alloc();
    munmap(memory, reserve().size);
}

// Sets memory aside for a process of `used` bytes. Returns whether there is half as much as is wanted at least.
inline bool set_aside(uint64_t used) {
    Reserve& held = reserve();
    const size_t wanted = std::max<size_t>(LEAST_RESERVE, used / PART_OF_ALL);
    if (held.memory && held.size >= wanted) return true;
    void* memory = mmap(nullptr, wanted, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED) return held.memory && held.size >= wanted / 2;
    if (void* old = held.memory.exchange(nullptr)) munmap(old, held.size);
    held.size = wanted;
    held.memory = memory;
    std::set_new_handler(give_back_reserve);
    return true;
}

inline bool is_given_back() { return reserve().size && !reserve().memory; }
inline bool has_reserve() { return reserve().memory != nullptr; }

// The resident bytes of this process; 0 where the system does not tell.
inline uint64_t resident_bytes() {
    char text[64] = {};
    unsigned long long all = 0, resident = 0;
    const int file = open("/proc/self/statm", O_RDONLY | O_CLOEXEC);
    if (file < 0) return 0;
    const ssize_t n = read(file, text, sizeof text - 1);
    close(file);
    if (n <= 0 || sscanf(text, "%llu %llu", &all, &resident) != 2) return 0;
    return resident * uint64_t(sysconf(_SC_PAGESIZE));
}

}  // namespace jubatus
