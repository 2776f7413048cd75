"""Real processes: a server, and programs that send to it."""

import json
import os
import select
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import httpx2

from support.otlp import body

BOTANU = str(Path(sys.executable).with_name("botanu"))
START_SECONDS = 60


def environment(**extra):
    """The environment of a child: this one's, without settings of botanu or OpenTelemetry."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("BOTANU_", "OTEL_"))}
    return kept | extra


class Served:
    """A server, from without; its client is closed when nobody can be in the midst of asking, as that would hang."""

    def __init__(self, url):
        self.url = url
        self.client = httpx2.Client(base_url=url, timeout=30.0)

    def send(self, *spans):
        return self.client.post(
            "/v1/traces", content=body(*spans), headers={"content-type": "application/x-protobuf"}
        ).status_code

    def sql(self, query):
        response = self.client.post("/v1/sql", json={"query": query})
        assert response.status_code == 200, response.text
        return response.json()["rows"]


class ServerProcess(Served):
    """``botanu serve`` in a process of its own."""

    def __init__(self, directory, *options, **environ):
        command = [BOTANU, "serve", "--port", "0", "--data-dir", str(directory), *options]
        self.process = subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment(**environ)
        )
        readable, _, _ = select.select([self.process.stdout], [], [], START_SECONDS)
        self.line = self.process.stdout.readline() if readable else ""
        assert self.line.startswith("botanu is ready at "), self.line + self.stop()[1]
        super().__init__(self.line.split()[-1])

    def kill(self):
        """Let nothing be tidied up."""
        self.process.send_signal(signal.SIGKILL)
        return self._ended()

    def stop(self):
        """Stop as a service manager does; give exit code and what went to standard error."""
        self.process.terminate()
        return self._ended()

    def _ended(self):
        _, errors = self.process.communicate(timeout=30)
        return self.process.returncode, errors


def run_python(code, *arguments, **environ):
    """Run *code* in a process of its own; give its standard output, read as JSON where there is some."""
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(code), *arguments],
        env=environment(**environ),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stderr == "", done.stderr
    return json.loads(done.stdout) if done.stdout else None


def botanu(*arguments, check=True, **environ):
    """Run the command; give the finished process."""
    done = subprocess.run(
        [BOTANU, *arguments], env=environment(**environ), capture_output=True, text=True, timeout=120, check=False
    )
    assert not check or done.returncode == 0, done.stderr
    return done


def eventually(check, seconds=10.0):
    """Wait until *check* gives something true, and give that."""
    limit = time.monotonic() + seconds
    while not (found := check()):
        assert time.monotonic() < limit, "it did not come about"
        time.sleep(0.05)
    return found
