"""The last moment to deliver: the end of a process, however it comes about.

Three ends pass ``atexit`` by: SIGTERM at its default, a child of ``multiprocessing``, and a worker of Celery's pool.
"""

from __future__ import annotations

import atexit
import os
import signal
import sys
import threading
from typing import TYPE_CHECKING

from botanu.sdk.guard import guard

if TYPE_CHECKING:
    from collections.abc import Callable


def before_end_of_program(deliver: Callable[[], object]) -> None:
    """Call *deliver* when the interpreter ends, or SIGTERM is about to end it; a handler of the program's stays."""
    atexit.register(deliver)
    if threading.current_thread() is threading.main_thread() and signal.getsignal(signal.SIGTERM) is signal.SIG_DFL:
        signal.signal(signal.SIGTERM, _delivering_first(deliver))


def _delivering_first(deliver: Callable[[], object]) -> Callable[[int, object], None]:
    def end(number: int, _frame: object) -> None:
        with guard:
            deliver()
        signal.signal(number, signal.SIG_DFL)
        os.kill(os.getpid(), number)

    return end


def leave_signals_to_the_program() -> None:
    """Have signals go to other threads than this one.

    Celery's pool puts SIGTERM off while it writes its last message, in its own thread alone. Where another thread takes
    the signal the process ends within the message, and the pool never goes on.
    """
    if hasattr(signal, "pthread_sigmask"):  # pragma: no branch - Windows has none
        signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM, signal.SIGINT, signal.SIGQUIT, signal.SIGHUP})


def before_end_of_child(deliver: Callable[[], object]) -> None:
    """Call *deliver* when this process ends, where it is a child of ``multiprocessing`` or of Celery's pool."""
    if "multiprocessing.process" in sys.modules:
        from multiprocessing import parent_process, util  # noqa: PLC0415 - only where it is in use

        if parent_process() is not None:
            util.Finalize(None, deliver, exitpriority=0)
    if "celery.signals" in sys.modules:
        from celery.signals import worker_process_shutdown  # noqa: PLC0415 - only where it is in use

        worker_process_shutdown.connect(lambda **_: deliver(), weak=False)
