from jubatus.common import MessageStringGenerator
from jubatus.common.message_string_generator import CLOSE, COLON, DELIMITER, OPEN


def text(*fields: tuple[object, object]) -> str:
    generator = MessageStringGenerator()
    generator.open("test")
    for key, value in fields:
        generator.add(key, value)
    generator.close()
    return generator.to_string()


def test_texts_of_messages() -> None:
    assert text() == "test{}"
    assert text(("k1", "v1")) == "test{k1: v1}"
    assert text(("k1", "v1"), ("k2", 1)) == "test{k1: v1, k2: 1}"
    assert OPEN + COLON + DELIMITER + CLOSE == "{: , }"
