import pytest

from jubatus.cli import args
from jubatus.cli.args import parse
from jubatus.cli.server import OPTIONS as SERVER
from jubatus.daemon.settings import Kind, Option, flag

OPTIONS = (
    Option("port", "p", Kind.INT, "a port", 9199, 1, 65535),
    Option("server", "s", Kind.STRING, "a server", mandatory=True),
    Option("cmd", "c", Kind.STRING, "a command", mandatory=True),
    Option("num", "N", Kind.UNSIGNED, "a count", 0),
    flag("debug", "d", "tell more"),
    flag("all", "a", "all"),
    Option("long", "", Kind.STRING, "has no letter", "x y"),
)
NEEDED = ("--server=s", "--cmd=c")

USAGE = """\
usage: bin/prog --server=string --cmd=string [options] ...\x20
options:
  -p, --port      a port (int [=9199])
  -s, --server    a server (string)
  -c, --cmd       a command (string)
  -N, --num       a count (unsigned int [=0])
  -d, --debug     tell more
  -a, --all       all
      --long      has no letter (string [=x y])
  -?, --help      print this message
"""


def given(*words: str) -> dict[str, args.Value]:
    return parse(OPTIONS, ["prog", *NEEDED, *words]).values


def ending(*words: str, options: tuple[Option, ...] = OPTIONS, capsys: pytest.CaptureFixture[str]) -> tuple[int, str]:
    """Return exit status and standard error of a command line that ends the process."""
    with pytest.raises(SystemExit) as caught:
        parse(options, ["bin/prog", *words])
    out, err = capsys.readouterr()
    assert out == ""
    assert isinstance(caught.value.code, int)
    return caught.value.code, err


def test_defaults() -> None:
    assert given() == {
        "port": 9199,
        "server": "s",
        "cmd": "c",
        "num": 0,
        "debug": False,
        "all": False,
        "long": "x y",
        "help": False,
    }


@pytest.mark.parametrize(
    "words, name, value",
    [
        (["--port=1"], "port", 1),
        (["--port", "65535"], "port", 65535),
        (["-p", "2"], "port", 2),
        (["-p", "2", "--port=3"], "port", 3),
        (["-p", "+7"], "port", 7),
        (["-p", "0012"], "port", 12),
        (["-N", "4294967295"], "num", 4294967295),
        (["-N", "-1"], "num", 4294967295),
        (["--long="], "long", ""),
        (["--long", ""], "long", ""),
        (["--long", "--debug"], "long", "--debug"),
        (["--long=a=b"], "long", "a=b"),
        (["-s", "-d"], "server", "-d"),
        (["-d"], "debug", True),
        (["-da"], "all", True),
        (["-ad"], "all", True),
        (["-dap", "5"], "port", 5),
        (["-"], "debug", False),
    ],
)
def test_values(words: list[str], name: str, value: args.Value) -> None:
    assert given(*words)[name] == value


@pytest.mark.parametrize(
    "words, error",
    [
        (["a"], "unexpected word: a"),
        (["-d", "a", "b"], "unexpected word: a"),
        (["-", "", "--all"], "unexpected word: "),
        (["--nope"], "undefined option: --nope"),
        (["--nope=3"], "undefined option: --nope"),
        (["--"], "undefined option: --"),
        (["-q"], "undefined short option: -q"),
        (["-dq"], "undefined short option: -q"),
        (["-qd"], "undefined short option: -q"),
        (["-p"], "option needs value: --port"),
        (["--port"], "option needs value: --port"),
        (["-pd", "3"], "option needs value: --port"),
        (["--port="], "option value is invalid: --port="),
        (["--port=0"], "option value is invalid: --port=0"),
        (["--port=65536"], "option value is invalid: --port=65536"),
        (["--port=1x"], "option value is invalid: --port=1x"),
        (["--port", "1.0"], "option value is invalid: --port=1.0"),
        (["-p", "-d"], "option value is invalid: --port=-d"),
        (["--port=" + "9" * 5000], "option value is invalid: --port=" + "9" * 5000),
        (["--num=4294967296"], "option value is invalid: --num=4294967296"),
        (["--debug=1"], "option value is invalid: --debug=1"),
        (["--debug="], "option value is invalid: --debug="),
        (["--nope", "--port=x"], "undefined option: --nope"),
        (["--no\npe"], "undefined option: --no pe"),
    ],
)
def test_errors(words: list[str], error: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert ending(*NEEDED, *words, capsys=capsys) == (1, f"{error}; see prog --help\n")


def test_missing_options_are_told_by_name(capsys: pytest.CaptureFixture[str]) -> None:
    assert ending("-d", capsys=capsys) == (1, "need option: --cmd; see prog --help\n")
    assert ending("-c", "x", capsys=capsys) == (1, "need option: --server; see prog --help\n")
    assert ending("-d", "--port=x", capsys=capsys)[1].startswith("option value is invalid: --port=x; ")


@pytest.mark.parametrize("words", [[], ["--help"], ["-?"], ["--nope", "-?"], ["-d?"]])
def test_help(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert ending(*words, capsys=capsys) == (0, USAGE)


def test_no_words_at_all_are_fine_where_nothing_is_mandatory() -> None:
    assert parse(OPTIONS[:1], ["prog"]).number("port") == 9199


def test_refusal_by_the_command(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        parse(OPTIONS, ["prog", *NEEDED]).refuse("no")
    assert caught.value.code == 1
    assert capsys.readouterr().err == "no; see prog --help\n"


def test_letters_and_names_are_used_once() -> None:
    letters = [option.short for option in [*SERVER, args.HELP] if option.short]
    names = [option.name for option in [*SERVER, args.HELP]]
    assert len(set(letters)) == len(letters)
    assert len(set(names)) == len(names)


def test_server_options_are_those_of_the_original_in_its_order() -> None:
    assert "".join(option.short for option in SERVER) == "pbBctdlgfmDTznxsiZIv"
    defaults = {option.name: option.default for option in SERVER if option.kind is not Kind.FLAG}
    assert {name: value for name, value in defaults.items() if value != ""} == {
        "rpc-port": 9199,
        "thread": 2,
        "timeout": 10,
        "datadir": "/tmp",
        "mixer": "linear_mixer",
        "interval_sec": 16,
        "interval_count": 512,
        "zookeeper_timeout": 10,
        "interconnect_timeout": 10,
        "journal_sync": "everysec",
        "snapshot_interval": 600,
        "snapshot_updates": 1000000,
        "snapshot_keep": 2,
        "max_message_size": 512 << 20,
        "max_new_names": 64 << 20,
        "max_memory": 0,
        "max_connections": 0,
        "max_buffers": 0,
    }
