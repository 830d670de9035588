"""Laws that every model keeps, checked for each declared service with arguments made from its declaration.

Which laws of MIX a service keeps, ``tests/services/<name>.py`` says.
"""

from collections.abc import Callable
from typing import Any

import pytest

from jubatus._core.context import ALONE, Context
from jubatus._core.model import Model
from jubatus._core.wire import Reader, pack, unpack
from jubatus.errors import BadArguments, JubatusError, ModelError, ModelFileError
from jubatus.idl import Lock
from tests.core.calls import call, exact, give, mix_alone, mix_of
from tests.core.generate import Arguments
from tests.services import Case, every_case

every_model = every_case()


def arguments_for(case: Case, seed: int | str) -> Arguments:
    return Arguments(seed, case.facts.values)


def learn(case: Case, models: list[Any], seed: int | str, calls: int = 30, forget: bool = True) -> None:
    """Send the same random updates to all models."""
    arguments = arguments_for(case, seed)
    rows = [row for row in case.rows(forget=forget) if row.lock is Lock.UPDATE]
    for _ in range(calls):
        method = arguments.random.choice(rows)
        values = arguments.of_method(method)
        for model in models:
            try:
                call(model, method.name, *values)
            except ModelError:
                pass


def answers(case: Case, model: Any, only: Callable[[str], bool] = lambda row: True) -> Any:
    """Ask everything that changes nothing, or some of it, and return what does not depend on the server."""
    arguments = arguments_for(case, 0)
    before = model.pack()
    result = []
    for method in case.rows():
        if method.lock is Lock.ANALYSIS and only(method.name):
            result += [answer(case, model, method.name, arguments.of_method(method)) for _ in range(4)]
    assert model.pack() == before
    return exact(result)


def answer(case: Case, model: Any, row: str, values: list[Any]) -> Any:
    """Return what one call gives, or the text of its refusal."""
    try:
        return case.facts.settle(row, call(model, row, *values))
    except ModelError as error:
        return str(error)


def rounded(value: Any) -> Any:
    """Round the numbers of a value, for sums in another order."""
    if isinstance(value, float):
        return float(f"{value:.9g}")
    if isinstance(value, dict):
        return {key: rounded(v) for key, v in value.items()}
    return [rounded(v) for v in value] if isinstance(value, list) else value


def form(case: Case, diff: bytes) -> Any:
    """Return a diff without the order of its parts and the last digits of its numbers."""
    return rounded(case.facts.diff(unpack(diff)))


def content(case: Case, model: Any) -> Any:
    """Return what a model consists of, without the order of its parts."""
    return case.facts.stored(unpack(model.pack()))


def three(case: Case, forget: bool = False) -> list[Any]:
    """Make models of a cluster that were mixed once and then learnt different things."""
    models = [case.model(True) for _ in range(3)]
    for round_ in range(2):
        for i, model in enumerate(models):
            learn(case, [model], f"{round_} {i}", 15, forget)
        if round_ == 0:
            mix_all(models)
    return models


def kept_status(case: Case, model: Any) -> dict[str, str]:
    """Return the status without counts of calls and the like, which no model file holds."""
    unsaved = case.facts.unsaved
    return {key: text for key, text in model.status().items() if not key.endswith("_cnt") and key not in unsaved}


def mix_all(models: list[Any]) -> None:
    mixed, snapshots = mix_of(models)
    assert [model.put_diff(mixed, given) for model, given in zip(models, snapshots, strict=True)] == [True] * len(
        models
    )


@every_model
def test_a_model_has_a_handler_for_every_row(case: Case) -> None:
    model = case.model()
    assert isinstance(model, Model)
    for method in case.service.methods:
        assert callable(getattr(model, method.name))
    status = model.status()
    assert all(isinstance(k, str) and isinstance(v, str) for k, v in status.items())


@every_model
@pytest.mark.parametrize("distributed", [False, True])
def test_replies_are_of_the_declared_types(case: Case, distributed: bool) -> None:
    model, arguments = case.model(distributed), arguments_for(case, 5)
    for _ in range(20):
        for method in case.service.methods:
            try:
                method.returns.from_msgpack(call(model, method.name, *arguments.of_method(method)))
            except ModelError:
                pass


@every_model
@pytest.mark.parametrize("distributed", [False, True])
def test_the_same_calls_make_the_same_model(case: Case, distributed: bool) -> None:
    models = [case.model(distributed) for _ in range(2)]
    learn(case, models, 1)
    assert content(case, models[0]) == content(case, models[1])
    assert models[0].pack() == models[1].pack() or not case.facts.repeatable(case.config)


