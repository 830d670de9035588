"""bandit: chooses among arms, and learns for each player which of them are worth it.

A method gives each arm a score by what is known of it, or draws by chance. All players share one stream of random
numbers; it is no part of the model, so that a model file does not have it and nothing but a new start sets it back.
"""

import time

from libc.float cimport DBL_MAX
from libc.math cimport exp, log, sqrt
from libc.stdint cimport int32_t, uint32_t
from libcpp.string cimport string
from libcpp.vector cimport vector

from jubatus._core.convert.workspace cimport REFUSED, Workspace
from jubatus._core.handler cimport Body, handler
from jubatus._core.kernels.bytes cimport Buffer, Cursor, read_double, read_text
from jubatus._core.kernels.random cimport read_stream, write_stream
from jubatus._core.kernels.table cimport NONE
from jubatus._core.model cimport Model
from jubatus._core.bandit.tallies cimport Player, Tallies, Tally, plus

from jubatus._core.context import ALONE
from jubatus._core.schema import ANY, BOOL, FLOAT, LONG, STRING, Field, optional, structure
from jubatus.errors import ConfigError, UnsupportedMethod

METHODS = {
    "epsilon_greedy": EPSILON_GREEDY,
    "epsilon_decreasing": EPSILON_DECREASING,
    "ucb1": UCB1,
    "softmax": SOFTMAX,
    "exp3": EXP3,
    "ts": TS,
}

NUMBERS = {
    "epsilon_greedy": ("epsilon", "0 <= epsilon <= 1", lambda number: 0 <= number <= 1),
    "epsilon_decreasing": ("decreasing_rate", "0 < d < 1", lambda number: 0 < number < 1),
    "softmax": ("tau", "0 < tau", lambda number: 0 < number),
    "exp3": ("gamma", "0 < gamma <= 1", lambda number: 0 < number <= 1),
}
"""By method, its number: the name, and what must be true of it."""

CONFIG = structure({"method": Field(STRING), "parameter": optional(ANY)})


cdef class Bandit(Model):
    """A bandit with several arms.

    Args:
        config: ``method`` (a key of METHODS) and ``parameter``: ``assume_unrewarded`` (whether an arm counts as tried when
            it is selected, and not when it is rewarded), the method's number (NUMBERS), and for all but ucb1 ``seed`` of
            the random numbers, 0 to 2**32 - 1; without one it is the time.
        distributed: whether it takes part in MIX.

    Raises:
        ConfigError: for a configuration that cannot be used.
        UnsupportedMethod: for an unknown method, if nothing else is wrong.
    """

    def __init__(self, config, *, bint distributed=False, context=ALONE):
        Model.__init__(self, config, distributed=distributed, context=context)
        cdef list errors = []
        cdef dict members = CONFIG(config, "", errors)
        if members is None:
            raise ConfigError(*errors)
        name = members["method"]
        if name in METHODS:
            self.method = METHODS[name]
            if members["parameter"] is None:
                errors.append("parameter block is not specified in config")
            else:
                self.read_parameter(name, members["parameter"], errors)
        elif name is not None:  # the parameter of an unknown method cannot be checked
            unsupported = UnsupportedMethod(f"bandit({name})", *METHODS)
            raise ConfigError(unsupported.explain(), *errors) if errors else unsupported
        if errors:
            raise ConfigError(*errors)
        self.tallies = Tallies()

    cdef int read_parameter(self, str name, object parameter, list errors) except -1:
        """Read the parameter of a method."""
        cdef dict fields = {"assume_unrewarded": Field(BOOL)}
        if name in NUMBERS:
            fields[NUMBERS[name][0]] = Field(FLOAT)
        if name != "ucb1":
            fields["seed"] = optional(LONG)
        members = structure(fields)(parameter, ".parameter", errors)
        if members is None:
            return 0
        self.assume_unrewarded = bool(members["assume_unrewarded"])
        if name in NUMBERS:
            key, wanted, fits = NUMBERS[name]
            number = members[key]
            if number is not None and not fits(number):
                errors.append(f"invalid parameter (expected: {wanted}) (.parameter.{key})")
            elif number is not None:
                self.number = number
        seed = members.get("seed")
        if seed is None:
            seed = time.time_ns() // 1000 & 0xffffffff
        if 0 <= seed < 1 << 32:
            self.random.seed(seed)
        else:
            errors.append("seed must be within unsigned 32 bit integer (.parameter.seed)")
        return 0

    cdef Workspace workspace(self):
        return BanditWorkspace()

    @property
    def register_arm(self):
        """Register an arm; return packed whether it was not yet."""
        return handler(self, <Body>register_arm, True)

    @property
    def delete_arm(self):
        """Forget an arm and what is known of it; return packed whether it was registered."""
        return handler(self, <Body>delete_arm, True)

    @property
    def select_arm(self):
        """Choose an arm for a player; return its packed name.

        Raises:
            ModelError: if no arm is registered, or the one that was chosen is not known to the player, who came from a
                file of others.
        """
        return handler(self, <Body>select_arm)

    @property
    def register_reward(self):
        """Learn what an arm brought a player; return packed whether it was registered, or True.

        Raises:
            ModelError: if the method refuses the reward, or the arm, which is not registered.
        """
        return handler(self, <Body>register_reward)

    @property
    def get_arm_info(self):
        """Return packed {arm: [trials, weight]} of a player, by ascending arm."""
        return handler(self, <Body>get_arm_info)

    @property
    def reset(self):
        """Forget a player; return packed whether there was something to forget."""
        return handler(self, <Body>reset)

    cdef object parts(self):
        return self.tallies

    cdef int pack_own_aside(self, Buffer* out) except -1:
        write_stream(out[0], self.random)
        return 0

    cdef int unpack_own_aside(self, Cursor* c) except 1:
        return read_stream(c[0], self.random)


