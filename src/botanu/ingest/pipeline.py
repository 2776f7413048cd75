"""From request bodies to committed rows: one thread, one bounded queue, one commit per group of requests.

A group is whatever has come in while the group before it was being committed. So a lone request is committed at
once, and the busier it gets the larger, and per span the cheaper, the groups become.
"""

import logging
import threading
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from datetime import UTC, datetime

import pyarrow as pa

from botanu.errors import BotanuError, DecodeError, UnavailableError
from botanu.ingest.costs import add_costs
from botanu.ingest.counting import DECIDED, LOOKED_AT, count_once
from botanu.ingest.normalise import normalise
from botanu.ingest.otlp import Refusal, Request, decode, flatten
from botanu.pricing.price_list import PriceList
from botanu.pricing.rate_card import Tier
from botanu.store.price_rows import price_rows
from botanu.store.protocol import Appended, Store
from botanu.store.schema import SPANS

logger = logging.getLogger("botanu.ingest")

ABANDON_EVERY_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class Acknowledgement:
    """What became of one request, once everything that was accepted of it is on disk."""

    refused: Refusal | None


@dataclass(slots=True)
class _Waiting:
    """One request on its way."""

    body: bytes
    media_type: str
    done: "Future[Acknowledgement]" = field(default_factory=Future)

    def acknowledge(self, refused: Refusal | None) -> None:
        """Say that it is on disk, unless nobody waits for the answer any more."""
        if not self.done.done():
            self.done.set_result(Acknowledgement(refused))

    def fail(self, error: Exception) -> None:
        """Say why it is not on disk, unless nobody waits, or it has been answered."""
        if not self.done.done():
            self.done.set_exception(error)


class Pipeline:
    """Takes request bodies, and answers each once what it holds is committed.

    *queue_bytes_max* bounds what waits; *group_bytes_max* what one commit takes on. *clock* gives the time of arrival.
    """

    def __init__(
        self,
        store: Store,
        prices: PriceList,
        *,
        queue_bytes_max: int = 256 * 2**20,
        group_bytes_max: int = 8 * 2**20,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        """Set up; ``start`` begins the work."""
        self._store = store
        self.prices = prices
        self._stored_prices: set[str] = set()
        self._queue_bytes_max = queue_bytes_max
        self._group_bytes_max = group_bytes_max
        self._clock = clock
        self._waiting: deque[_Waiting] = deque()
        self._waiting_bytes = 0
        self._changed = threading.Condition()
        self._closing = False
        self._thread = threading.Thread(target=self._work, name="botanu-ingest")

    def start(self) -> None:
        """Begin to work off what is submitted."""
        self._thread.start()

    def submit(self, body: bytes, media_type: str) -> "Future[Acknowledgement]":
        """Queue one uncompressed request body; the future is done once it is committed.

        The future fails with ``DecodeError`` when the body can never be read, and with ``UnavailableError`` when it
        could not be written now.

        Raises:
            UnavailableError: the queue is full, or the pipeline is closing.
        """
        item = _Waiting(body, media_type)
        with self._changed:
            if self._closing:
                raise UnavailableError("the server is shutting down; send again later")
            if self._waiting and self._waiting_bytes + len(body) > self._queue_bytes_max:
                raise UnavailableError("more is coming in than can be written; send again later")
            self._waiting.append(item)
            self._waiting_bytes += len(body)
            self._changed.notify()
        return item.done

    def close(self) -> None:
        """Commit everything that was submitted, then stop."""
        with self._changed:
            self._closing = True
            self._changed.notify()
        self._thread.join()

    def _work(self) -> None:
        last_look = self._clock()
        while True:
            group = self._next_group()
            if group:
                self._commit_safely(group)
            elif self._closing:
                return
            now = self._clock()
            if (now - last_look).total_seconds() >= ABANDON_EVERY_SECONDS:
                last_look = now
                self._abandon(now)

    def _next_group(self) -> list[_Waiting]:
        with self._changed:
            if not self._waiting and not self._closing:
                self._changed.wait(timeout=ABANDON_EVERY_SECONDS)
            group: list[_Waiting] = []
            size = 0
            while self._waiting and (not group or size + len(self._waiting[0].body) <= self._group_bytes_max):
                item = self._waiting.popleft()
                item.done.set_running_or_notify_cancel()  # from here on its answer is ours to give
                group.append(item)
                size += len(item.body)
            self._waiting_bytes -= size
            return group

    def _commit_safely(self, group: Sequence[_Waiting]) -> None:
        """Commit a group; a fault of ours costs its requests an answer, never the thread."""
        try:
            self._commit(group)
        except Exception as error:
            logger.exception("a group of %d requests could not be written", len(group))
            for item in group:
                item.fail(error)

    def _commit(self, group: Sequence[_Waiting]) -> None:
        """Read and write a group, and answer each of its requests."""
        readable: list[tuple[_Waiting, Request]] = []
        for item in group:
            try:
                readable.append((item, decode(item.body, item.media_type)))
            except DecodeError as error:
                item.fail(error)
        if not readable:
            return
        try:
            refusals = self._write([request for _, request in readable])
        except Exception as error:  # noqa: BLE001 - whatever it was, each request gets its answer
            self._answer_failure([item for item, _ in readable], error)
            return
        for (item, _), refused in zip(readable, refusals, strict=True):
            item.acknowledge(refused)

    def _write(self, requests: Sequence[Request]) -> list[Refusal | None]:
        now = self._clock()
        spans, refusals = flatten(requests)
        if len(spans):
            prices = self.prices
            columns, used = add_costs(normalise(spans, now, with_services=prices.has_services), prices)
            self._keep_prices(used)
            table = pa.table([columns[name] for name in SPANS.names], names=list(SPANS.names))
            table, revised = count_once(table, self._store.related(table, (*LOOKED_AT, *DECIDED)), prices)
            appended: Appended = self._store.append(table, now, revised)
            logger.debug("%d spans written, %d were there already", appended.accepted, appended.duplicates)
        return refusals

    def _keep_prices(self, used: Sequence[Tier]) -> None:
        """See to it that the store has every price that is *used*: less a discount they come about only here."""
        new = [tier for tier in used if tier.discount is not None and tier.id not in self._stored_prices]
        if new:
            self._store.add_prices(price_rows((tier, None) for tier in new))
            self._stored_prices.update(tier.id for tier in new)

    def _answer_failure(self, items: Sequence[_Waiting], error: Exception) -> None:
        """Answer the requests of a group that could not be written; one that is at fault is found by itself."""
        if len(items) > 1 and not isinstance(error, UnavailableError):
            for item in items:
                self._commit([item])
            return
        if isinstance(error, UnavailableError):
            logger.warning("%d requests are to come again: %s", len(items), error)
        else:
            logger.error("a request of %d bytes could not be written", len(items[0].body), exc_info=error)
        for item in items:
            item.fail(error)

    def _abandon(self, now: datetime) -> None:
        try:
            self._store.abandon(now)
        except BotanuError as error:
            logger.warning("abandoned runs could not be marked, will be tried again: %s", error)
