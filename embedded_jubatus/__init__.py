"""The name under which programs know ``jubatus.embedded``: the same classes, each loaded when it is first asked for."""

from jubatus import embedded

__all__ = embedded.__all__

TYPE_CHECKING = False  # as in typing, which is not imported for this
if TYPE_CHECKING:
    from jubatus.embedded import *  # noqa: F403
else:

    def __getattr__(name: str) -> object:
        """Return a class of ``jubatus.embedded``."""
        if name in __all__:
            return getattr(embedded, name)
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
