"""The plugin ``libimage_feature.so`` of 1.1: the pixels of an image, or descriptors of its places.

It needs the extra ``jubatus[image]``: OpenCV, in the package opencv-python-headless.
"""

from typing import Any

from jubatus._core.convert.rules import parse_float
from jubatus.errors import ConfigError
from jubatus.plugins import BinaryFeature, Parameters

Features = list[tuple[str, float]]


class Image:
    """Decode images, in colour, and give their features.

    Args:
        algorithm: RGB or ORB.
        size: width and height that each image is brought to, in pixels; None leaves them as they are.
    """

    def __init__(self, algorithm: str, size: tuple[float, float] | None) -> None:
        self.algorithm = algorithm
        self.size = size

    def extract(self, key: str, value: bytes) -> Features:
        """Return the features of the image in any format that OpenCV reads."""
        import cv2
        import numpy

        image = cv2.imdecode(numpy.frombuffer(value, numpy.uint8), cv2.IMREAD_COLOR) if value else None
        if image is None:
            raise ValueError("this is no image that can be decoded")
        if self.size is not None:
            height, width = image.shape[:2]
            image = cv2.resize(image, (0, 0), fx=self.size[0] / width, fy=self.size[1] / height)
        return pixels(key, image) if self.algorithm == "RGB" else descriptors(key, image)


def pixels(key: str, image: Any) -> Features:
    """Return the parts blue (0), green (1) and red (2) of each pixel, from 0 to 1."""
    return [
        (f"{key}#RGB/{x}-{y}-{c}", part / 255.0)
        for y, row in enumerate(image.tolist())
        for x, pixel in enumerate(row)
        for c, part in enumerate(pixel)
    ]


def descriptors(key: str, image: Any) -> Features:
    """Return the bits of the ORB descriptors of all pixels that are far enough from the border.

    The name of a bit begins with the names of the lower bits of its byte, as in 1.1.
    """
    import cv2

    height, width = image.shape[:2]
    grid = [cv2.KeyPoint(float(x), float(y), 1.0) for y in range(1, height - 1) for x in range(1, width - 1)]
    _, rows = cv2.ORB.create().compute(image, grid)
    features = []
    for i, row in enumerate([] if rows is None else rows.tolist()):
        for j, byte in enumerate(row):
            name = ""
            for bit in range(8):
                name += f"{key}#ORB/{i}-{8 * j + bit}"
                features.append((name, float(byte >> bit & 1)))
    return features


def create(parameters: Parameters) -> BinaryFeature:
    """Take ``algorithm`` (RGB, the default, or ORB), ``resize`` (default false), ``x_size`` and ``y_size`` (64)."""
    try:
        import cv2  # noqa: F401
    except ImportError as error:
        raise ConfigError(f"{error}: it comes with the extra jubatus[image]") from error
    try:
        x, y = (parse_float(parameters.get(name, "64.0")) for name in ("x_size", "y_size"))
    except ConfigError:
        x = y = 0.0
    if not (x > 0 and y > 0):
        raise ConfigError("image size must be a positive number")
    resize = parameters.get("resize", "false")
    if resize not in ("true", "false"):
        raise ConfigError("resize must be a boolean value")
    algorithm = parameters.get("algorithm", "RGB")
    if algorithm not in ("RGB", "ORB"):
        raise ConfigError(f"input algorithm among these : RGB, ORB: {algorithm}")
    return Image(algorithm, (x, y) if resize == "true" else None)
