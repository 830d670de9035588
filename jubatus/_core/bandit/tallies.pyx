"""The state of bandit: the registered arms, and how often each was tried for each player and what it brought.

There are two tables: what all servers agreed on (mixed), and what was learned since the last MIX (unmixed), which is the
diff. The time counts what comes: a player or an arm that left and came again is younger than what was copied before.
"""

from libc.stdint cimport int32_t, uint32_t, uint64_t
from libc.string cimport memcmp
from libcpp.string cimport string

from jubatus._core.kernels.bytes cimport (
    MISMATCH, Buffer, Cursor, close_struct, open_struct, read_array, read_double, read_int32, read_map,
    read_text,
)
from jubatus._core.kernels.table cimport NONE
from jubatus._core.mix.part cimport Part
from jubatus._core.mix.whole cimport Whole

cdef Player NOBODY  # without tallies


cdef class Tallies(Whole):
    """Arms, and the tallies of all players. The diff has no arms: each server registers them by itself."""

    cdef uint64_t tick(self) noexcept nogil:
        self.clock += 1
        return self.clock

    cdef bint register(self, const string& name) noexcept nogil:
        """Register an arm. Return whether it was not yet."""
        cdef uint32_t at = self.arms.enter(name, self.tick())
        if self.arms.is_registered(at):
            return False
        self.arms.enlist(at)
        self.fresh.enter(self.arms, at)
        self.unmixed.enter_arm(self.arms, at)
        return True

    cdef bint delete(self, const string& name) noexcept nogil:
        """Forget an arm and its tallies. Return whether it was registered."""
        cdef uint32_t at = self.arms.names.find(name)
        cdef bint was_registered = self.arms.is_registered(at)
        if at == NONE:
            return False
        self.mixed.drop_arm(at)
        self.unmixed.drop_arm(at)
        self.arms.leave(at)
        self.renew_fresh()
        return was_registered

    cdef void renew_fresh(self) noexcept nogil:
        cdef uint32_t at
        self.fresh = NOBODY
        for at in self.arms.registered:
            self.fresh.enter(self.arms, at)

    cdef Tally* find(self, const string& player, uint32_t arm, Player** owner) noexcept nogil:
        """Return the unmixed tally of an arm, or NULL. A player who is new stays in any case."""
        owner[0] = self.unmixed.enter(player, self.fresh, self.tick())
        if arm == NONE:
            return NULL
        return owner[0].find(self.arms, arm)

    cdef bint reset(self, const string& player) noexcept nogil:
        """Forget a player. Return whether there was something to forget."""
        cdef bint was_mixed = self.mixed.leave(player)
        return self.unmixed.leave(player) or was_mixed

    cdef void clear(self) noexcept nogil:
        self.mixed.clear()
        self.unmixed.clear()
        self.arms.clear()
        self.renew_fresh()
        self.started = self.tick()

    cdef void swap(self, Part other) noexcept:
        cdef Tallies theirs = <Tallies>other
        self.mixed.swap(theirs.mixed)
        self.unmixed.swap(theirs.unmixed)
        self.arms.swap(theirs.arms)
        self.renew_fresh()
        theirs.renew_fresh()
        # Each has the other's things now, which have the other's times.
        self.clock = theirs.clock = max(self.clock, theirs.clock) + 1
        self.started = theirs.started = self.clock

    cdef void pack(self, Buffer* out) noexcept nogil:
        cdef uint32_t at
        out.array(3)
        out.array(self.arms.registered.size())
        for at in self.arms.registered:
            out.raw(self.arms.names.name(at).data(), self.arms.names.name(at).size())
        pack_players(&self.arms, &self.mixed, out)
        pack_players(&self.arms, &self.unmixed, out)

    cdef int unpack(self, Cursor* c) noexcept nogil:
        cdef uint32_t more = 0, n = 0
        cdef string name
        cdef int status = open_struct(c[0], 3, more) or read_array(c[0], n)
        while status == 0 and n:
            status = read_text(c[0], name)
            if status == 0 and not self.register(name):
                status = MISMATCH
            n -= 1
        status = status or add_players(&self.arms, &self.mixed, c, self.tick())
        return status or add_players(&self.arms, &self.unmixed, c, self.clock) or close_struct(c[0], more)

    cdef void pack_diff(self, Buffer* out) noexcept nogil:
        pack_players(&self.arms, &self.unmixed, out)

    cdef int skip_diff(self, Cursor* c) noexcept nogil:
        return skip_players(c)

    cdef void join_diffs(self, Cursor a, Cursor b, Buffer* out) noexcept nogil:
        cdef Arms arms
        cdef Players sum
        add_players(&arms, &sum, &a, 0)
        add_players(&arms, &sum, &b, 0)
        pack_players(&arms, &sum, out)

    cdef void put_diff(self, Cursor mixed) noexcept nogil:
        add_players(&self.arms, &self.mixed, &mixed, self.tick())
        self.started = self.tick()

    cdef uint64_t time(self) noexcept nogil:
        return self.clock

    cdef void subtract(self, Cursor given, uint64_t when) noexcept nogil:
        """Take what was handed out away from each player and arm that was there at that time and still is."""
        cdef uint32_t n = 0
        cdef string name
        cdef Player* player
        if when < self.started:
            return
        read_map(given, n)
        while n:
            read_text(given, name)
            player = self.unmixed.find(name)
            if player != NULL and player.birth > when:
                player = NULL
            self.subtract_player(player, &given, when)
            if player != NULL and player.is_empty():
                self.unmixed.leave(name)
            n -= 1

    cdef void subtract_player(self, Player* player, Cursor* given, uint64_t when) noexcept nogil:
        """Read the packed tallies of a player, and take them away unless the player is NULL."""
        cdef uint32_t n = 0, more = 0, more_of_tally = 0, at
        cdef int32_t total = 0
        cdef string name
        cdef Tally tally = Tally(NONE, 0, 0.0)
        cdef Tally* own
        open_struct(given[0], 2, more)
        read_int32(given[0], total)
        read_map(given[0], n)
        while n:
            read_tally(given, &name, &tally)
            at = self.arms.names.find(name)
            own = NULL
            if player != NULL and at != NONE and self.arms.births[at] <= when:
                own = player.find(self.arms, at)
            if own != NULL:
                own.trials = minus(own.trials, tally.trials)
                own.weight = difference(own.weight, tally.weight)
            else:
                total = minus(total, tally.trials)  # the trials of an arm that was deleted are no longer in the total
            n -= 1
        close_struct(given[0], more)
        if player != NULL:
            player.total = minus(player.total, total)

    cdef void carry_diff(self, Whole other) noexcept nogil:
        (<Tallies>other).replace_diff(self)

    cdef void replace_diff(self, Tallies source) noexcept nogil:
        """Have the diff of another model's part instead of the own one."""
        cdef int32_t at
        cdef Player* given
        cdef Player* player
        cdef Tally tally
        self.unmixed.clear()
        for at in source.unmixed.names.order():
            given = &source.unmixed.players[at]
            player = self.unmixed.enter(source.unmixed.names.name(at), self.fresh, self.tick())
            player.total = given.total
            for tally in given.tallies:
                add_tally(&self.arms, player, source.arms.names.name(tally.arm), &tally, self.clock)


