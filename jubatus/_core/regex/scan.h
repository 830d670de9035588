// Runs regular expressions that pattern.py has compiled to steps, in time linear in the text.
//
// A match is found as a backtracking matcher finds it: of two ways the first one is tried first. What is behind a step and
// a place in the text does not depend on how they were reached. So a SPLIT that once failed at a place fails there again,
// in later searches of the same text too, and a bit says so. The end of a SPAN is kept likewise.
#pragma once
#include <time.h>

#include <cstdint>
#include <cstring>
#include <new>
#include <vector>

namespace jubatus {

// As in pattern.py.
enum ScanOp {
    SCAN_BYTE, SCAN_CLASS, SCAN_SPAN, SCAN_SPLIT, SCAN_JUMP, SCAN_SAVE, SCAN_START, SCAN_END, SCAN_LAST, SCAN_MATCH,
    SCAN_BACK
};
enum { SCAN_NO, SCAN_YES, SCAN_ASK };
enum { SCAN_MISMATCH = -1, SCAN_GAVE_UP = -2 };

// Steps that a search may take: enough for any expression whose time is linear, unless it has very many parts.
constexpr uint64_t LEAST_STEPS = 10000;
constexpr uint64_t STEPS_PER_BYTE = 64;
// Steps of the library may be long ones, which it does not count. So its searches have a limit of the thread's time too:
// LEAST_NS, and so many ns for each step that they may take. A short step, ours or the library's, takes a few ns.
constexpr uint64_t LONG_STEP_NS = 64, LEAST_NS = 10000000;
inline uint64_t most_steps(size_t size) { return LEAST_STEPS + STEPS_PER_BYTE * size; }

// onig_match
typedef int (*ScanMatch)(void* regex, const unsigned char* text, const unsigned char* end, const unsigned char* at,
                         void* region, unsigned int option);

struct ScanStep {
    int op, a, b;
    int number;  // of the SPLIT or SPAN
};

// What a step takes for one character. The library is asked once about each character of several bytes.
struct ScanClass {
    void* regex = nullptr;
    ScanMatch match = nullptr;
    uint8_t answers[256];      // by the first byte
    uint8_t lengths[256];      // of a character by its first byte
    std::vector<uint8_t> two, three;  // answers to characters of two and three bytes, plus 1

    ScanClass() : two(1 << 11), three(1 << 16) {}

    int ask(const uint8_t* p, size_t n) const {
        unsigned char copy[16] = {0};
        memcpy(copy, p, n);
        const int found = match(regex, copy, copy + n, copy, nullptr, 0);
        return found < 0 ? 0 : found;
    }
    // Returns how many bytes the character at p has, which may be more than are left; 0 if it is not taken.
    int take(const uint8_t* p, size_t left) {
        const uint8_t answer = answers[*p];
        if (answer != SCAN_ASK) return answer;
        const size_t length = lengths[*p];
        if (left < length) return ask(p, left);
        if (!is_well_formed(p, length) || length > 3) return ask(p, length);
        uint8_t* known = length == 2 ? &two[(p[0] & 0x1f) << 6 | (p[1] & 0x3f)]
                                     : &three[(p[0] & 0x0f) << 12 | (p[1] & 0x3f) << 6 | (p[2] & 0x3f)];
        uint8_t value = __atomic_load_n(known, __ATOMIC_RELAXED);
        if (value == 0) {
            value = uint8_t(1 + ask(p, length));
            __atomic_store_n(known, value, __ATOMIC_RELAXED);
        }
        return value - 1;
    }
    static bool is_well_formed(const uint8_t* p, size_t length) {
        for (size_t i = 1; i < length; i++)
            if ((p[i] & 0xc0) != 0x80) return false;
        return true;
    }
};

struct ScanProgram {
    std::vector<ScanStep> steps;
    std::vector<ScanClass> classes;
    int splits = 0, spans = 0, groups = 0;
    bool refers = false;     // whether it has a BACK, so that a SPLIT that failed need not fail again
    bool has_first = false;  // whether a match begins with one of the bytes of `first`
    uint8_t first[256];
};

// The searches of one text by one expression.
struct Search {
    struct Entry {
        int step;      // a SPLIT; or ~slot, where `at` was saved before
        uint32_t at : 31, second : 1;  // whether the second way is tried
    };
    struct Span {
        int from, end;
    };
    uint64_t left = 0, limit = 0;  // steps
    void* parameters = nullptr;  // of the library, for expressions that it runs
    void (*free_parameters)(void*) = nullptr;
    int64_t since = 0;           // when the library began, in ns of the thread's time
    uint32_t callouts = 0;
    std::vector<uint64_t> failed;  // a bit for each SPLIT and place
    std::vector<Entry> path;
    std::vector<Span> spans;
    int saved[128];
    size_t width = 0;

