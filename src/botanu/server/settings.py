"""The server's settings. Each is an option of ``botanu serve``, a variable ``BOTANU_<NAME>`` and a key of the file."""

import tomllib
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import NamedTuple

import platformdirs

from botanu.errors import SettingsError
from botanu.settings import setting


@dataclass(frozen=True, slots=True)
class ServerSettings:
    """What ``botanu serve`` can be told, row by row."""

    host: str = setting("127.0.0.1", "Address to listen on.")
    port: int = setting(
        4318, "Port of OTLP over HTTP, the API and the web page; 0 takes a free one.", least=0, most=65_535
    )
    data_dir: Path = setting(
        Path(platformdirs.user_data_dir("botanu", appauthor=False)), "Directory of the embedded store."
    )
    body_bytes_max: int = setting(64 * 2**20, "Largest request body, before and after decompression.", least=1)
    queue_bytes_max: int = setting(
        256 * 2**20, "Bytes of requests that may wait to be written; beyond it clients hear 503.", least=1
    )
    abandon_after_seconds: float = setting(
        3600.0,
        "A run whose root span has not come is abandoned when nothing was heard of it for this long.",
        least=0,
        most=10**9,
    )
    query_timeout_seconds: float = setting(30.0, "Longest time one query may take.", least=0.001)
    query_rows_max: int = setting(100_000, "Most rows one SQL query may return.", least=1)
    prices: Path | None = setting(None, "File of your own prices; by default ./prices.toml if there is one.")


def address(host: str, port: int) -> str:
    """Return the address of a server."""
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


VALUES_KEY = "values"
"""The table of the settings file that holds the value card."""

SHARED_COSTS_KEY = "shared_costs"
"""The list of tables of the settings file that holds shared costs."""


class SettingsFile(NamedTuple):
    """What a settings file says: *settings*, its ``[values]``, and its ``[[shared_costs]]``.

    The last is ``None`` where there is no file: then nothing is said of shared costs.
    """

    settings: dict[str, object]
    values: dict[str, object]
    shared_costs: list[dict[str, object]] | None


def read_file(path: Path | None) -> SettingsFile:
    """Read the settings file at *path*.

    Without *path*, ``botanu.toml`` in the working directory is read if there is one.

    Raises:
        SettingsError: the file cannot be read, or is not TOML.
    """
    chosen = Path("botanu.toml") if path is None else path
    if path is None and not chosen.is_file():
        return SettingsFile({}, {}, None)
    try:
        document = tomllib.loads(chosen.read_text(encoding="utf-8"), parse_float=Decimal)
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise SettingsError(f"settings file {chosen} cannot be read: {error}") from None
    values = document.pop(VALUES_KEY, {})
    if not isinstance(values, dict):
        raise SettingsError(f"settings file {chosen}: [values] must be a table, not {values!r}")
    costs = document.pop(SHARED_COSTS_KEY, [])
    if not isinstance(costs, list) or not all(isinstance(cost, dict) for cost in costs):
        raise SettingsError(
            f"settings file {chosen}: write each shared cost as a table [[shared_costs]], not {costs!r}"
        )
    return SettingsFile(document, values, costs)
