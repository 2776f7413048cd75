"""Commands run on a real terminal of a chosen width."""

import fcntl
import os
import pty
import re
import struct
import subprocess
import sys
import termios

_STYLES = re.compile(r"\x1b\[[0-9;]*m")


def on_terminal(columns, *arguments):
    """Return the lines that ``botanu`` prints on a terminal of so many *columns*, without colours."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 50, columns, 0, 0))
    process = subprocess.Popen(
        [sys.executable, "-m", "botanu", *map(str, arguments)],
        stdout=theirs,
        stderr=theirs,
        env={**os.environ, "TERM": "xterm", "COLUMNS": str(columns)},
    )
    os.close(theirs)
    printed = b""
    try:
        while part := os.read(ours, 65536):
            printed += part
    except OSError:  # how Linux says that the other end is closed
        pass
    os.close(ours)
    assert process.wait(60) == 0, printed
    return [_STYLES.sub("", line).rstrip() for line in printed.decode().splitlines()]
