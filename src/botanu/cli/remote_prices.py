"""Prices, asked of a running server or of the store itself."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any, Protocol

from botanu.server.plain import Plain
from botanu.server.price_file import Entry


class PricingSource(Protocol):
    """What questions about prices, and the user's own prices, are put to; every answer is in plain values."""

    def set_price(self, **given: object) -> Plain:
        """Record what some units of a meter cost."""

    def set_discount(self, **given: object) -> Plain:
        """Record a discount."""

    def set_alias(self, **given: object) -> Plain:
        """Record under which other name calls are priced."""

    def withdraw(self, name: str) -> Plain:
        """Take back the term of this id."""

    def import_entries(self, name: str, entries: Sequence[Entry], *, dry_run: bool = False) -> Plain:
        """Record what a file says anew, and withdraw what it no longer says."""

    def listed(
        self, *, provider: str | None = None, model: str | None = None, at: str | None = None, own: bool = False
    ) -> Plain:
        """Return the terms and prices that match."""

    def missing(self, *, window: str | None = None, since: str | None = None, until: str | None = None) -> Plain:
        """Return what has no price."""

    def explain_span(self, *, span_id: str, trace_id: str | None = None) -> Plain:
        """Return the sum that the cost of a booked call is."""

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
        """Return the sum that a made-up call costs."""


class Ask(Protocol):
    """Asks a server."""

    def __call__(
        self, method: str, path: str, document: Plain | None = None, parameters: dict[str, str] | None = None
    ) -> Plain:
        """Return the answer to one request."""


class RemotePricing:
    """The prices of a running server."""

    def __init__(self, ask: Ask) -> None:
        """Ask by *ask*."""
        self._ask = ask

    def set_price(self, **given: object) -> Plain:
        """Record what some units of a meter cost."""
        return self._ask("POST", "/v1/prices", given)

    def set_discount(self, **given: object) -> Plain:
        """Record a discount."""
        return self._ask("POST", "/v1/prices/discounts", given)

    def set_alias(self, **given: object) -> Plain:
        """Record under which other name calls are priced."""
        return self._ask("POST", "/v1/prices/aliases", given)

    def withdraw(self, name: str) -> Plain:
        """Take back the term of this id."""
        return self._ask("POST", "/v1/prices/withdraw", {"id": name})

    def import_entries(self, name: str, entries: Sequence[Entry], *, dry_run: bool = False) -> Plain:
        """Record what a file says anew, and withdraw what it no longer says."""
        told = [asdict(entry) for entry in entries]
        return self._ask("POST", "/v1/prices/import", {"origin": name, "entries": told, "dry_run": dry_run})

    def listed(
        self, *, provider: str | None = None, model: str | None = None, at: str | None = None, own: bool = False
    ) -> Plain:
        """Return the terms and prices that match."""
        return self._get("", provider=provider, model=model, at=at, own="true" if own else None)

    def missing(self, *, window: str | None = None, since: str | None = None, until: str | None = None) -> Plain:
        """Return what has no price."""
        return self._get("/missing", **{"window": window, "from": since, "to": until})

    def explain_span(self, *, span_id: str, trace_id: str | None = None) -> Plain:
        """Return the sum that the cost of a booked call is."""
        return self._get("/explain", span_id=span_id, trace_id=trace_id)

    def explain_usage(self, **given: Any) -> Plain:  # noqa: ANN401 - as the protocol says
        """Return the sum that a made-up call costs."""
        return self._ask("POST", "/v1/prices/explain", given)

    def _get(self, path: str, **given: str | None) -> Plain:
        return self._ask("GET", f"/v1/prices{path}", parameters={name: text for name, text in given.items() if text})