    Search() = default;
    Search(const Search&) = delete;
    Search& operator=(const Search&) = delete;
    ~Search() {
        if (parameters) free_parameters(parameters);
    }
    void start(size_t size) {
        limit = left = most_steps(size);
        failed.clear();
        spans.clear();
    }
    bool charge(uint64_t steps) {
        left = left > steps ? left - steps : 0;
        return left > 0;
    }
    // Charges for steps of the library, each of which takes as long as two of ours, and looks at the clock now and then.
    bool charge_callout(uint64_t steps) {
        if (callouts++ % 16 == 0 || steps > 100) {
            timespec now;
            clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
            const int64_t ns = int64_t(now.tv_sec) * 1000000000 + now.tv_nsec;
            if (since == 0) since = ns;
            if (uint64_t(ns - since) > LEAST_NS + limit * LONG_STEP_NS) left = 0;
        }
        return charge(2 * steps);
    }
    // Notes that a SPLIT is tried at a place; returns whether it was not before.
    bool mark(int split, int at) {
        const uint64_t bit = split * width + at, mask = uint64_t(1) << (bit & 63);
        const bool is_new = !(failed[bit >> 6] & mask);
        failed[bit >> 6] |= mask;
        return is_new;
    }
    void unmark(int split, int at) {
        const uint64_t bit = split * width + at;
        failed[bit >> 6] &= ~(uint64_t(1) << (bit & 63));
    }
    uint64_t used() const { return limit - left; }
};

// Returns where the characters that a class takes end. The last answer is kept: from any character in between, they end
// there too.
inline int end_of_span(ScanClass& c, Search& s, int number, const uint8_t* text, int n, int at) {
    Search::Span& known = s.spans[number];
    int from = at, p = at;
    while (p < n) {
        const uint8_t byte = text[p];
        if (known.from <= p && p < known.end && (byte & 0xc0) != 0x80) {
            s.charge((p - at) / 4);
            known.from = from;
            return known.end;
        }
        if (byte < 0x80 && c.answers[byte] == SCAN_YES) {
            p++;
            continue;
        }
        const int length = c.take(text + p, n - p);
        if (length == 0) break;
        // Within what is not UTF-8, characters could begin elsewhere too.
        const bool sound = length > 1 && length <= n - p && ScanClass::is_well_formed(text + p, length);
        p += length;
        s.charge(1);
        if (!sound) from = p;
    }
    s.charge((p - at) / 4);
    known = {from, p};
    return p;
}

// Matches at one place. Returns the end of the match, which may lie behind the text if that ends inside a character.
inline int scan_at(ScanProgram& program, Search& s, const uint8_t* text, int n, int start) {
    const ScanStep* steps = program.steps.data();
    int step = 0, at = start;
    s.path.clear();
    while (s.left > 0) {
        s.left--;
        const ScanStep& now = steps[step];
        bool fits = false;
        switch (now.op) {
            case SCAN_BYTE:
                if ((fits = at < n && text[at] == now.a)) at++;
                step++;
                break;
            case SCAN_CLASS: {
                const int length = at < n ? program.classes[now.a].take(text + at, n - at) : 0;
                fits = length > 0;
                at += length;
                step++;
                break;
            }
            case SCAN_SPAN:
                at = end_of_span(program.classes[now.a], s, now.number, text, n, at);
                step = now.b;
                fits = true;
                break;
            case SCAN_SPLIT: {
                fits = program.refers || s.mark(now.number, at);
                if (!fits) break;
                s.path.push_back({step, uint32_t(at), 0});
                step = now.a;
                break;
            }
            case SCAN_JUMP:
                step = now.a;
                fits = true;
                break;
            case SCAN_SAVE:
                s.path.push_back({~now.a, uint32_t(s.saved[now.a] + 1), 0});
                s.saved[now.a] = at;
                step++;
                fits = true;
                break;
            case SCAN_START:
                fits = at == 0;
                step++;
                break;
            case SCAN_END:
                fits = at == n || (at == n - 1 && text[at] == '\n');
                step++;
                break;
            case SCAN_LAST:
                fits = at == n;
                step++;
                break;
            case SCAN_BACK: {
                const int from = s.saved[2 * now.a], length = s.saved[2 * now.a + 1] - from;
                fits = from >= 0 && length >= 0 && length <= n - at && memcmp(text + from, text + at, length) == 0;
                s.charge(fits ? length / 8 : 0);
                at += length;
                step++;
                break;
            }
            default:
                for (const Search::Entry& entry : s.path)  // these did not fail
                    if (entry.step >= 0 && !program.refers) s.unmark(steps[entry.step].number, entry.at);
                return at;
        }
        while (!fits) {
            if (s.path.empty()) return SCAN_MISMATCH;
            Search::Entry& last = s.path.back();
            if (last.step < 0 || last.second) {
                if (last.step < 0) s.saved[~last.step] = int(last.at) - 1;
                s.path.pop_back();
                continue;
            }
            last.second = 1;
            step = steps[last.step].b;
            at = int(last.at);
            fits = true;
        }
    }
    return SCAN_GAVE_UP;
}

// Finds the first match from `at` on, or only at it. Returns the end of the match; `at` and s.saved say what it has.
inline int scan(ScanProgram& program, Search& s, const char* bytes, size_t size, uint32_t* at, bool only_here) noexcept {
    const uint8_t* text = reinterpret_cast<const uint8_t*>(bytes);
    const int n = int(size), slots = 2 * (program.groups + 1);
    try {
        if (s.spans.empty()) s.spans.resize(program.spans, {0, 0});
        if (s.failed.empty() && program.splits && !program.refers) {
            s.width = size + 4;
            s.failed.resize((program.splits * s.width >> 6) + 1);
        }
        const int last = only_here ? int(*at) : n;
        for (int start = int(*at); start <= last; start++) {
            if (program.has_first) {
                const int from = start;
                while (start < n && start < last && !program.first[text[start]]) start++;
                if (!s.charge((start - from) / 8)) return SCAN_GAVE_UP;
                if (start == n || !program.first[text[start]]) return SCAN_MISMATCH;
            }
            for (int slot = 0; slot < slots; slot++) s.saved[slot] = -1;
            const int end = scan_at(program, s, text, n, start);
            if (end == SCAN_MISMATCH) continue;
            *at = uint32_t(start);
            return end;
        }
        return SCAN_MISMATCH;
    } catch (const std::bad_alloc&) {
        return SCAN_GAVE_UP;
    }
}

}  // namespace jubatus
