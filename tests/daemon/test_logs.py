import io
import logging
import os
import re
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from jubatus.daemon import logs
from jubatus.errors import ConfigError

log = logging.getLogger("jubatus")
LINE = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d,\d{3} (\d+) ([A-Z]+ *) \[(\w+\.py):\d+\] (.*)\n")


@pytest.fixture(autouse=True)
def _logging_as_it_was(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    root, factory, names = logging.root, logging.getLogRecordFactory(), (logging.WARNING, logging.CRITICAL)
    handlers, level, old = root.handlers[:], root.level, [logging.getLevelName(number) for number in names]
    monkeypatch.setattr(logging, "raiseExceptions", True)
    monkeypatch.setattr(os, "environ", dict(os.environ))
    root.handlers.clear()
    yield
    for handler in root.handlers:
        handler.close()
    root.handlers[:] = handlers
    root.setLevel(level)
    logging.setLogRecordFactory(factory)
    for number, name in zip(names, old, strict=True):
        logging.addLevelName(number, name)


def start(config: str = "", folder: str = "") -> None:
    logs.start(program="jubaweight", address="10.0.0.1", port=9199, config=config, folder=folder)


def write(path: Path, text: str) -> str:
    path.write_text(text)
    return str(path)


def refusal(path: Path, text: str) -> str:
    with pytest.raises(ConfigError) as caught:
        start(write(path, text))
    message = str(caught.value)
    assert message.startswith(f"invalid log configuration: {path}: ")
    return message.removeprefix(f"invalid log configuration: {path}: ")


def test_records_look_as_those_of_the_original(monkeypatch: pytest.MonkeyPatch) -> None:
    out = io.StringIO()
    monkeypatch.setattr(sys, "stdout", out)
    start()
    log.info("one")
    log.debug("unseen")
    log.warning("two")
    log.error("three")
    log.critical("four")
    thread = threading.Thread(target=log.info, args=("five",))
    thread.start()
    thread.join()
    lines = [LINE.fullmatch(line) for line in out.getvalue().splitlines(keepends=True)]
    groups = [line.groups() for line in lines if line]
    own = str(threading.get_native_id())
    assert groups[:4] == [
        (own, "INFO ", "test_logs.py", "one"),
        (own, "WARN ", "test_logs.py", "two"),
        (own, "ERROR", "test_logs.py", "three"),
        (own, "FATAL", "test_logs.py", "four"),
    ]
    assert groups[4][1:] == ("INFO ", "threading.py", "five")
    assert groups[4][0] != own


def test_text_that_cannot_be_encoded_is_written_all_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    raw = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(raw, encoding="ascii"))
    start()
    log.info("caf\u00e9 \udcff")
    sys.stdout.flush()
    assert raw.getvalue().endswith(b"caf\\xe9 \\udcff\n")


def test_a_folder_gets_a_file(tmp_path: Path) -> None:
    start(folder=str(tmp_path))
    log.info("one")
    (path,) = tmp_path.iterdir()
    assert path.name == "jubaweight.10.0.0.1_9199.log"
    path.rename(tmp_path / "old")
    logs.reopen("")
    assert path.exists()
    log.info("two")
    assert "two" in path.read_text()
    assert "two" not in (tmp_path / "old").read_text()


def test_a_file_that_cannot_be_opened(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"^cannot open log file: .*: No such file or directory$"):
        start(folder=str(tmp_path / "none"))


def test_json(tmp_path: Path) -> None:
    text = """{
        "formatters": {"short": {"format": "%(levelname)s %(tid)d %(message)s"}},
        "handlers": {"file": {"class": "logging.FileHandler", "formatter": "short",
                              "filename": "FOLDER/${JUBATUS_PROCESS}-${JUBATUS_HOST}-${JUBATUS_PORT}-${JUBATUS_PID}"}},
        "root": {"handlers": ["file"], "level": "WARNING"}}"""
    start(write(tmp_path / "config", text.replace("FOLDER", str(tmp_path))))
    log.info("one")
    log.warning("two")
    written = (tmp_path / f"jubaweight-10.0.0.1-9199-{os.getpid()}").read_text()
    assert written == f"WARN {threading.get_native_id()} two\n"


