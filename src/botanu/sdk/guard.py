"""One guard between our own bugs and the user's program."""

import logging
from types import TracebackType

logger = logging.getLogger("botanu")

SAID_MAX = 1000
"""How many subjects are remembered as spoken of, and spoken of at all."""


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
        return isinstance(error, Exception) and self.caught(error)

    def caught(self, error: Exception) -> bool:
        """Log *error* once, and return whether that is all that comes of it.

        For the few places that every tracked call passes, where a ``with`` would be most of what we cost.
        """
        if self.strict:
            return False
        fault = f"internal fault, the program goes on without: {type(error).__name__}"
        self.say_once(fault, error, about=f"{fault} {_place(error)}")
        return True

    def say_once(self, message: str, error: BaseException | None = None, *, about: str | None = None) -> None:
        """Log *message* as a warning the first time that something is said *about* its subject.

        Without *about*, the message is its own subject: give one where the message holds the program's data.
        """
        subject = message if about is None else about
        if subject in self._said or len(self._said) >= SAID_MAX:
            return
        self._said.add(subject)
        self.say(message, error)

    def say(self, message: str, error: BaseException | None = None) -> None:
        """Log *message* as a warning."""
        logger.warning("%s", message, exc_info=error)


def _place(error: Exception) -> str:
    """Return where *error* was raised."""
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    return "" if trace is None else f"{trace.tb_frame.f_code.co_filename}:{trace.tb_lineno}"


guard = Guard()