cdef inline int read_tally(Cursor* c, string* arm, Tally* tally) noexcept nogil:
    """Read an arm's name and its tally."""
    cdef uint32_t more = 0
    return (
        read_text(c[0], arm[0]) or open_struct(c[0], 2, more) or read_int32(c[0], tally.trials)
        or read_double(c[0], tally.weight) or close_struct(c[0], more)
    )


cdef inline void add_tally(Arms* arms, Player* player, const string& arm, const Tally* more, uint64_t now) noexcept nogil:
    cdef Tally* tally = player.enter(arms[0], arms.enter(arm, now))
    tally.trials = plus(tally.trials, more.trials)
    tally.weight += more.weight


cdef int add_player(Arms* arms, Player* player, Cursor* c, uint64_t now) noexcept nogil:
    """Read the packed tallies of a player and add them; only check them if the player is NULL."""
    cdef uint32_t n = 0, more = 0
    cdef int32_t total = 0
    cdef string name
    cdef Tally tally
    cdef int status = open_struct(c[0], 2, more) or read_int32(c[0], total) or read_map(c[0], n)
    if status == 0 and player != NULL:
        player.total = plus(player.total, total)
    while status == 0 and n:
        status = read_tally(c, &name, &tally)
        if status == 0 and player != NULL:
            add_tally(arms, player, name, &tally, now)
        n -= 1
    return status or close_struct(c[0], more)


cdef int skip_players(Cursor* c) noexcept nogil:
    """Step over a packed table. Return a negative status if it is malformed."""
    cdef uint32_t n = 0
    cdef string name
    cdef int status = read_map(c[0], n)
    while status == 0 and n:
        status = read_text(c[0], name) or add_player(NULL, NULL, c, 0)
        n -= 1
    return status


cdef int add_players(Arms* arms, Players* players, Cursor* c, uint64_t now) noexcept nogil:
    """Read a packed table and add it to another one."""
    cdef uint32_t n = 0
    cdef string name
    cdef int status = read_map(c[0], n)
    while status == 0 and n:
        status = read_text(c[0], name)
        if status == 0:
            status = add_player(arms, players.enter(name, NOBODY, now), c, now)
        n -= 1
    return status


cdef void pack_players(Arms* arms, Players* players, Buffer* out) noexcept nogil:
    cdef int32_t at
    cdef Player* player
    cdef Tally tally
    out.map(players.names.size())
    for at in players.names.order():
        player = &players.players[at]
        out.raw(players.names.name(at).data(), players.names.name(at).size())
        out.array(2)
        out.integer(player.total)
        out.map(player.tallies.size())
        for tally in player.tallies:
            out.raw(arms.names.name(tally.arm).data(), arms.names.name(tally.arm).size())
            out.array(2)
            out.integer(tally.trials)
            out.number(tally.weight)


cdef inline double difference(double a, double b) noexcept nogil:
    """Return a - b; 0 for the same bits, also if they are no finite number."""
    return 0.0 if memcmp(&a, &b, sizeof(double)) == 0 else a - b
