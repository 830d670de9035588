"""The plugin for images by its old name."""

import sys

import cv2
import numpy
import pytest

from jubatus._core.convert.converter import Converter
from jubatus._core.wire import pack
from jubatus.errors import ConfigError, ModelError

IMAGE = numpy.array([[[0, 51, 255], [102, 0, 0]], [[0, 0, 153], [204, 0, 0]], [[0, 0, 0], [255, 0, 0]]], numpy.uint8)


def png(image: numpy.ndarray) -> bytes:
    return cv2.imencode(".png", image)[1].tobytes()


def converter(**parameters: str) -> Converter:
    made = {"method": "dynamic", "path": "libimage_feature.so", "function": "create", **parameters}
    return Converter({"binary_types": {"i": made}, "binary_rules": [{"key": "*", "type": "i"}]}, ".converter")


def features(image: bytes, **parameters: str) -> list[tuple[bytes, float]]:
    vector: list[tuple[bytes, float]] = converter(**parameters).vector(pack([[], [], [["p", image]]]))
    return vector


def test_pixels() -> None:
    assert features(png(IMAGE)) == [
        (b"p@i#RGB/0-0-1", 0.2), (b"p@i#RGB/0-0-2", 1.0), (b"p@i#RGB/1-0-0", 0.4), (b"p@i#RGB/0-1-2", 0.6),
        (b"p@i#RGB/1-1-0", 0.8), (b"p@i#RGB/1-2-0", 1.0),
    ]  # fmt: skip
    grey = features(png(numpy.full((1, 1), 51, numpy.uint8)), algorithm="RGB")
    assert grey == [(f"p@i#RGB/0-0-{c}".encode(), 0.2) for c in range(3)]


def test_resizing() -> None:
    white = png(numpy.full((30, 20, 3), 255, numpy.uint8))
    assert len(features(white)) == 30 * 20 * 3
    assert len(features(white, resize="true", x_size="8", y_size="4.0")) == 8 * 4 * 3
    assert features(white, resize="true", x_size="8", y_size="4")[-1] == (b"p@i#RGB/7-3-2", 1.0)
    assert len(features(white, resize="true")) == 64 * 64 * 3


def test_descriptors() -> None:
    """As many rows as there are places 31 pixels from the border; the name of a bit has those of the lower bits before."""
    image = numpy.random.RandomState(0).randint(0, 256, (65, 64, 3), numpy.uint8)
    made = features(png(image), algorithm="ORB")
    names = [
        "".join(f"p@i#ORB/{row}-{8 * byte + bit}" for bit in range(last + 1))
        for row in range(6)
        for byte in range(32)
        for last in range(8)
    ]
    assert {value for _, value in made} == {1.0}
    assert set(made) <= {(name.encode(), 1.0) for name in names}
    assert {name.split(b"/")[1].split(b"-")[0] for name, _ in made} == {b"0", b"1", b"2", b"3", b"4", b"5"}
    grid = [cv2.KeyPoint(float(x), float(y), 1.0) for y in range(31, 34) for x in range(31, 33)]
    _, rows = cv2.ORB.create().compute(image, grid)
    bits = numpy.unpackbits(rows, axis=1, bitorder="little").ravel()
    assert [name for name, _ in made] == [name.encode() for name, bit in zip(names, bits, strict=True) if bit]
    assert features(png(image[:40]), algorithm="ORB") == []


@pytest.mark.parametrize("data", [b"", b"x", png(IMAGE)[:30]])
def test_what_is_no_image_is_refused(data: bytes) -> None:
    with pytest.raises(ModelError, match=r"ValueError: this is no image that can be decoded: in the conversion of p$"):
        features(data)


@pytest.mark.parametrize(
    ("parameters", "cause"),
    [
        ({"x_size": "0"}, "image size must be a positive number"),
        ({"y_size": "-1"}, "image size must be a positive number"),
        ({"x_size": "wide"}, "image size must be a positive number"),
        ({"resize": "yes"}, "resize must be a boolean value"),
        ({"algorithm": "SURF"}, "input algorithm among these : RGB, ORB: SURF"),
    ],
)
def test_parameters(parameters: dict[str, str], cause: str) -> None:
    with pytest.raises(ConfigError) as caught:
        converter(**parameters)
    name = "failed to load plugin: plugin libimage_feature.so, function create"
    assert str(caught.value) == f"{name}: {cause} (.converter.binary_types.i)"


def test_without_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "cv2", None)
    with pytest.raises(
        ConfigError, match=r"it comes with the extra jubatus\[image\] \(\.converter\.binary_types\.i\)$"
    ):
        converter()
