// Tallies of players: how often each arm was tried for each player, and what it brought. Players, and the arms of a
// player, are in the order of a std::tr1::unordered_map keyed by their names.
#pragma once
#include <algorithm>
#include <cstdint>
#include <string>
#include <vector>

#include "kernels/chains.h"
#include "kernels/names.h"

namespace jubatus {

// Counts have 32 bits, as in the original, and go round at their ends.
inline int32_t plus(int32_t a, int32_t b) { return int32_t(uint32_t(a) + uint32_t(b)); }
inline int32_t minus(int32_t a, int32_t b) { return int32_t(uint32_t(a) - uint32_t(b)); }

// Arms by place. Those that are not registered are known from a file or from another server.
struct Arms {
    Names names;
    std::vector<uint32_t> registered;  // in the order of registration
    std::vector<uint32_t> sorted;      // the same by name
    std::vector<uint32_t> positions;   // by place: where in `registered`, or NONE
    std::vector<uint64_t> births;      // by place: when it came

    void swap(Arms& other) {
        names.swap(other.names);
        registered.swap(other.registered);
        sorted.swap(other.sorted);
        positions.swap(other.positions);
        births.swap(other.births);
    }
    void clear() {
        names.clear();
        registered.clear();
        sorted.clear();
        positions.clear();
        births.clear();
    }
    uint64_t hash(uint32_t at) const { return names.chains.nodes[at].hash; }
    bool is_registered(uint32_t at) const { return at != NONE && positions[at] != NONE; }
    uint32_t enter(const std::string& name, uint64_t now) {
        size_t known = names.size();
        uint32_t at = names.enter(name);
        if (names.size() == known) return at;
        if (at >= positions.size()) {
            positions.resize(at + 1);
            births.resize(at + 1);
        }
        positions[at] = NONE;
        births[at] = now;
        return at;
    }
    std::vector<uint32_t>::iterator by_name(uint32_t at) {
        return std::lower_bound(sorted.begin(), sorted.end(), at,
                                [this](uint32_t a, uint32_t b) { return names.name(a) < names.name(b); });
    }
    void enlist(uint32_t at) {
        positions[at] = uint32_t(registered.size());
        registered.push_back(at);
        sorted.insert(by_name(at), at);
    }
    // The arm is forgotten; no tally of it may be left.
    void leave(uint32_t at) {
        if (is_registered(at)) {
            sorted.erase(by_name(at));
            registered.erase(registered.begin() + positions[at]);
            for (uint32_t i = positions[at]; i < registered.size(); i++) positions[registered[i]] = i;
        }
        names.leave(at);
    }
};

struct Tally {
    uint32_t arm;
    int32_t trials;
    double weight;
};

// The tallies of one player. They stand in the order of their map, so that they are sorted by bucket.
struct Player {
    uint64_t birth = 0;  // when the player came
    int32_t total = 0;
    int step = 0;  // number of buckets: PRIMES[step]
    std::vector<Tally> tallies;

    std::vector<Tally>::iterator seek(const Arms& arms, uint32_t bucket) {
        return std::lower_bound(tallies.begin(), tallies.end(), bucket, [&](const Tally& tally, uint32_t wanted) {
            return remainder(arms.hash(tally.arm), step) < wanted;
        });
    }
    Tally* find(const Arms& arms, uint32_t arm) {
        uint32_t bucket = remainder(arms.hash(arm), step);
        for (auto at = seek(arms, bucket); at != tallies.end(); ++at) {
            if (at->arm == arm) return &*at;
            if (remainder(arms.hash(at->arm), step) != bucket) break;
        }
        return nullptr;
    }
    // The tally of an arm; a new one is at the front of its bucket.
    Tally* enter(const Arms& arms, uint32_t arm) {
        if (Tally* known = find(arms, arm)) return known;
        if (tallies.size() + 1 > PRIMES[step]) grow(arms);
        return &*tallies.insert(seek(arms, remainder(arms.hash(arm), step)), Tally{arm, 0, 0.0});
    }
    // Each tally, in order, moves to the front of its new bucket.
    void grow(const Arms& arms) {
        step++;
        std::reverse(tallies.begin(), tallies.end());
        std::stable_sort(tallies.begin(), tallies.end(), [&](const Tally& a, const Tally& b) {
            return remainder(arms.hash(a.arm), step) < remainder(arms.hash(b.arm), step);
        });
    }
    void drop(uint32_t arm) {
        for (size_t i = 0; i < tallies.size(); i++)
            if (tallies[i].arm == arm) {
                total = minus(total, tallies[i].trials);
                tallies.erase(tallies.begin() + i);
                return;
            }
    }
    bool is_empty() const {
        for (const Tally& tally : tallies)
            if (tally.trials || tally.weight != 0) return false;
        return total == 0;
    }
};

struct Players {
    Names names;
    std::vector<Player> players;  // by place

    void swap(Players& other) {
        names.swap(other.names);
        players.swap(other.players);
    }
    void clear() {
        names.clear();
        players.clear();
    }
    Player* find(const std::string& name) {
        uint32_t at = names.find(name);
        return at == NONE ? nullptr : &players[at];
    }
    // A player, who starts as `fresh` if new.
    Player* enter(const std::string& name, const Player& fresh, uint64_t now) {
        size_t known = names.size();
        uint32_t at = names.enter(name);
        if (at == players.size()) players.emplace_back();
        if (names.size() > known) {
            players[at] = fresh;
            players[at].birth = now;
        }
        return &players[at];
    }
    bool leave(const std::string& name) {
        uint32_t at = names.find(name);
        if (at == NONE) return false;
        names.leave(at);
        players[at] = Player();
        return true;
    }
    void enter_arm(const Arms& arms, uint32_t arm) {
        for (int32_t at : names.order()) players[at].enter(arms, arm);
    }
    void drop_arm(uint32_t arm) {
        for (Player& player : players) player.drop(arm);
    }
};

}  // namespace jubatus