def test_ini(tmp_path: Path) -> None:
    text = f"""
        [loggers]
        keys=root
        [handlers]
        keys=file
        [formatters]
        keys=
        [logger_root]
        level=INFO
        handlers=file
        [handler_file]
        class=FileHandler
        args=('{tmp_path}/${{JUBATUS_PORT}}',)
        """
    start(write(tmp_path / "config", re.sub(r"(?m)^ +", "", text)))
    log.info("one")
    assert (tmp_path / "9199").read_text() == "one\n"


XML = """<?xml version="1.0" encoding="UTF-8" ?>
<!DOCTYPE log4j:configuration SYSTEM "log4j.dtd">
<log4j:configuration xmlns:log4j="http://jakarta.apache.org/log4j/">
  <appender name="A" class="CLASS">
    <param name="file" value="FOLDER/${JUBATUS_PROCESS}.log" />
    <layout class="org.apache.log4j.PatternLayout"><param name="ConversionPattern" value="%m%n"/></layout>
  </appender>
  <root><priority value="LEVEL" /><appender-ref ref="A"/></root>
</log4j:configuration>
"""


def xml(folder: Path, kind: str = "org.apache.log4j.FileAppender", level: str = "WARN") -> str:
    return XML.replace("FOLDER", str(folder)).replace("CLASS", kind).replace("LEVEL", level)


def test_xml_of_the_original(tmp_path: Path) -> None:
    start(write(tmp_path / "config", xml(tmp_path)))
    log.info("one")
    log.warning("two")
    found = LINE.fullmatch((tmp_path / "jubaweight.log").read_text())
    assert found
    assert found[4] == "two"


def test_xml_console(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    start(write(tmp_path / "config", xml(tmp_path, "org.apache.log4j.ConsoleAppender", "DEBUG")))
    log.debug("one")
    assert LINE.fullmatch(capsys.readouterr().out)


def test_what_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "config"
    rolling = refusal(path, xml(tmp_path, "org.apache.log4j.rolling.RollingFileAppender"))
    assert rolling == "appender 'RollingFileAppender': a ConsoleAppender, or a FileAppender with a file, is expected"
    assert refusal(path, xml(tmp_path, level="LOUD")).startswith("level 'LOUD' is none of all, trace, debug, info,")
    assert refusal(path, "<a/>") == "an appender is expected"
    assert refusal(path, "<a") == "unclosed token: line 1, column 0"
    assert (
        refusal(path, xml(tmp_path / "none"))
        == f"cannot open log file: {tmp_path}/none/jubaweight.log: No such file or directory"
    )
    assert refusal(path, "") == refusal(path, "hello") == "a JSON, ini or log4cxx XML file is expected"
    assert refusal(path, "{").startswith("Expecting property name")
    assert refusal(path, '{"handlers": {"x": {"class": "none.None"}}}').startswith("Unable to configure handler 'x': ")
    assert refusal(path, "[loggers]\nkeys=root\n")
    path.write_bytes(b"\xff")
    with pytest.raises(ConfigError, match=r"^invalid log configuration: "):
        start(str(path))
    with pytest.raises(ConfigError, match=r"none: No such file or directory$"):
        start(str(tmp_path / "none"))


def test_a_broken_configuration_is_not_taken_up(tmp_path: Path) -> None:
    path = tmp_path / "config"
    start(write(path, xml(tmp_path)))
    path.write_text("nonsense")
    logs.reopen(str(path))
    log.warning("still")
    written = (tmp_path / "jubaweight.log").read_text()
    assert "invalid log configuration; reload aborted: " in written
    assert "still" in written
    path.write_text(xml(tmp_path).replace("${JUBATUS_PROCESS}", "new"))
    logs.reopen(str(path))
    log.warning("moved")
    assert "moved" in (tmp_path / "new.log").read_text()