@every_model
@pytest.mark.parametrize("seed", range(3))
def test_a_model_goes_on_alike_with_what_is_packed_aside(case: Case, seed: int) -> None:
    """Random numbers, numbers of ids and the like are in no model file; with them nothing tells a copy from the model."""
    model, again = case.model(), case.model()
    learn(case, [again], f"{seed} other")
    learn(case, [model], f"{seed} before", 60)
    again.unpack(model.pack())
    again.unpack_aside(model.pack_aside())
    assert again.pack_aside() == model.pack_aside()
    for part in range(4):
        arguments = arguments_for(case, f"{seed} {part}")
        rows = [row for row in case.rows() if row.lock is not Lock.ANALYSIS]
        for _ in range(15):
            method = arguments.random.choice(rows)
            values = arguments.of_method(method)
            assert outcome(model, method.name, values) == outcome(again, method.name, values)
        assert content(case, again) == content(case, model)
        assert again.pack_aside() == model.pack_aside()
        # The last bit of an entropy is that of the order of a map, which depends on all the names it ever had.
        assert rounded(answers(case, again)) == rounded(answers(case, model))


def outcome(model: Any, row: str, values: list[Any]) -> Any:
    """Return what a call gives, or the text of its refusal."""
    try:
        return exact(call(model, row, *values))
    except JubatusError as error:
        return str(error)


@every_model
def test_what_is_not_packed_aside_is_refused(case: Case) -> None:
    model = case.model()
    learn(case, [model], 1)
    aside = model.pack_aside()
    for broken in (b"", aside[:-1], aside + b"\xc0", b"\x90", pack(["x"] * 9), pack({})):
        with pytest.raises(ModelFileError):
            case.model().unpack_aside(broken)


@every_model
@pytest.mark.parametrize("distributed", [False, True])
def test_a_packed_model_answers_and_learns_alike(case: Case, distributed: bool) -> None:
    model, again = (case.model(distributed) for _ in range(2))
    learn(case, [model], 2)
    learn(case, [again], 3)
    again.unpack(model.pack())
    assert answers(case, again) == answers(case, model)
    assert kept_status(case, again) == kept_status(case, model)
    assert content(case, again) == content(case, model)
    if case.facts.whole(case.config):
        learn(case, [model, again], 4)
        assert answers(case, again) == answers(case, model)


@every_model
def test_a_model_knows_where_it_runs(case: Case) -> None:
    assert case.model().context is ALONE
    context = Context()
    model = case.service.model_class(case.config, distributed=True, context=context)
    assert model.context is context
    assert model.fresh().context is context


@every_model
@pytest.mark.parametrize("distributed", [False, True])
def test_where_all_keys_are_held_nothing_is_reassigned(case: Case, distributed: bool) -> None:
    model = case.model(distributed)
    learn(case, [model], 2)
    before = content(case, model)
    assert model.reassign() is None
    assert content(case, model) == before


@every_model
def test_clear_leaves_the_model_as_new(case: Case) -> None:
    model = case.model()
    learn(case, [model], 2, forget=False)
    assert model.pack() != case.model().pack()
    assert call(model, "clear") is True
    assert model.pack() == case.model().pack()
    assert answers(case, model) == answers(case, case.model())


@every_model
@pytest.mark.parametrize("distributed", [False, True])
def test_a_refused_model_file_changes_nothing(case: Case, distributed: bool) -> None:
    model, other = (case.model(distributed) for _ in range(2))
    learn(case, [model], 2, 10)
    learn(case, [other], 3, 10)
    data, before, asked = other.pack(), model.pack(), answers(case, model)
    random = Arguments(6).random
    broken = [
        data[:size] for size in {*range(0, min(len(data), 60)), *random.sample(range(len(data)), min(60, len(data)))}
    ]
    broken += [b"", b"\xc0", b"\x90", b"\x91\x90", b"\xc1", data + b"\x00", pack({}), pack([5, 5]), b"\x91" * 5000]
    broken += [b"\xdd\xff\xff\xff\xff" + data[1:], data[:2] + b"\xdf\xff\xff\xff\xff" + data[3:]]
    for bad in broken:
        with pytest.raises(ModelFileError):
            model.unpack(bad)
        assert model.pack() == before
    assert answers(case, model) == asked
    for _ in range(300):
        flipped = bytearray(data)
        flipped[random.randrange(len(data))] ^= 1 << random.randrange(8)
        victim = case.model(distributed)
        victim.unpack(before)
        try:
            victim.unpack(bytes(flipped))
        except ModelFileError:
            assert content(case, victim) == case.facts.stored(unpack(before))
        else:
            answers(case, victim)
            learn(case, [victim], 7, 5)
            victim.pack()