cdef class BanditWorkspace(Workspace):
    """The memory of a call about a player."""

    cdef void add(self, Tallies tallies, Player* player) noexcept nogil:
        cdef Tally tally
        cdef uint32_t at
        if player == NULL:
            return
        self.total = plus(self.total, player.total)
        for tally in player.tallies:
            at = tallies.arms.positions[tally.arm]
            if at != NONE:
                self.trials[at] = plus(self.trials[at], tally.trials)
                self.weights[at] += tally.weight


cdef void gather(Bandit self, BanditWorkspace w, const string& player) noexcept nogil:
    """Add up what is known of a player."""
    cdef size_t n = self.tallies.arms.registered.size()
    w.total = 0
    w.trials.assign(n, 0)
    w.weights.assign(n, 0.0)
    w.add(self.tallies, self.tallies.mixed.find(player))
    w.add(self.tallies, self.tallies.unmixed.find(player))


cdef int register_arm(Bandit self, Cursor* args, Buffer* out, Workspace w) noexcept nogil:
    cdef string arm
    cdef int status = read_name(args, w, &arm)
    if status == 0:
        out.boolean(self.tallies.register(arm))
    return status


cdef int delete_arm(Bandit self, Cursor* args, Buffer* out, Workspace w) noexcept nogil:
    cdef string arm
    cdef int status = read_name(args, w, &arm)
    if status == 0:
        out.boolean(self.tallies.delete(arm))
    return status


cdef int reset(Bandit self, Cursor* args, Buffer* out, Workspace w) noexcept nogil:
    cdef string player
    cdef int status = read_name(args, w, &player)
    if status == 0:
        out.boolean(self.tallies.reset(player))
    return status


cdef int select_arm(Bandit self, Cursor* args, Buffer* out, BanditWorkspace w) noexcept nogil:
    cdef string player, name
    cdef uint32_t chosen, arm = NONE
    cdef Player* owner
    cdef Tally* tally
    cdef int status = read_name(args, w, &player)
    if status:
        return status
    if self.tallies.arms.registered.empty():
        w.conversion.error.assign(b"arm is not registered")
        return REFUSED
    gather(self, w, player)
    chosen = choose(self, w)
    if chosen != NONE:
        arm = self.tallies.arms.registered[chosen]
        name = self.tallies.arms.names.name(arm)
    if self.assume_unrewarded:
        tally = self.tallies.find(player, arm, &owner)
        if tally == NULL:
            return refuse_arm(w, name)
        tally.trials = plus(tally.trials, 1)
        owner.total = plus(owner.total, 1)
    out.raw(name.data(), name.size())
    return 0


cdef int register_reward(Bandit self, Cursor* args, Buffer* out, BanditWorkspace w) noexcept nogil:
    cdef string player, name
    cdef double reward = 0
    cdef uint32_t arm
    cdef Player* owner
    cdef Tally* tally
    cdef int status = read_name(args, w, &player) or read_name(args, w, &name) or read_reward(args, w, &reward)
    if status:
        return status
    arm = self.tallies.arms.names.find(name)
    if self.method == TS and reward != 0 and reward != 1:
        w.conversion.error.assign(b"reward is not in {0,1}")
        return REFUSED
    if (self.method == TS or self.method == EXP3) and not self.tallies.arms.is_registered(arm):
        out.boolean(False)
        return 0
    if self.method == EXP3:
        gather(self, w, player)
        score_exp3(self, w)
        reward = reward / w.scores[self.tallies.arms.positions[arm]] * self.number / w.scores.size()
    tally = self.tallies.find(player, arm, &owner)
    if tally == NULL:
        return refuse_arm(w, name)
    tally.weight += reward
    if not self.assume_unrewarded:
        tally.trials = plus(tally.trials, 1)
        owner.total = plus(owner.total, 1)
    out.boolean(True)
    return 0


cdef int get_arm_info(Bandit self, Cursor* args, Buffer* out, BanditWorkspace w) noexcept nogil:
    cdef string player
    cdef uint32_t arm, at
    cdef int status = read_name(args, w, &player)
    if status:
        return status
    gather(self, w, player)
    out.map(w.trials.size())
    for arm in self.tallies.arms.sorted:
        at = self.tallies.arms.positions[arm]
        out.raw(self.tallies.arms.names.name(arm).data(), self.tallies.arms.names.name(arm).size())
        out.array(2)
        out.integer(w.trials[at])
        out.number(w.weights[at])
    return 0


