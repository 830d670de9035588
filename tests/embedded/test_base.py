import copy
import inspect
import json
import os
import pickle
import re
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy
import pytest

import embedded_jubatus
from jubatus import embedded
from jubatus.common import Datum
from jubatus.embedded import Classifier, Embedded, InvalidConfig, Weight
from jubatus.errors import BadArguments, ConfigError, ModelFileError
from jubatus.idl import services
from jubatus.weight.types import Feature

CONFIG = {
    "converter": {
        "string_rules": [{"key": "*", "type": "space", "sample_weight": "tf", "global_weight": "idf"}],
        "num_rules": [{"key": "*", "type": "num"}],
    }
}
OTHER = {"converter": {"num_rules": [{"key": "*", "type": "log"}]}}
DATUM = Datum({"s": "a b a", "n": 3})


@pytest.fixture
def taught() -> Weight:
    weight = Weight(CONFIG)
    for text in ("a b", "a c", "d"):
        weight.update(Datum({"s": text}))
    return weight


def pairs(features: list[Feature]) -> list[tuple[str, float]]:
    return [(feature.key, feature.value) for feature in features]


def test_the_classes_have_the_methods_of_their_declarations() -> None:
    for declared in services().values():
        cls = getattr(embedded, declared.class_name)
        assert cls is getattr(embedded_jubatus, declared.class_name)
        assert issubclass(cls, Embedded)
        for row in declared.methods:
            function = getattr(cls, row.name)
            assert list(inspect.signature(function).parameters) == ["self", *(argument.name for argument in row.args)]
            assert function.__doc__ == row.doc
        for row in declared.all_methods:
            assert callable(getattr(cls, row.name))


def test_the_classes_are_those_of_the_declared_services() -> None:
    names = {declared.class_name for declared in services().values()} | {"Embedded", "InvalidConfig"}
    for module in (embedded, embedded_jubatus):
        assert set(module.__all__) == names <= set(dir(module))
        with pytest.raises(AttributeError, match=rf"^module '{module.__name__}' has no attribute 'Wait'$"):
            module.Wait  # noqa: B018


def test_a_class_is_loaded_when_it_is_asked_for() -> None:
    code = "import sys, embedded_jubatus as e; e.Weight; print('jubatus._core.services.classifier' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=30, check=True)
    assert done.stdout == "False\n"


def test_results_are_those_of_the_client(taught: Weight) -> None:
    found = taught.calc_weight(d=DATUM)
    assert [type(feature) for feature in found] == [Feature] * 3
    assert [feature.key for feature in found] == ["n@num", "s$a@space#tf/idf", "s$b@space#tf/idf"]
    assert taught.clear() is True


def test_arguments_are_checked_as_by_the_client(taught: Weight) -> None:
    with pytest.raises(TypeError, match=r"^type <class 'jubatus.common.datum.Datum'> is expected, but <class 'dict'>"):
        taught.update({})
    for wrong in (lambda: taught.update(), lambda: taught.update(DATUM, DATUM), lambda: taught.update(datum=DATUM)):
        with pytest.raises(TypeError):
            wrong()
    forged = Datum()
    forged.num_values.append(["n", "text"])
    before = taught.save_bytes()[48:]
    with pytest.raises(BadArguments):
        taught.update(forged)
    assert taught.save_bytes()[48:] == before


def test_a_configuration_may_be_an_object_text_or_a_file(tmp_path: Path) -> None:
    text = "\n " + json.dumps(CONFIG)
    file = tmp_path / "config.json"
    file.write_text(text)
    assert Weight(CONFIG).get_config() == json.dumps(CONFIG, sort_keys=True, indent=4)
    for config in (text, str(file), file):
        assert Weight(config).get_config() == text


def test_the_text_of_a_configuration_is_kept_whatever_its_letters() -> None:
    text = '{"converter": {}, "method": "größe あ"}'
    weight = Weight(text)
    assert weight.get_config() == text
    assert pickle.loads(pickle.dumps(weight)).get_config() == text


@pytest.mark.parametrize("config", [{}, [], None, 5, '{"converter":', {"converter": {"num_rules": 1}}], ids=str)
def test_an_unusable_configuration(config: Any) -> None:
    for kind in (InvalidConfig, ConfigError, ValueError, TypeError, RuntimeError):
        with pytest.raises(kind):
            Weight(config)


def test_an_error_in_a_file_names_the_file(tmp_path: Path) -> None:
    file = tmp_path / "config.json"
    file.write_text('{"hoge')
    with pytest.raises(InvalidConfig, match=r"config\.json:1:"):
        Weight(file)
    with pytest.raises(FileNotFoundError):
        Weight(str(tmp_path / "missing.json"))
    with pytest.raises(TypeError):
        Weight()  # type: ignore[call-arg]


def test_a_model_becomes_bytes_and_comes_back(taught: Weight) -> None:
    fresh = Weight(CONFIG)
    assert fresh.load_bytes(taught.save_bytes()) is None  # type: ignore[func-returns-value]
    assert pairs(fresh.calc_weight(DATUM)) == pairs(taught.calc_weight(DATUM))
    assert fresh.get_config() == taught.get_config()
    assert pairs(fresh.update(DATUM)) == pairs(taught.update(DATUM))


def test_a_model_brings_its_configuration(taught: Weight) -> None:
    other = Weight(OTHER)
    other.load_bytes(taught.save_bytes())
    assert other.get_config() == taught.get_config()
    assert pairs(other.calc_weight(DATUM)) == pairs(taught.calc_weight(DATUM))


def test_equal_configurations_keep_the_engine(taught: Weight) -> None:
    text = json.dumps(CONFIG)
    other = Weight(text)
    engine = other._model
    other.load_bytes(taught.save_bytes())
    assert other._model is engine
    assert other.get_config() != text


