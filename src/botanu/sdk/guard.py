"""One guard between our own bugs and the user's program."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from types import TracebackType

from botanu.errors import StrictError

logger = logging.getLogger("botanu")

SAID_MAX = 1000
"""How many subjects are remembered as spoken of, and spoken of at all."""


class Guard:
    """Turns an exception of ours into one log line; with ``strict`` it lets it through, and raises what it would log.

    Used around the SDK's own work, never around the user's code. ``KeyboardInterrupt`` and the like are
    not ours and always pass.
    """

    __slots__ = ("_raised", "_said", "strict")

    def __init__(self) -> None:
        """Start lenient."""
        self.strict = False
        self._said: set[str] = set()
        self._raised: list[Exception] | None = None

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
            self._note(error)
            return False
        fault = f"internal fault, the program goes on without: {type(error).__name__}"
        self.say_once(fault, error, about=f"{fault} {_place(error)}")
        return True

    def say_once(self, message: str, error: BaseException | None = None, *, about: str | None = None) -> None:
        """Log *message* as a warning the first time that something is said *about* its subject.

        Without *about*, the message is its own subject: give one where the message holds the program's data.

        Raises:
            StrictError: the guard is strict; then it is not logged, and raised every time.
        """
        if self.strict:
            strict_error = StrictError(message)
            self._note(strict_error)
            raise strict_error from error
        self.log_once(message, error, about=about)

    def log_once(self, message: str, error: BaseException | None = None, *, about: str | None = None) -> None:
        """Do as ``say_once``, but raise nothing, strict or not: for what is no mistake of the program's."""
        subject = message if about is None else about
        if subject in self._said or len(self._said) >= SAID_MAX:
            return
        self._said.add(subject)
        self.say(message, error)

    def say(self, message: str, error: BaseException | None = None) -> None:
        """Log *message* as a warning; a handler of the program's that fails is not heard of."""
        with suppress(Exception):
            logger.warning("%s", message, exc_info=error)

    @contextmanager
    def apart(self, *, strict: bool) -> Iterator[list[Exception]]:
        """Be *strict* or not, and have said nothing yet, as long as the block lasts.

        Yields a list of what strictness raises meanwhile, in any thread: the program may swallow it.
        """
        before = self.strict, self._said, self._raised
        raised: list[Exception] = []
        self.strict, self._said, self._raised = strict, set(), raised
        try:
            yield raised
        finally:
            self.strict, self._said, self._raised = before

    def _note(self, error: Exception) -> None:
        if self._raised is not None and error not in self._raised:
            self._raised.append(error)


def _place(error: Exception) -> str:
    """Return where *error* was raised."""
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    return "" if trace is None else f"{trace.tb_frame.f_code.co_filename}:{trace.tb_lineno}"


guard = Guard()
