"""The queue between the program and the server: bounded, counted, never in the program's way.

Every span is delivered, dropped or waiting, at every moment, and so is every run. What is dropped is counted.
"""

from __future__ import annotations

import math
import random
import threading
import time
import weakref
from collections import deque
from contextlib import suppress
from itertools import chain
from queue import Empty, SimpleQueue
from threading import TIMEOUT_MAX
from typing import TYPE_CHECKING

from opentelemetry.context import _SUPPRESS_INSTRUMENTATION_KEY, attach, detach, set_value

from botanu.sdk.ending import before_end_of_child, leave_signals_to_the_program
from botanu.sdk.guard import guard
from botanu.sdk.process import in_each_child
from botanu.sdk.sent import Counts, Fate, Sent, Total
from botanu.sdk.spans import is_vital, runs_among

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from opentelemetry.sdk.trace import ReadableSpan

    from botanu.sdk.sender import Sender

BATCH_SPANS = 512
"""Most spans in one request: enough to make it worth it, few enough to encode without a pause."""

WAIT_SECONDS_MIN, WAIT_SECONDS_MAX = 0.05, 30.0
"""First wait before trying again while the server is away, doubled each time, and the longest."""

RETRY_AFTER_SECONDS_MAX = 300.0
"""Longest wait that a server gets which asks for one."""

WAIT_SECONDS_FLUSHING = 0.5
"""Longest wait before trying again while the program waits for its spans to arrive."""

_INTERRUPTED = Sent(Fate.AWAY, reason="sending was interrupted")

_jitter = random.Random()  # noqa: S311 - spreads programs out, guards nothing
# Not the shared source: to a program that seeds that one it would come back as other numbers.


