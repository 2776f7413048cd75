"""Where answers come from: a running server, or the store opened by the command itself."""

from collections.abc import Iterator
from contextlib import closing, contextmanager
from decimal import Decimal
from typing import Any, Protocol

import httpx2

from botanu.cli.remote_prices import PricingSource, RemotePricing
from botanu.errors import BotanuError, QueryError, SettingsError, UnavailableError
from botanu.server import plain
from botanu.server.plain import Plain
from botanu.server.service import Service, open_store
from botanu.server.settings import ServerSettings, address
from botanu.store.duckdb import FILE

TIMEOUT_SECONDS = 60.0
_LOOK_SECONDS = 2.0


class Source(Protocol):
    """What questions and the value card are put to; every answer is in plain values."""

    def sql(self, query: str) -> Plain:
        """Return the answer to one SELECT."""

    def report(
        self, *, window: str | None, since: str | None, until: str | None, by: str, shared: bool = False
    ) -> Plain:
        """Return the measures by a dimension, with shared costs if *shared*."""

    def values(self) -> Plain:
        """Return the value card."""

    def set_value(
        self, *, value_type: str, amount: object, currency: str, since: str | None, workflow: str | None
    ) -> Plain:
        """Record what one unit of *value_type* is worth."""

    def shared_costs(self) -> Plain:
        """Return every shared cost ever recorded."""

    def set_shared_cost(self, given: Plain) -> Plain:
        """Record a shared cost."""

    def withdraw_shared_cost(self, given: Plain) -> Plain:
        """Withdraw the shared cost of a name and period."""

    @property
    def pricing(self) -> PricingSource:
        """What questions about prices are put to."""


class Remote:
    """A running server, over HTTP."""

    def __init__(self, url: str) -> None:
        """Ask the server at *url*.

        Raises:
            SettingsError: *url* is no address of a server.
        """
        if not url.startswith(("http://", "https://")):
            raise SettingsError(f"the server's address must begin with http:// or https://, not {url!r}")
        self._url = url
        try:
            self._client = httpx2.Client(base_url=url, timeout=TIMEOUT_SECONDS)
        except httpx2.InvalidURL as error:
            raise SettingsError(f"{url!r} is no address of a server: {error}") from None

    def close(self) -> None:
        """Let go of the connection."""
        self._client.close()

    def is_there(self) -> bool:
        """Return whether a botanu server answers."""
        try:
            return bool(self._client.get("/healthz", timeout=_LOOK_SECONDS).json() == {"status": "ok"})
        except (httpx2.HTTPError, ValueError):
            return False

    def sql(self, query: str) -> Plain:
        """Return the answer to one SELECT."""
        answer = self._ask("POST", "/v1/sql", {"query": query})
        doubles = [column["type"] in ("DOUBLE", "FLOAT") for column in answer["columns"]]
        answer["rows"] = [
            [
                float(value) if is_double and isinstance(value, Decimal) else value
                for value, is_double in zip(row, doubles, strict=True)
            ]
            for row in answer["rows"]
        ]
        return answer

    def report(
        self, *, window: str | None, since: str | None, until: str | None, by: str, shared: bool = False
    ) -> Plain:
        """Return the measures by a dimension, with shared costs if *shared*."""
        given = {"window": window, "from": since, "to": until, "by": by, "shared": "true" if shared else None}
        return self._ask("GET", "/v1/reports", parameters={name: text for name, text in given.items() if text})

    def values(self) -> Plain:
        """Return the value card."""
        return self._ask("GET", "/v1/values")

    def set_value(
        self, *, value_type: str, amount: object, currency: str, since: str | None, workflow: str | None
    ) -> Plain:
        """Record what one unit of *value_type* is worth."""
        value = {"value_type": value_type, "amount": amount, "currency": currency, "from": since, "workflow": workflow}
        return self._ask("POST", "/v1/values", value)

    def shared_costs(self) -> Plain:
        """Return every shared cost ever recorded."""
        return self._ask("GET", "/v1/shared-costs")

    def set_shared_cost(self, given: Plain) -> Plain:
        """Record a shared cost."""
        return self._ask("POST", "/v1/shared-costs", given)

    def withdraw_shared_cost(self, given: Plain) -> Plain:
        """Withdraw the shared cost of a name and period."""
        return self._ask("DELETE", "/v1/shared-costs", parameters=given)

    @property
    def pricing(self) -> RemotePricing:
        """What questions about prices are put to."""
        return RemotePricing(self._ask)

    def _ask(
        self, method: str, path: str, document: Plain | None = None, parameters: dict[str, str] | None = None
    ) -> Plain:
        body = None if document is None else plain.dumps(document)
        try:
            response = self._client.request(
                method, path, content=body, params=parameters, headers={"content-type": "application/json"}
            )
            answer: Any = plain.loads(response.content)
        except httpx2.HTTPError as error:
            raise UnavailableError(f"{self._url} does not answer: {error}") from None
        except ValueError:
            raise UnavailableError(
                f"{self._url} answers with something other than JSON: is it a botanu server?"
            ) from None
        if response.status_code != httpx2.codes.OK:
            raise QueryError(str(answer.get("error", answer)))
        return dict(answer)


@contextmanager
def open_source(settings: ServerSettings, *, local_server: bool) -> Iterator[Source]:
    """Give the *local_server*, if that is asked for and there, or else the store of the data directory.

    Raises:
        BotanuError: neither is there.
        StoreError: the store cannot be opened.
    """
    local = address(settings.host, settings.port)
    if local_server:
        with closing(Remote(local)) as remote:
            if remote.is_there():
                yield remote
                return
    if not (settings.data_dir / FILE).exists():
        missing = f"there is no store in {settings.data_dir}: start a server with"
        if local_server:
            raise BotanuError(f"no server answers at {local}, and {missing} 'botanu serve'")
        raise BotanuError(f"{missing} 'botanu serve --data-dir {settings.data_dir}'")
    with closing(open_store(settings)) as store:
        yield Service(store, settings)
