import io
import sys

import pytest

from botanu import __main__ as entry


@pytest.fixture
def botanu(monkeypatch, capsys):
    """Run the command in this process; give exit code, standard output and standard error."""

    def run(*arguments, stdin=None):
        monkeypatch.setattr(sys, "argv", ["botanu", *map(str, arguments)])
        if stdin is not None:
            monkeypatch.setattr(sys, "stdin", io.StringIO(stdin))
        try:
            entry.main()
            code = 0
        except SystemExit as end:
            code = end.code
        return code, *capsys.readouterr()

    return run