cdef int refuse_arm(Workspace w, const string& name) noexcept nogil:
    w.conversion.error.assign(b"arm_id is not registered: ")
    w.conversion.error.append(name)
    return REFUSED


cdef int read_name(Cursor* args, Workspace w, string* name) noexcept nogil:
    cdef int status = read_text(args[0], name[0])
    if status:
        w.conversion.error.assign(b"players and arms must be strings")
    return status


cdef int read_reward(Cursor* args, Workspace w, double* reward) noexcept nogil:
    cdef int status = read_double(args[0], reward[0])
    if status:
        w.conversion.error.assign(b"the reward must be a number")
    return status


# --- how the methods choose; the result is the place of an arm in the order of registration, NONE for no arm


cdef uint32_t choose(Bandit self, BanditWorkspace w) noexcept nogil:
    if self.method == EPSILON_GREEDY:
        return choose_greedily(self, w, self.number)
    if self.method == EPSILON_DECREASING:
        return choose_greedily(self, w, decreasing_epsilon(self.number, w.total, w.trials.size()))
    if self.method == UCB1:
        return choose_ucb1(w)
    if self.method == TS:
        return choose_ts(self, w)
    if self.method == SOFTMAX:
        score_softmax(self, w)
    else:
        score_exp3(self, w)
    return choose_by_weight(self, w)


cdef inline double expectation(BanditWorkspace w, size_t i) noexcept nogil:
    return 0.0 if w.trials[i] == 0 else w.weights[i] / w.trials[i]


cdef double decreasing_epsilon(double rate, int32_t total, size_t n) noexcept nogil:
    """Return how often epsilon_decreasing explores (Auer, Cesa-Bianchi and Fischer 2002)."""
    cdef double t = plus(total, 1)
    cdef double epsilon = 5 * <double>n * (log(t) / t) / (rate * rate)
    return epsilon if epsilon < 1 else 1.0


cdef uint32_t choose_greedily(Bandit self, BanditWorkspace w, double epsilon) noexcept nogil:
    """Return any arm with probability epsilon, else the one with the highest expectation, the first of several."""
    cdef size_t i, n = w.trials.size()
    cdef uint32_t best = 0
    cdef double highest
    if self.random.uniform() < epsilon:
        return self.random.below(n)
    highest = expectation(w, 0)
    for i in range(1, n):
        if expectation(w, i) > highest:
            best, highest = i, expectation(w, i)
    return best


cdef uint32_t choose_ucb1(BanditWorkspace w) noexcept nogil:
    """Return the arm with the highest upper bound (Auer, Cesa-Bianchi and Fischer 2002); first one that was not tried."""
    cdef size_t i, n = w.trials.size()
    for i in range(n):
        if w.trials[i] == 0:
            return i
    w.scores.resize(n)
    for i in range(n):
        w.scores[i] = expectation(w, i) + sqrt(2 * log(<double>w.total) / w.trials[i])
    return highest_score(w)


cdef uint32_t choose_ts(Bandit self, BanditWorkspace w) noexcept nogil:
    """Draw a probability of success for each arm, and return the arm with the highest one (Thompson 1933)."""
    cdef size_t i, n = w.trials.size()
    w.scores.resize(n)
    for i in range(n):
        w.scores[i] = self.random.beta(w.weights[i] + 1, w.trials[i] - w.weights[i] + 1)
    return highest_score(w)


cdef uint32_t highest_score(BanditWorkspace w) noexcept nogil:
    """Return the arm with the highest score, the first of several. A NaN is none."""
    cdef size_t i
    cdef uint32_t best = NONE
    cdef double highest = -DBL_MAX
    for i in range(w.scores.size()):
        if w.scores[i] > highest:
            best, highest = i, w.scores[i]
    return best


cdef void score_softmax(Bandit self, BanditWorkspace w) noexcept nogil:
    cdef size_t i, n = w.trials.size()
    w.scores.resize(n)
    for i in range(n):
        w.scores[i] = exp(expectation(w, i) / self.number)


cdef void score_exp3(Bandit self, BanditWorkspace w) noexcept nogil:
    """Give each arm its probability (Auer, Cesa-Bianchi, Freund and Schapire 2002)."""
    cdef size_t i, n = w.trials.size()
    cdef double sum = 0
    w.scores.resize(n)
    for i in range(n):
        w.scores[i] = exp(w.weights[i])
        sum += w.scores[i]
    for i in range(n):
        w.scores[i] = (1 - self.number) * w.scores[i] / sum + self.number / n


cdef uint32_t choose_by_weight(Bandit self, BanditWorkspace w) noexcept nogil:
    """Return an arm with a probability that is its score's share; the last one if the scores are no numbers."""
    cdef size_t i, n = w.scores.size()
    cdef double sum = 0, at
    for i in range(n):
        sum += w.scores[i]
    at = sum * self.random.uniform()
    sum = 0
    for i in range(n - 1):
        sum += w.scores[i]
        if at < sum:
            return i
    return n - 1
