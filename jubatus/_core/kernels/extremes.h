// A queue of numbers that knows its extremes, each in constant time on average. NaN is passed over; of numbers that are
// equal (zeros of both signs) the oldest counts.
#pragma once
#include <cstddef>
#include <limits>
#include <vector>

namespace jubatus {

struct Extremes {
    struct Item {
        double value;
        double top, bottom;  // of this and the later items before `scanned`
    };
    static constexpr double INF = std::numeric_limits<double>::infinity();
    std::vector<Item> items;
    size_t first = 0, scanned = 0;
    double top = -INF, bottom = INF;  // of the items from `scanned` on, once there was a scan

    size_t size() const { return items.size() - first; }
    double value(size_t i) const { return items[first + i].value; }
    void push(double value) {
        if (value > top) top = value;
        if (value < bottom) bottom = value;
        items.push_back({value, value, value});
    }
    void pop() {
        first++;
        if (2 * first <= items.size() || first < 16) return;
        std::vector<Item>(items.begin() + ptrdiff_t(first), items.end()).swap(items);  // gives memory back
        scanned = scanned > first ? scanned - first : 0;
        first = 0;
    }
    void clear() { *this = Extremes(); }
    // For a queue that has an item.
    double highest() {
        scan();
        return items[first].top < top ? top : items[first].top;
    }
    double lowest() {
        scan();
        return bottom < items[first].bottom ? bottom : items[first].bottom;
    }

  private:
    // Notes with each item the extremes from it on, if the oldest was not there at the last scan.
    void scan() {
        if (first < scanned) return;
        double high = -INF, low = INF;
        for (size_t i = items.size(); i-- > first;) {
            if (items[i].value >= high) high = items[i].value;
            if (items[i].value <= low) low = items[i].value;
            items[i].top = high;
            items[i].bottom = low;
        }
        scanned = items.size();
        top = -INF;
        bottom = INF;
    }
};

}  // namespace jubatus
