"""One guard between our own bugs and the user's program."""

import logging
from types import TracebackType

logger = logging.getLogger("botanu")

SAID_MAX = 1000
"""How many different messages are remembered as said, and logged at all."""


class Guard:
    """Turns an exception of ours into one log line; with ``strict`` it lets it through.

    Used around the SDK's own work, never around the user's code. ``KeyboardInterrupt`` and the like are
    not ours and always pass.
    """

    __slots__ = ("_said", "strict")

    def __init__(self) -> None:
        """Start lenient."""
        self.strict = False
        self._said: set[str] = set()

    def __enter__(self) -> None:
        pass

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> bool:
        if error is None or self.strict or not isinstance(error, Exception):
            return False
        self.say_once(f"internal fault, the program goes on without: {type(error).__name__}: {error}", error)
        return True

    def say_once(self, message: str, error: BaseException | None = None) -> None:
        """Log *message* as a warning the first time it comes up; ``SAID_MAX`` different ones at most."""
        if message in self._said or len(self._said) >= SAID_MAX:
            return
        self._said.add(message)
        logger.warning("%s", message, exc_info=error)


guard = Guard()
