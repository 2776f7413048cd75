"""The prices in force: those of the price list, and before them what the user says, which is recorded here."""

import threading
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime

from botanu.errors import PriceError
from botanu.pricing.catalog import Catalog
from botanu.pricing.own_prices import Alias, OwnDiscount, OwnPrice
from botanu.pricing.placing import placed
from botanu.pricing.price_list import PriceList
from botanu.pricing.terms import BY_HAND, Term, term_id
from botanu.query.unpriced import unpriced
from botanu.query.window import Window, parse_instant
from botanu.server import plain
from botanu.server.explaining import explain_span, explain_usage, wanted_kind
from botanu.server.listing import Wanted, listed
from botanu.server.plain import Plain
from botanu.server.price_file import KINDS, Entry, changes, terms_of
from botanu.store.protocol import Store

Follower = Callable[[PriceList], None]


class Pricing:
    """Keeps the price list in force, and records what the user says of prices.

    ``current`` never changes; when something is recorded another one takes its place, and the followers are told.
    """

    def __init__(self, store: Store, clock: Callable[[], datetime], catalog: Catalog | None = None) -> None:
        """Read what *store* has; *clock* says what is now, *catalog* is the price list."""
        self.store = store
        self.clock = clock
        self._changing = threading.Lock()
        self._followers: list[Follower] = []
        self.current = PriceList(catalog or Catalog(), store.terms())

    def follow(self, follower: Follower) -> None:
        """Call *follower* with the price list in force: now, and whenever another one takes its place."""
        self._followers.append(follower)
        follower(self.current)

    def set_price(self, **given: object) -> Plain:
        """Record what some units of a meter cost; the keys are those of ``OwnPrice.of``.

        Raises:
            PriceError: the price cannot be meant.
        """
        price = OwnPrice.of(given, source=BY_HAND)
        with self._changing:
            now = self.clock()
            return self._set(placed(price, self.current, now), now)

    def set_discount(self, **given: object) -> Plain:
        """Record a discount; the keys are those of ``OwnDiscount.of``.

        Raises:
            PriceError: it cannot be meant.
        """
        discount = OwnDiscount.of(given, source=BY_HAND)
        with self._changing:
            now = self.clock()
            return self._set(placed(discount, self.current, now), now)

    def set_alias(self, **given: object) -> Plain:
        """Record under which other name calls are priced; the keys are those of ``Alias.of``.

        Raises:
            PriceError: it cannot be meant.
        """
        alias = Alias.of(given, source=BY_HAND)
        with self._changing:
            return self._set([alias], self.clock())

    def withdraw(self, name: str) -> Plain:
        """Take back the term of this id; what it priced keeps its cost.

        Raises:
            PriceError: there is none.
        """
        with self._changing:
            found = [each for each in self.store.recorded_terms() if term_id(each.term) == name]
            if not found:
                raise PriceError(f"nothing in force has the id {name!r}: 'botanu prices list --own' gives the ids")
            self.store.withdraw_terms([name], self.clock())
            self._refresh()
        return {"withdrawn": plain.term(found[-1].term, found[-1].origin)}

    def import_entries(self, name: str, entries: Sequence[Entry], *, dry_run: bool = False) -> Plain:
        """Record what the file *name* says anew, and withdraw what it no longer says; all or nothing.

        Raises:
            PriceError: some entries cannot be meant; lists every fault.
        """
        terms = terms_of(entries, name)
        with self._changing:
            now = self.clock()
            recorded = [each for each in self.store.recorded_terms() if each.origin == name]
            changed = changes(terms, recorded, self.current, now)
            if not dry_run and (changed.new or changed.gone):
                self.store.set_terms(changed.new, now, origin=name, gone=changed.gone)
                self._refresh()
        gone = [plain.term(each.term, name) for each in recorded if term_id(each.term) in changed.gone]
        new = [plain.term(term, name) for term in changed.new]
        return {"origin": name, "dry_run": dry_run, "new": new, "withdrawn": gone, "unchanged": changed.kept}

    def import_plain(self, *, origin: str, entries: object, dry_run: bool = False) -> Plain:
        """Record what a file says, given as plain values; see ``import_entries``.

        Raises:
            PriceError: *entries* is no list of entries, or some cannot be meant.
        """
        return self.import_entries(origin, [_entry(given) for given in _listed(entries)], dry_run=dry_run)

    def listed(
        self, *, provider: str | None = None, model: str | None = None, at: str | None = None, own: bool = False
    ) -> Plain:
        """Return the user's terms that match, and unless *own* alone is asked for the prices of the price list.

        Raises:
            QueryError: *at* is no date or instant.
        """
        return listed(self.current, self.store, Wanted.of(provider, model, at), own=own)

    def missing(self, *, window: str | None = None, since: str | None = None, until: str | None = None) -> Plain:
        """Return what has no price, by what it lacks, with the commands that give it one.

        Raises:
            QueryError: a bound or the window is none.
        """
        asked = Window.of(window, now=self.clock(), since=since, until=until)
        return plain.missing(asked, unpriced(self.store, asked))

    def explain_span(self, *, span_id: str, trace_id: str | None = None) -> Plain:
        """Return the sum that the cost of a booked call is.

        Raises:
            QueryError: there is no such span, or there are several.
        """
        return explain_span(self.store, span_id, trace_id)

    def explain_usage(
        self,
        *,
        provider: str,
        model: str,
        usage: Mapping[str, object],
        at: str | None = None,
        service_tier: str | None = None,
        tenant_id: str | None = None,
    ) -> Plain:
        """Return the sum that a made-up call costs; *usage* gives quantities by meter, as providers count them.

        Raises:
            QueryError: a quantity is none, its meter is what remains of another, or *at* is no instant.
        """
        moment = self.clock() if at is None else parse_instant(at)
        return explain_usage(self.current, moment, wanted_kind(provider, model, tenant_id, service_tier), usage)

    def _set(self, terms: Sequence[Term], now: datetime) -> Plain:
        """Record *terms*, the asked for last."""
        new = self.store.set_terms(terms, now)
        if new:
            self._refresh()
        return {"new": new > 0, **plain.term(terms[-1], BY_HAND)}

    def _refresh(self) -> None:
        self.current = PriceList(self.current.catalog, self.store.terms())
        for follower in self._followers:
            follower(self.current)


def _listed(entries: object) -> list[object]:
    if not isinstance(entries, list):
        raise PriceError(f"entries must be a list, not {type(entries).__name__}")
    return entries


def _entry(given: object) -> Entry:
    """Return an entry that came as JSON: its table, its place in the file, and what it says."""
    if not isinstance(given, Mapping):
        raise PriceError(f"an entry must be an object with table, place and fields, not {given!r}")
    table, place, fields = given.get("table"), given.get("place"), given.get("fields")
    if (
        not isinstance(table, str)
        or table not in KINDS
        or not isinstance(place, str)
        or not isinstance(fields, Mapping)
    ):
        raise PriceError(f"an entry must have a table of {', '.join(KINDS)}, a place and fields, not {dict(given)!r}")
    return Entry(str(table), str(place), fields)
