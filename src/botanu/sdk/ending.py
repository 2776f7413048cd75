"""The last moment to deliver: the end of a process, however it comes about.

Three ends pass ``atexit`` by: SIGTERM at its default, a child of ``multiprocessing``, and a worker of Celery's pool.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
from contextlib import suppress
from typing import TYPE_CHECKING

from botanu.sdk.guard import guard

if TYPE_CHECKING:
    from collections.abc import Callable


def before_sigterm(deliver: Callable[[], object]) -> None:
    """Call *deliver* when SIGTERM is about to end the program; a handler of the program's stays.

    Only the main thread can arrange for that: called in another, this does nothing. The one who gets SIGTERM may go on:
    as the first process of a container it is not ended by its own signal.
    """
    with suppress(ValueError):  # where handlers are not for us to set: not in the main interpreter
        if threading.current_thread() is threading.main_thread() and signal.getsignal(signal.SIGTERM) is signal.SIG_DFL:
            signal.signal(signal.SIGTERM, _delivering_first(deliver))


def _delivering_first(deliver: Callable[[], object]) -> Callable[[int, object], None]:
    begun: list[int] = []

    def end(number: int) -> None:
        with guard:
            deliver()
        signal.signal(number, signal.SIG_DFL)
        os.kill(os.getpid(), number)

    def handle(number: int, _frame: object) -> None:
        if begun:  # the one before sees to it, in the time there is
            return
        begun.append(number)
        gevent = sys.modules.get("gevent")
        if gevent is not None and gevent.getcurrent() is gevent.get_hub():  # the loop between greenlets must not wait
            gevent.spawn(end, number)
        else:
            end(number)

    return handle


def leave_signals_to_the_program() -> None:
    """Have signals go to other threads than this one.

    Celery's pool puts SIGTERM off while it writes its last message, in its own thread alone. Where another thread takes
    the signal the process ends within the message, and the pool never goes on.
    """
    apart = threading.get_native_id() != threading.main_thread().native_id  # with gevent it is not
    if apart and hasattr(signal, "pthread_sigmask"):  # pragma: no branch - gevent, and Windows, which has none
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
