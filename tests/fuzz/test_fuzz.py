"""Any bytes into what reads bytes from the network or from files: parsed, or refused with an exception of the tree.

The run is short and repeatable; ``JUBATUS_FUZZ=<rounds>`` makes it longer and, with ``JUBATUS_FUZZ_SEED``, different.
"""

import os

import pytest

from jubatus._core.convert.converter import Converter
from jubatus._core.wire import FrameSplitter, Reader, pack, unpack
from jubatus.errors import BadArguments, ModelError, ModelFileError
from tests.core.generate import CONVERTER, Arguments
from tests.services import Case, every_case

ROUNDS = int(os.environ.get("JUBATUS_FUZZ", "150"))
SEED = os.environ.get("JUBATUS_FUZZ_SEED", "7")


class Bytes(Arguments):
    """Makes bytes that are nearly right."""

    def mutated(self, data: bytes) -> bytes:
        random = self.random
        piece = bytearray(data)
        for _ in range(random.choice((1, 1, 1, 2, 5))):
            at = random.randrange(len(piece) + 1)
            kind = random.randrange(6)
            if kind == 0 and at < len(piece):
                piece[at] ^= 1 << random.randrange(8)
            elif kind == 1:
                piece[at:at] = random.randbytes(random.randrange(1, 5))
            elif kind == 2:
                del piece[at : at + random.randrange(1, 9)]
            elif kind == 3 and at < len(piece):
                piece[at] = random.choice((0x80, 0x90, 0xA0, 0xC0, 0xC1, 0xCB, 0xDB, 0xDD, 0xDF, 0xFF))
            elif kind == 4:
                del piece[at:]
            else:
                end = at + random.randrange(1, 30)
                piece[at:at] = piece[at:end]
        return bytes(piece)

    def bytes(self) -> bytes:
        """Make random bytes, MessagePack of random values, or such with mistakes."""
        kind = self.random.randrange(4)
        if kind == 0:
            return self.random.randbytes(self.random.randrange(80))
        if kind == 1:
            heads = (0x81, 0x91, 0x92, 0x93, 0xA1, 0xC0, 0xCA, 0xCB, 0xD9, 0xDA, 0xDC, 0xDE, 0x00, 0xC4)
            return bytes(self.random.choice(heads) for _ in range(self.random.randrange(60)))
        packed = pack(self.junk(5))
        return packed if kind == 2 else self.mutated(packed)


def test_reader() -> None:
    source = Bytes(SEED)
    reads = [Reader.unpack, Reader.skip, Reader.raw, Reader.integer, Reader.double, Reader.string, Reader.boolean]
    for _ in range(ROUNDS * 10):
        reader = Reader(source.bytes())
        for _ in range(8):
            before = reader.offset
            try:
                source.random.choice([*reads, Reader.array, Reader.map])(reader)
            except BadArguments:
                break
            assert reader.offset > before


def test_unpacked_values_pack_again() -> None:
    source = Bytes(SEED)
    for _ in range(ROUNDS * 10):
        try:
            value = unpack(source.bytes())
        except BadArguments:
            continue
        assert repr(unpack(pack(value))) == repr(value) or isinstance(value, dict)


@pytest.mark.parametrize("responses", [False, True])
def test_splitter(responses: bool) -> None:
    source = Bytes(f"{SEED} {responses}")
    for _ in range(ROUNDS * 10):
        message = [1, 5, None, source.junk()] if responses else [0, 5, "m", ["", source.junk()]]
        good = pack(message)
        stream = b"".join(source.random.choice((good, source.mutated(good), source.bytes())) for _ in range(4))
        splitter = FrameSplitter(max_size=1 << 16, responses=responses)
        whole = FrameSplitter(max_size=1 << 16, responses=responses)
        at, frames = 0, 0
        while at < len(stream):
            step = source.random.randrange(1, 40)
            got = splitter.feed(stream[at : at + step])
            frames += len(got)
            at += step
            for frame in got:
                assert frame.kind in ((1,) if responses else (0, 2))
                reader = frame.result if responses else frame.params
                assert len(reader.raw()) < frame.size
        assert len(whole.feed(stream)) == frames
        assert (whole.failure is None) == (splitter.failure is None)


def test_converter() -> None:
    source = Bytes(SEED)
    converter = Converter(CONVERTER)
    for _ in range(ROUNDS * 10):
        datum = pack(source.datum())
        data = source.random.choice((source.mutated(datum), source.bytes(), pack(source.spoilt(source.datum()))))
        try:
            converter.vector(data)
        except (BadArguments, ModelError):
            pass


@every_case()
@pytest.mark.parametrize("distributed", [False, True])
def test_handlers(case: Case, distributed: bool) -> None:
    source = Bytes(f"{SEED} {case.name}", case.facts.values)
    model = case.model(distributed)
    for _ in range(ROUNDS):
        method = source.random.choice(case.service.methods)
        right = b"".join(pack(v) for v in source.of_method(method))
        data = source.random.choice((right, source.mutated(right), source.mutated(right), source.bytes()))
        before = model.pack()
        try:
            reply = getattr(model, method.name)(Reader(data))
        except BadArguments:
            assert model.pack() == before
        except ModelError:
            assert model.pack() == before or method.name in case.facts.item_by_item
        else:
            unpack(reply)


@every_case()
def test_model_files(case: Case) -> None:
    source = Bytes(f"{SEED} {case.name} file", case.facts.values)
    model = case.model()
    for _ in range(ROUNDS):
        method = source.random.choice(case.service.methods)
        try:
            getattr(model, method.name)(Reader(b"".join(pack(v) for v in source.of_method(method))))
        except ModelError:
            pass
        before = model.pack()
        try:
            model.unpack(source.mutated(before))
        except ModelFileError:
            assert model.pack() == before
