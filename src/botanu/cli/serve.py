"""``botanu serve``."""

import logging
from pathlib import Path

from botanu.cli.options import Config, read_settings
from botanu.cli.output import console
from botanu.server.app import create_app
from botanu.server.run import serve as run_server


def serve(  # noqa: PLR0913 - an option for each setting
    *,
    host: str | None = None,
    port: int | None = None,
    data_dir: Path | None = None,
    body_bytes_max: int | None = None,
    queue_bytes_max: int | None = None,
    abandon_after_seconds: float | None = None,
    query_timeout_seconds: float | None = None,
    query_rows_max: int | None = None,
    prices: Path | None = None,
    config: Config = None,
) -> None:
    """Receive spans over OTLP, and answer questions about them.

    Prints one line with its address when ready. On SIGTERM or Ctrl-C it commits what it holds and exits with 0.

    Parameters
    ----------
    host
        Address to listen on (127.0.0.1).
    port
        Port of OTLP over HTTP, the API and the web page (4318); 0 takes a free one.
    data_dir
        Directory of the embedded store.
    body_bytes_max
        Largest request body, before and after decompression.
    queue_bytes_max
        Bytes of requests that may wait to be written; beyond it clients hear 503.
    abandon_after_seconds
        Silence after which a run without its root span is abandoned.
    query_timeout_seconds
        Longest time one query may take.
    query_rows_max
        Most rows one SQL query may return.
    prices
        File of your own prices; by default ./prices.toml if there is one.
    """
    settings, file = read_settings(
        config,
        host=host,
        port=port,
        data_dir=data_dir,
        body_bytes_max=body_bytes_max,
        queue_bytes_max=queue_bytes_max,
        abandon_after_seconds=abandon_after_seconds,
        query_timeout_seconds=query_timeout_seconds,
        query_rows_max=query_rows_max,
        prices=prices,
    )
    logging.basicConfig(format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    app = create_app(settings, file.values, shared_costs=file.shared_costs)
    run_server(app, settings, lambda address: console().print(f"botanu is ready at {address}", markup=False))
