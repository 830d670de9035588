// The windows of one keyword: those that documents enter, and those of which it is known where bursts are.
// A window is a row of batches of equal width. Its start is a float that came about by additions, so that two starts are
// compared with a tolerance.
#pragma once
#include <algorithm>
#include <cfloat>
#include <cmath>
#include <cstdint>
#include <utility>
#include <vector>

#include "burst/automaton.h"

namespace jubatus {

struct BurstOptions {
    int32_t batches;  // of a window
    double width;     // of a batch
    int32_t windows;  // that are kept
    int32_t reused;   // weights at most that a window takes over from the one before
    double costcut;
};

struct BurstWindow {
    std::vector<Batch> batches;
    std::vector<double> weights;  // of the batches; none in a window that documents enter
    double start, width;

    double end() const { return start + width * double(batches.size()); }
    // The number of the batch with a position; -1 if there is none.
    int64_t find(double position) const {
        double i = std::floor((position - start) / width);
        return start <= position && position < end() && i >= 0 && i < double(batches.size()) ? int64_t(i) : -1;
    }
};

inline bool is_near(double a, double b, double width) { return std::fabs(a - b) / width < 0.01; }

// How many batches of `older` are the first ones of `newer`, which does not start before it; `at` is the number of the
// first of them. If the borders of the batches do not meet, there are none.
inline size_t shared(const BurstWindow& older, const BurstWindow& newer, size_t& at) {
    double i = (newer.start - older.start) / older.width;
    if (older.width != newer.width || !(std::fabs(i - std::round(i)) <= 0.01)) return 0;
    i = std::round(i);
    if (!(i >= 0 && i < double(older.batches.size()))) return 0;
    at = size_t(i);
    return std::min(older.batches.size() - at, newer.batches.size());
}

// Whether the end of `older` is in `newer`.
inline bool meets(const BurstWindow& older, const BurstWindow& newer) {
    return older.end() > newer.start && !is_near(older.end(), newer.start, newer.width);
}

// What documents enter, the newest window first.
struct BurstInput {
    std::vector<BurstWindow> windows;

    // Counts documents at a position; returns whether the newest window has it, which a document must not be older than.
    bool add(int32_t all, int32_t relevant, double position, const BurstOptions& options) {
        if (windows.empty() || position >= windows[0].end()) open(position, options);
        bool entered = false;
        for (BurstWindow& window : windows) {
            int64_t i = window.find(position);
            if (i < 0) break;
            Batch& batch = window.batches[size_t(i)];
            batch.all = int32_t(uint32_t(batch.all) + uint32_t(all));
            batch.relevant = int32_t(uint32_t(batch.relevant) + uint32_t(relevant));
            entered = true;
        }
        return entered;
    }
    // Drops the windows that the newest one has outrun.
    void prune() {
        while (windows.size() > 1 && !meets(windows.back(), windows[0])) windows.pop_back();
    }

private:
    // Opens a window in whose middle a position is. It starts with what the newest one knows of it.
    void open(double position, const BurstOptions& options) {
        double base = windows.empty() ? 0 : windows[0].start;
        BurstWindow window{std::vector<Batch>(size_t(options.batches), Batch{0, 0}), {}, 0, options.width};
        window.start = base + options.width * (std::floor((position - base) / options.width) - options.batches / 2);
        size_t at = 0, n = windows.empty() ? 0 : shared(windows[0], window, at);
        for (size_t i = 0; i < n; ++i) window.batches[i] = windows[0].batches[at + i];
        windows.insert(windows.begin(), std::move(window));
        while (windows.size() > size_t(options.windows)) windows.pop_back();
    }
};

// The results of a keyword, the newest window first.
struct BurstStore {
    std::vector<BurstWindow> windows;
    double oldest = DBL_MAX;  // start of the oldest one that came since the last MIX

    BurstWindow* newest() { return windows.empty() ? nullptr : &windows[0]; }
    BurstWindow* find(double position) {
        for (BurstWindow& window : windows)
            if (window.start <= position && position < window.end()) return &window;
        return nullptr;
    }
    // Takes in a result. Where there is one of the same start, a foreign one has to have more documents.
    void put(BurstWindow window, bool foreign, const BurstOptions& options) {
        auto at = windows.begin();
        while (at != windows.end() && !is_near(at->start, window.start, window.width) && at->start > window.start) ++at;
        if (at == windows.end() && !windows.empty()) return;
        oldest = std::min(oldest, window.start);
        if (at == windows.end() || !is_near(at->start, window.start, window.width)) {
            windows.insert(at, std::move(window));
            while (windows.size() > size_t(options.windows)) windows.pop_back();
        } else if (!foreign || is_better(window, *at)) {
            *at = std::move(window);
        }
    }
    // How many of the newest ones came since the last MIX, or stand before one that did.
    size_t fresh() const {
        size_t n = 0;
        while (n < windows.size() &&
               (windows[n].start >= oldest || is_near(windows[n].start, oldest, windows[n].width)))
            ++n;
        return n;
    }

private:
    static int64_t documents(const BurstWindow& window) {
        int64_t sum = 0;
        for (const Batch& batch : window.batches) sum += batch.all;
        return sum;
    }
    static bool is_better(const BurstWindow& window, const BurstWindow& known) {
        return window.batches.size() == known.batches.size() && window.width == known.width &&
               documents(window) > documents(known);
    }
};

// What a server knows of a keyword.
struct BurstKeyword {
    double scaling = 0, gamma = 0;
    BurstStore store;
    BurstInput input;
    bool is_processed = false;
    int32_t countdown = 0;  // MIXes after which it is no longer processed; 0 if that is not planned

    // Goes on from the results: documents enter their windows again.
    void resume(const BurstOptions& options) {
        for (const BurstWindow& window : store.windows)
            if (window.width == options.width && window.batches.size() == size_t(options.batches) &&
                (input.windows.empty() || meets(window, input.windows[0]))) {
                input.windows.push_back(window);
                input.windows.back().weights.clear();
            }
    }

    // Finds the bursts in all windows that documents enter.
    void flush(const BurstOptions& options) {
        if (input.windows.empty()) return;
        Automaton automaton(scaling, gamma, options.costcut);
        const BurstWindow& oldest = input.windows.back();
        BurstWindow* found = store.find(oldest.start - options.width / 2);
        BurstWindow before;
        bool has_before = found != nullptr;
        if (found) before = *found;
        for (size_t i = input.windows.size(); i-- > 0;) {
            BurstWindow result = input.windows[i];
            size_t at = 0, n = 0;
            if (has_before && before.start <= result.start) n = shared(before, result, at);
            n = std::min(n, size_t(options.reused));
            for (size_t k = 0; k < n; ++k)
                if (!(before.weights[at + k] < 0)) result.weights.push_back(before.weights[at + k]);
            automaton.run(result.batches, result.weights);
            before = result;
            has_before = true;
            store.put(std::move(result), false, options);
        }
        input.prune();
    }
};

}  // namespace jubatus