@every_model
def test_bad_arguments_change_nothing(case: Case) -> None:
    model, arguments = case.model(), arguments_for(case, 8)
    learn(case, [model], 2, 10)
    for method in case.service.methods:
        for _ in range(60):
            before = model.pack()
            values = [arguments.spoilt(v) for v in arguments.of_method(method)]
            try:
                call(model, method.name, *values)
            except BadArguments:
                assert model.pack() == before
            except ModelError:
                assert model.pack() == before or method.name in case.facts.item_by_item
        before = model.pack()
        if method.args:
            for params in (b"", pack({}), b"\xc1"):
                with pytest.raises(BadArguments):
                    getattr(model, method.name)(Reader(params))
            assert model.pack() == before


@every_case(lambda case: case.facts.order_free(case.config))
def test_mixing_is_associative_and_in_any_order(case: Case) -> None:
    models = three(case)
    a, b, c = (model.get_diff() for model in models)
    mix = models[0].mix
    left, right = mix([mix([a, b]), c]), mix([a, mix([b, c])])
    assert mix([a, b, c]) == left
    assert form(case, left) == form(case, right)
    assert form(case, mix([a, b])) == form(case, mix([b, a]))
    assert form(case, left) == form(case, mix([c, b, a]))


@every_case(lambda case: case.facts.adds_up)
def test_a_mixed_diff_is_that_of_one_that_saw_all(case: Case) -> None:
    parts, whole = [case.model(True) for _ in range(3)], case.model(True)
    for i, model in enumerate(parts):
        learn(case, [model, whole], i, 10, False)
    assert form(case, whole.mix([model.get_diff() for model in parts])) == form(case, whole.get_diff())


@every_model
def test_mixing_with_the_diff_of_nobody_changes_nothing(case: Case) -> None:
    model = case.model(True)
    nobody = pack(case.facts.nobody(unpack(case.model(True).get_diff())))
    learn(case, [model], 9, 10, False)
    diff = model.get_diff()
    for mixed in (model.mix([diff, nobody]), model.mix([nobody, diff])):
        assert form(case, mixed) == form(case, diff)


@every_case(lambda case: any(case.facts.alike(case.config, row.name) for row in case.service.methods))
def test_after_a_mix_all_servers_answer_alike(case: Case) -> None:
    def alike(row: str) -> bool:
        return case.facts.alike(case.config, row)

    models = three(case)
    mix_all(models)
    want = answers(case, models[0], alike)
    assert [answers(case, model, alike) for model in models[1:]] == [want, want]
    if case.facts.emptied:
        diffs = [form(case, model.get_diff()) for model in models]
        assert diffs[0] == diffs[1] == diffs[2]


@every_case(lambda case: case.facts.versioned)
def test_a_diff_of_another_version_is_refused(case: Case) -> None:
    model, ahead = (case.model(True) for _ in range(2))
    learn(case, [model], 2, 10)
    mix_alone(ahead)
    before, (diff, snapshot) = model.pack(), give(model)
    assert model.put_diff(ahead.get_diff(), snapshot) is False
    assert model.pack() == before
    assert model.mix([diff, ahead.get_diff()]) == model.mix([ahead.get_diff(), diff]) == ahead.get_diff()
    assert ahead.put_diff(case.model(True).get_diff()) is False


@every_model
def test_a_diff_that_is_none_is_refused(case: Case) -> None:
    model = three(case)[0]
    diff = model.get_diff()
    random = Arguments(10).random
    broken = [b"", b"\xc0", b"\x90", pack([[], [], []]), pack(["", {}, 5]), pack({}), b"\x91" * 5000]
    broken += [diff[: random.randrange(len(diff))] for _ in range(60)]
    before = model.pack()
    for bad in broken:
        with pytest.raises(JubatusError):
            model.put_diff(bad)
        for pair in ((bad, diff), (diff, bad)):
            with pytest.raises(JubatusError):
                model.mix(pair)
        assert model.pack() == before
    for _ in range(200):
        flipped = bytearray(diff)
        flipped[random.randrange(len(diff))] ^= 1 << random.randrange(8)
        victim = case.model(True)
        victim.unpack(before)
        whole = victim.pack()
        try:
            victim.put_diff(victim.mix([diff, bytes(flipped)]))
            victim.put_diff(bytes(flipped))
        except JubatusError:
            pass
        else:
            answers(case, victim)
            continue
        victim.unpack(whole)
        kept = victim.pack()  # ids that share a bucket may have swapped
        try:
            victim.put_diff(bytes(flipped))
        except JubatusError:
            assert victim.pack() == kept