def broken_files(taught: Weight) -> Iterator[bytes]:
    whole = taught.save_bytes()
    yield b""
    yield whole[:-1]
    yield b"x" + whole[1:]
    yield whole[:-1] + bytes([whole[-1] ^ 1])
    yield whole.replace(b"weight", b"regres", 1)


def test_a_broken_file_changes_nothing(taught: Weight) -> None:
    other = Weight(OTHER)
    for broken in broken_files(taught):
        for weight in (other, taught):
            config, before = weight.get_config(), pairs(weight.calc_weight(DATUM))
            with pytest.raises(ModelFileError):
                weight.load_bytes(broken)
            assert weight.get_config() == config
            assert pairs(weight.calc_weight(DATUM)) == before


def test_a_model_whose_driver_is_broken_changes_nothing(taught: Weight) -> None:
    from jubatus.server.storage import pack_model_file

    before = taught.get_config(), pairs(taught.calc_weight(DATUM))
    for config in (taught._text, json.dumps(OTHER).encode(), b"{}", b"{"):
        parts = pack_model_file(type="weight", id="", config=config, driver=b"\x05", timestamp=0)
        with pytest.raises(ModelFileError):
            taught.load_bytes(b"".join(parts))
        assert (taught.get_config(), pairs(taught.calc_weight(DATUM))) == before


def test_files_are_saved_and_loaded(taught: Weight) -> None:
    id = f"test embedded {os.getpid()}"
    path = Path(f"/tmp/127.0.0.1_0_weight_{id}.jubatus")
    try:
        assert taught.save(id) == {"127.0.0.1_0": str(path)}
        fresh = Weight(CONFIG)
        assert fresh.load(id) is True
        assert pairs(fresh.calc_weight(DATUM)) == pairs(taught.calc_weight(DATUM))
    finally:
        path.unlink(missing_ok=True)
    with pytest.raises(ModelFileError, match=r"^cannot open input file"):
        taught.load(id)


@pytest.mark.parametrize(
    ("id", "text"),
    [("", "empty id is not allowed"), ("a/b", "model ID contains invalid character"), ("é", "model ID contains")],
)
def test_ids_that_are_no_file_names_are_refused(taught: Weight, id: str, text: str) -> None:
    for method in (taught.save, taught.load):
        with pytest.raises(ModelFileError, match=text):
            method(id)


def test_objects_can_be_pickled_and_copied(taught: Weight) -> None:
    for twin in (pickle.loads(pickle.dumps(taught)), copy.copy(taught), copy.deepcopy(taught)):
        assert type(twin) is Weight
        assert pairs(twin.calc_weight(DATUM)) == pairs(taught.calc_weight(DATUM))
        twin.clear()
    assert pairs(taught.calc_weight(DATUM)) != pairs(Weight(CONFIG).calc_weight(DATUM))


def test_the_rest_of_the_methods_of_a_client(taught: Weight) -> None:
    status = taught.get_status()
    assert list(status) == ["embedded"]
    assert status["embedded"]["pid"] == str(os.getpid())
    assert status["embedded"]["clock_time"].isdigit()
    assert "weight_manager_version" in status["embedded"]
    assert taught.do_mix() is True
    assert taught.get_name() == ""
    with pytest.raises(RuntimeError, match=r"^Unsupported$"):
        taught.set_name("name")
    for method in (taught.get_proxy_status, taught.get_client):
        with pytest.raises(RuntimeError):
            method()


def test_it_stands_where_a_client_does(taught: Weight) -> None:
    with taught as same:
        assert same is taught
        features = pairs(same.calc_weight(DATUM))
    taught.close()
    assert pairs(taught.calc_weight(DATUM)) == features


UNKNOWN = {"method": "nothing", "parameter": {}, "converter": {}}
FORGETS = {"method": "PA", "parameter": {"unlearner": "x", "unlearner_parameter": {}}, "converter": {}}


@pytest.mark.parametrize(
    ("config", "text"),
    [
        (UNKNOWN, "unsupported method (classifier(nothing)): one of perceptron, PA, "),
        (FORGETS, "unsupported method (unlearner(x)): one of lru, random is expected"),
    ],
    ids=["method", "unlearner"],
)
def test_an_unknown_method_is_an_invalid_config_that_says_which_there_are(config: Any, text: str) -> None:
    with pytest.raises(InvalidConfig, match=f"^{re.escape(text)}"):
        Classifier(config)
    model = Classifier({"method": "PA", "converter": {}})
    data = model.save_bytes()
    with pytest.raises(ModelFileError, match=r"cannot be used: unsupported method \(classifier\(nothing\)\)"):
        model._become(json.dumps(UNKNOWN).encode(), b"")
    assert model.save_bytes()[48:] == data[48:]


def test_numbers_may_be_of_numpy(taught: Weight) -> None:
    plain = pairs(taught.calc_weight(Datum({"n": 1.5})))
    by_hand = Datum()
    by_hand.num_values.append(("n", numpy.float32(1.5)))
    for datum in (Datum({"n": numpy.float32(1.5)}), by_hand):
        assert pairs(taught.calc_weight(datum)) == plain


def test_threads_may_share_an_object() -> None:
    weight = Weight(CONFIG)

    def work() -> None:
        for _ in range(100):
            weight.update(DATUM)
            weight.calc_weight(DATUM)
        weight.save_bytes()

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    single = Weight(CONFIG)
    for _ in range(400):
        single.update(DATUM)
    assert (
        weight.get_status()["embedded"].items()
        >= {key: value for key, value in single.get_status()["embedded"].items() if "count" in key}.items()
    )
