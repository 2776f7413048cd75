"""Where answers come from: a running server, or the store opened by the command itself."""

from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any, Protocol

import httpx2

from botanu.errors import BotanuError, QueryError, UnavailableError
from botanu.server import plain
from botanu.server.plain import Plain
from botanu.server.service import Service, open_store
from botanu.server.settings import ServerSettings
from botanu.store.duckdb import FILE

TIMEOUT_SECONDS = 60.0
_LOOK_SECONDS = 2.0


class Source(Protocol):
    """What questions and the value card are put to; every answer is in plain values."""

    def sql(self, query: str) -> Plain:
        """Return the answer to one SELECT."""

    def report(self, *, window: str | None, since: str | None, until: str | None, by: str) -> Plain:
        """Return the measures by a dimension."""

    def values(self) -> Plain:
        """Return the value card."""

    def set_value(
        self, *, value_type: str, amount: object, currency: str, since: str | None, workflow: str | None
    ) -> Plain:
        """Record what one unit of *value_type* is worth."""


class Remote:
    """A running server, over HTTP."""

    def __init__(self, url: str) -> None:
        """Ask the server at *url*."""
        self._url = url
        self._client = httpx2.Client(base_url=url, timeout=TIMEOUT_SECONDS)

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
        return self._ask("POST", "/v1/sql", {"query": query})

    def report(self, *, window: str | None, since: str | None, until: str | None, by: str) -> Plain:
        """Return the measures by a dimension."""
        given = {"window": window, "from": since, "to": until, "by": by}
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
                f"{self._url} answers with something else than JSON: is it a botanu server?"
            ) from None
        if response.status_code != httpx2.codes.OK:
            raise QueryError(str(answer.get("error", answer)))
        return dict(answer)


@contextmanager
def open_source(url: str | None, data_dir: Path | None, settings: ServerSettings) -> Iterator[Source]:
    """Give the source that was asked for; by default the local server, or else the store in the default directory.

    Raises:
        BotanuError: neither is there.
        StoreError: the store cannot be opened.
    """
    default = f"http://{settings.host}:{settings.port}"
    with closing(Remote(url or default)) as remote:
        if url is not None or (data_dir is None and remote.is_there()):
            yield remote
            return
    if not (settings.data_dir / FILE).exists():
        looked = "" if data_dir is not None else f"no server answers at {default}, and "
        raise BotanuError(f"{looked}there is no store in {settings.data_dir}: start one with 'botanu serve'")
    with closing(open_store(settings)) as store:
        yield Service(store, settings)
