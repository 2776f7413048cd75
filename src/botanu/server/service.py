"""What can be asked of a store, in plain values: the same for the HTTP API and for a command that opens the store."""

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path

from botanu.ingest.rollup import ROLLUPS
from botanu.pricing.catalog import Catalog
from botanu.pricing.money import CURRENCY
from botanu.pricing.price_list import PriceList
from botanu.pricing.rate_card import periods
from botanu.pricing.value_card import UnitValue, first_instant
from botanu.query.report import Report, report
from botanu.query.sql import ask
from botanu.query.window import Window, parse_instant
from botanu.server import plain
from botanu.server.plain import Plain
from botanu.server.price_file import DEFAULT, read_entries
from botanu.server.pricing import Pricing
from botanu.server.settings import ServerSettings
from botanu.server.shared_costs import SharedCosts
from botanu.server.values import configured_values
from botanu.store.duckdb import DuckDBStore
from botanu.store.price_rows import price_rows
from botanu.store.protocol import Store


def open_store(settings: ServerSettings) -> Store:
    """Open the store that *settings* name.

    Raises:
        StoreError: it cannot be opened.
    """
    return DuckDBStore(settings.data_dir, ROLLUPS, abandon_after_seconds=settings.abandon_after_seconds)


class Service:
    """Answers questions about one store and keeps its value card."""

    def __init__(
        self,
        store: Store,
        settings: ServerSettings,
        *,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        """Ask *store*; *clock* says what is now."""
        self.store = store
        self._settings = settings
        self._clock = clock
        self._shared = SharedCosts(store, clock)

    @cached_property
    def pricing(self) -> Pricing:
        """What keeps the prices; the price list is read when it is first asked for."""
        return Pricing(self.store, self._clock)

    @property
    def prices(self) -> PriceList:
        """The price list in force now."""
        return self.pricing.current

    def read_prices(self, path: Path | None) -> None:
        """Record what the price file at *path* says anew, by default that of the working directory if there is one.

        Raises:
            SettingsError: the file cannot be read.
            PriceError: some of its entries cannot be meant; lists every fault.
        """
        if path is not None or DEFAULT.is_file():
            chosen = path or DEFAULT
            self.pricing.import_entries(chosen.name, read_entries(chosen))

    def sql(self, query: str) -> Plain:
        """Return the answer to one SELECT.

        Raises:
            QueryError: it is not allowed, cannot be run, or takes or gives too much.
        """
        limits = self._settings
        asked = ask(self.store, query, timeout_seconds=limits.query_timeout_seconds, rows_max=limits.query_rows_max)
        return plain.answer(asked)

    def make_report(
        self,
        *,
        window: str | None = None,
        since: str | None = None,
        until: str | None = None,
        by: str = "workflow",
        shared: bool = False,
    ) -> Report:
        """Return the measures by a dimension, with shared costs beside the runs' own if *shared*.

        Raises:
            QueryError: a bound, the window or the dimension is none.
        """
        return report(self.store, Window.of(window, now=self._clock(), since=since, until=until), by=by, shared=shared)

    def report(
        self,
        *,
        window: str | None = None,
        since: str | None = None,
        until: str | None = None,
        by: str = "workflow",
        shared: bool = False,
    ) -> Plain:
        """Return the measures by a dimension, in plain values; see ``make_report``."""
        return plain.report(self.make_report(window=window, since=since, until=until, by=by, shared=shared))

    def values(self) -> Plain:
        """Return the value card."""
        return {"values": [plain.unit_value(value) for value in self.store.values()]}

    def set_value(
        self,
        *,
        value_type: str,
        amount: object,
        currency: str = CURRENCY,
        since: str | None = None,
        workflow: str | None = None,
    ) -> Plain:
        """Record what one unit of *value_type* is worth; return the value, and how many runs it changed.

        Raises:
            PriceError: the value cannot be meant.
            QueryError: *since* is no date or instant.
        """
        now = self._clock()
        valid_from = (
            first_instant(self.store.values(), value_type, workflow, now) if since is None else parse_instant(since)
        )
        value = UnitValue.of(value_type, amount, valid_from=valid_from, currency=currency, workflow=workflow)
        return {"runs_changed": self.store.set_values([value], now), "value": plain.unit_value(value)}

    def configure_values(self, table: Mapping[str, object]) -> int:
        """Record the ``[values]`` of a settings file; return how many runs that changed.

        Raises:
            SettingsError: the table cannot be read.
            PriceError: a value cannot be meant.
        """
        now = self._clock()
        values = configured_values(table, self.store.values(), now=now)
        return self.store.set_values(values, now) if values else 0

    def shared_costs(self) -> Plain:
        """Return every shared cost ever recorded, with how many runs bear it."""
        return self._shared.listed()

    def set_shared_cost(self, given: Mapping[str, object]) -> Plain:
        """Record a shared cost; it replaces the one of its name and period. See ``SharedCosts.set``."""
        return self._shared.set(given)

    def withdraw_shared_cost(self, given: Mapping[str, object]) -> Plain:
        """Withdraw the shared cost of a name and period. See ``SharedCosts.withdraw``."""
        return self._shared.withdraw(given)

    def configure_shared_costs(self, entries: Sequence[Mapping[str, object]] | None) -> int:
        """Record the ``[[shared_costs]]`` of a settings file; see ``SharedCosts.configure``."""
        return self._shared.configure(entries)

    def publish_prices(self, catalog: Catalog) -> int:
        """Make the prices of *catalog* readable in the ``prices`` table; return how many are new."""
        tiers = (
            (tier, valid_to)
            for card in catalog.cards()
            for layer in card.layers
            for prices, valid_to in periods(layer)
            for steps in prices.prices.values()
            for tier in steps
        )
        return self.store.add_prices(price_rows(tiers))
