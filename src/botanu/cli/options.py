"""Options that several commands share."""

import os
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from botanu.cli.source import Remote, Source, open_source
from botanu.errors import SettingsError
from botanu.server.settings import ServerSettings, SettingsFile, read_file
from botanu.settings import resolve

URL_VARIABLE = "BOTANU_URL"

Url = Annotated[str | None, Parameter(help=f"Server to ask; by default that of {URL_VARIABLE}, or else the local one.")]
DataDir = Annotated[Path | None, Parameter(help="Directory of a store to open instead of asking a server.")]
Config = Annotated[Path | None, Parameter(help="Settings file; by default ./botanu.toml if there is one.")]


def read_settings(config: Path | None = None, **code: object) -> tuple[ServerSettings, SettingsFile]:
    """Return the settings, and the settings file with what else it says.

    Raises:
        SettingsError: one of the sources cannot be read.
    """
    file = read_file(config)
    return resolve(ServerSettings, code=code, environ=os.environ, file=file.settings), file


@contextmanager
def source(url: str | None, data_dir: Path | None) -> Iterator[Source]:
    """Give what the options ask for: a server, or the store of a directory.

    Raises:
        SettingsError: they ask for both.
        BotanuError: what they ask for is not there.
    """
    if url is not None and data_dir is not None:
        raise SettingsError(f"give either --url {url} or --data-dir {data_dir}")
    if data_dir is None:
        url = url or os.environ.get(URL_VARIABLE) or None
    if url is not None:
        with closing(Remote(url)) as remote:
            yield remote
        return
    settings, _ = read_settings(data_dir=data_dir)
    with open_source(settings, local_server=data_dir is None) as opened:
        yield opened
