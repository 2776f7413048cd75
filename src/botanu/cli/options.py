"""Options that several commands share."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from botanu.cli.source import Source, open_source
from botanu.server.settings import ServerSettings, read_file
from botanu.settings import resolve

Url = Annotated[str | None, Parameter(env_var="BOTANU_URL", help="Server to ask; by default the local one.")]
DataDir = Annotated[Path | None, Parameter(help="Directory of a store to open instead of asking a server.")]
Config = Annotated[Path | None, Parameter(help="Settings file; by default ./botanu.toml if there is one.")]


def read_settings(config: Path | None = None, **code: object) -> tuple[ServerSettings, dict[str, object]]:
    """Return the settings, and the value card of the settings file.

    Raises:
        SettingsError: one of the sources cannot be read.
    """
    file, values = read_file(config)
    return resolve(ServerSettings, code=code, environ=os.environ, file=file), values


@contextmanager
def source(url: str | None, data_dir: Path | None) -> Iterator[Source]:
    """Give what the options ask for: a server, or the store of a directory."""
    settings, _ = read_settings(data_dir=data_dir)
    with open_source(url, data_dir, settings) as opened:
        yield opened