class Delivery:
    """Takes spans as they end, and sends them in batches from a thread of its own."""

    def __init__(
        self,
        sender: Callable[[], Sender],
        clean: Callable[[Sequence[ReadableSpan]], Sequence[ReadableSpan]],
        *,
        spans_max: int,
        interval_seconds: float,
        exit_timeout_seconds: float,
    ) -> None:
        """Send with what *sender* makes, on first use in each process; hold at most *spans_max* spans.

        What is sent is what *clean* makes of a batch: as many spans, without what must not leave the program.
        Finished spans wait at most *interval_seconds*, or until a batch is full; the end of the process waits for
        them at most *exit_timeout_seconds*.
        """
        self._make_sender = sender
        self._clean = clean
        self._exit_timeout_seconds = exit_timeout_seconds
        self._spans_max = spans_max
        self._interval_seconds = interval_seconds
        self._batch_spans = min(BATCH_SPANS, spans_max)
        self._begin()
        begin = weakref.WeakMethod(self._begin)
        in_each_child(lambda: (again := begin()) and again())

    def _begin(self) -> None:
        """Start empty: what waits at a fork is the parent's to send, and its connections are not the child's."""
        self._lock = threading.RLock()  # a signal may come in its midst, and its handler flush
        self._settled = threading.Condition(self._lock)
        self._sending_lock = threading.RLock()  # likewise
        self._wake: SimpleQueue[None] = SimpleQueue()  # as for the lock: an event's set() is not made for that
        self._vital: deque[ReadableSpan] = deque()
        self._waiting: deque[ReadableSpan] = deque()
        self._sending: Sequence[ReadableSpan] = ()
        self._delivered, self._dropped = Total(), Total()
        self._thread: threading.Thread | None = None
        self._sender: Sender | None = None
        self._away = self._closed = False
        self._flushing = 0
        self._attend_at = 1
        self.last_fault = ""

    def take(self, span: ReadableSpan) -> None:
        """Hold *span* until it is sent; when too many wait, one of them goes.

        This is all that the program's own threads do here: appending to a deque needs no lock, and nothing else is
        done until as many wait as it takes to do something about them.
        """
        self._waiting.append(span)
        if len(self._waiting) >= self._attend_at:
            self._attend()

    def _attend(self) -> None:
        """Start what sends, wake it for a full batch, make room: whatever the number of waiting spans calls for."""
        with self._lock:
            if self._closed:
                self._drop(self._waiting)
                reason = "sending has ended"
            else:
                reason = self._keep()
        if reason:  # told without the lock: the program's log handlers may end spans themselves
            self._say_dropped(reason)

    def _keep(self) -> str:
        """Have what waits sent, but for what is too much; return why that was dropped. Under the lock."""
        if not self._is_at_work():
            with guard:
                self._start()
        if len(self._waiting) >= self._batch_spans and not self._away:
            self._wake.put(None)
        crowded = self._held() > self._spans_max
        while self._held() > self._spans_max:
            self._make_room()
        self._attend_next()
        return "the queue is full" if crowded else ""

    def _attend_next(self) -> None:
        """Say how many waiting spans it takes to attend to them again: another batch, or more than there is room for.

        Under the lock, whenever a number changes that this depends on.
        """
        room = 0 if self._closed else self._spans_max - len(self._vital) - len(self._sending)
        batches = len(self._waiting) // self._batch_spans
        self._attend_at = min((batches + 1) * self._batch_spans, room + 1)

    def _make_room(self) -> None:
        """Drop the oldest span that is not vital, or else the oldest; under the lock.

        Each waiting span is looked at once: those found vital move on to a queue of their own.
        """
        while self._waiting and is_vital(self._waiting[0]):
            self._vital.append(self._waiting.popleft())
        self._dropped.add([(self._waiting or self._vital).popleft()])

    def _drop(self, *queues: deque[ReadableSpan]) -> Sequence[ReadableSpan]:
        """Empty *queues*, count what was in them as dropped, and return it; under the lock."""
        left = [queue.popleft() for queue in queues for _ in range(len(queue))]
        self._dropped.add(left)
        return left

    def flush(self, timeout_seconds: float) -> bool:
        """Send everything that waits now; return whether all of it arrived within *timeout_seconds*."""
        with self._settled:
            dropped = self._dropped.spans
            goal = self._delivered.spans + dropped + self._held()
            self._flushing += 1
        try:
            self._wake.put(None)
            if not self._is_at_work():
                self._send_all(until=time.monotonic() + timeout_seconds)
            with self._settled:
                arrived = self._settled.wait_for(
                    lambda: self._delivered.spans + self._dropped.spans >= goal, min(timeout_seconds, TIMEOUT_MAX)
                )
                return arrived and self._dropped.spans == dropped
        finally:
            self._flushing -= 1

    def flush_at_end(self) -> None:
        """Send everything that waits, within the time there is at the end."""
        self.flush(self._exit_timeout_seconds)

    def close(self) -> None:
        """Send everything that waits, within the time there is at the end; drop the rest, and take no more."""
        if self._closed:
            return
        try:
            self.flush_at_end()
        finally:  # also where the program is interrupted meanwhile
            self._cut_off()

    def _cut_off(self) -> None:
        with self._settled:
            if self._closed:
                return
            self._closed = True
            self._attend_next()
            left = self._drop(deque(self._sending), self._vital, self._waiting)
            self._sending = ()
            self._settled.notify_all()
            sender = self._sender
        self._wake.put(None)
        if left:
            reason = self.last_fault or "the time for it is over"
            guard.say(f"{len(left)} spans, {runs_among(left)} of them runs, were not delivered: {reason}")
        if sender is not None:
            with guard:
                sender.shutdown()

    def counts(self) -> tuple[Counts, Counts]:
        """Return what became of the spans, and of the runs."""
        with self._lock:
            waiting = self._waiting.copy()  # the program appends to it meanwhile
            held = len(waiting) + len(self._vital) + len(self._sending)
            runs = runs_among(chain(self._sending, self._vital, waiting))
            delivered, dropped = self._delivered, self._dropped
            return Counts(delivered.spans, dropped.spans, held), Counts(delivered.runs, dropped.runs, runs)

    def _held(self) -> int:
        return len(self._waiting) + len(self._vital) + len(self._sending)

    def _is_at_work(self) -> bool:
        return self._thread is not None and self._thread.is_alive()

    def _start(self) -> None:
        thread = threading.Thread(target=self._work, name="botanu-delivery", daemon=True)
        thread.start()
        self._thread = thread
        before_end_of_child(self.flush_at_end)

    def _work(self) -> None:
        """Send whenever a batch is full or the interval is over, and wait longer while the server is away."""
        leave_signals_to_the_program()
        seconds = self._interval_seconds
        wait_seconds = WAIT_SECONDS_MIN
        while not self._closed:
            self._sleep(seconds)
            delivered = self._delivered.spans
            try:
                sent = self._send_all()
            except Exception as error:  # noqa: BLE001 - whatever fails, the thread goes on
                guard.log_once(f"sending failed, and goes on: {type(error).__name__}", error)
                sent = None
            if sent is None or sent.fate is not Fate.AWAY:
                seconds, wait_seconds = self._interval_seconds, WAIT_SECONDS_MIN
                continue
            if self._delivered.spans > delivered:  # it is there now and then
                wait_seconds = WAIT_SECONDS_MIN
            asked_seconds = min(sent.retry_after_seconds or 0, RETRY_AFTER_SECONDS_MAX)
            seconds = max(wait_seconds * _jitter.uniform(0.8, 1.2), asked_seconds)
            if self._flushing:
                seconds = min(seconds, WAIT_SECONDS_FLUSHING)
            wait_seconds = min(2 * wait_seconds, WAIT_SECONDS_MAX)

    def _sleep(self, seconds: float) -> None:
        """Wait for *seconds*, or until somebody says to wake up."""
        with suppress(Empty):
            self._wake.get(timeout=min(seconds, TIMEOUT_MAX))
            while True:
                self._wake.get_nowait()

    def _send_all(self, until: float = math.inf) -> Sent | None:
        """Send batch by batch until nothing waits, the server is away, or *until* a time on the monotonic clock.

        Return what became of the last one.
        """
        sent: Sent | None = None
        with self._sending_lock:
            if self._sending:  # this thread is in the midst of it, and a signal's handler flushes
                return None
            while (sent is None or sent.fate is not Fate.AWAY) and time.monotonic() < until:
                batch = self._next_batch()
                if not batch:
                    break
                sent = _INTERRUPTED
                try:
                    sent = self._attempt(batch)
                finally:
                    self._settle(batch, sent)
        return sent

    def _next_batch(self) -> Sequence[ReadableSpan]:
        with self._lock:
            if self._closed:
                return ()
            batch = [self._vital.popleft() for _ in range(min(self._batch_spans, len(self._vital)))]
            batch += [self._waiting.popleft() for _ in range(min(self._batch_spans - len(batch), len(self._waiting)))]
            self._sending = batch
            self._attend_next()
            return batch

    def _attempt(self, batch: Sequence[ReadableSpan]) -> Sent:
        token = attach(set_value(_SUPPRESS_INSTRUMENTATION_KEY, True))  # noqa: FBT003 - the client's calls are no spans
        part = "the content filter"
        try:
            cleaned = self._clean(batch)
            part = "the exporter"
            if self._sender is None:
                self._sender = self._make_sender()
            return self._sender.send(cleaned)
        except KeyboardInterrupt:  # in the program's own thread, which sends where no other can
            raise
        except BaseException as error:  # noqa: BLE001 - whatever fails, the thread goes on, and nothing uncleaned leaves
            guard.log_once(f"{part} failed: {type(error).__name__}", error)
            return Sent(Fate.REFUSED, len(batch), f"{type(error).__name__} in {part}")
        finally:
            detach(token)

    def _settle(self, batch: Sequence[ReadableSpan], sent: Sent) -> None:
        """Note what became of *batch*."""
        with self._settled:
            if self._closed:  # it has been counted as dropped
                return
            self._sending = ()
            self._away = sent.fate is Fate.AWAY
            self.last_fault = sent.reason or self.last_fault
            if self._away:
                for span in reversed(batch):
                    (self._vital if is_vital(span) else self._waiting).appendleft(span)
            else:
                arrived = len(batch) - sent.rejected
                self._delivered.add(batch[:arrived])
                self._dropped.add(batch[arrived:])
            self._attend_next()
            self._settled.notify_all()
        if sent.fate is Fate.AWAY:
            guard.log_once(f"the server is away, spans wait and are sent again: {sent.reason}; see botanu.status()")
        if sent.rejected:
            self._say_dropped(sent.reason)

    def _say_dropped(self, reason: str) -> None:
        guard.log_once(f"spans are dropped: {reason}; botanu.status() counts them")
