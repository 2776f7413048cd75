"""Gunicorn's workers behind a program that calls them: each a process of its own, and a server that all send to."""

import re
import subprocess
import sys

import pytest
from support.process import environment, run_python

REQUESTS = 200

APP = """
import os
import botanu

botanu.enable()

def serve(environ, start_response):
    start_response("200 OK", [("content-type", "text/plain")])
    with botanu.run_botanu("serve", event_id=environ["QUERY_STRING"], customer_id="acme"):
        yield str(os.getpid()).encode()
        botanu.emit_outcome("success", value_type="answers", value_amount=1)

application = botanu.WsgiMiddleware(serve)
"""

CLIENT = """
import json, sys
from concurrent.futures import ThreadPoolExecutor
from urllib.request import Request, urlopen
import botanu

def ask(number):
    with botanu.run_botanu("ask", event_id=f"e-{number}", customer_id="acme"):
        headers = {}
        botanu.inject(headers)
        with urlopen(Request(f"{sys.argv[1]}/?e-{number}", headers=headers)) as answer:
            return answer.read().decode()

with ThreadPoolExecutor(8) as pool:
    print(json.dumps([*pool.map(ask, range(int(sys.argv[2])))]))
"""

ARRIVED = """
SELECT s.outcome_status, s.outcome_auto, s.root_run_id = a.run_id, count(*), count(DISTINCT s.run_id)
FROM runs a JOIN runs s ON s.parent_run_id = a.run_id AND s.event_id = a.event_id
WHERE a.workflow = 'ask' AND s.workflow = 'serve'
GROUP BY ALL
"""


@pytest.fixture
def gunicorn(tmp_path, served):
    """Start gunicorn with four workers; give its process and its address."""
    (tmp_path / "app.py").write_text(APP)
    variables = {
        "BOTANU_ENDPOINT": served.url,
        "BOTANU_EXPORT_INTERVAL_SECONDS": "600",  # what arrives was sent at the end of a process
        "BOTANU_TRUST_BAGGAGE": "true",
    }
    started = []

    def start(*options):
        command = ["gunicorn", "app", "--workers", "4", "--bind", "127.0.0.1:0", "--no-control-socket", *options]
        process = subprocess.Popen(
            [sys.executable, "-m", *command],
            env=environment(**variables),
            cwd=tmp_path,
            stderr=subprocess.PIPE,
            text=True,
        )
        started.append(process)
        log = iter(process.stderr.readline, "")
        address = next(found[1] for line in log if (found := re.search(r"Listening at: (http://[\d.]+:\d+)", line)))
        return process, address

    yield start
    for process in started:
        if process.poll() is None:
            process.terminate()
        process.communicate(timeout=30)


@pytest.mark.parametrize("options", ["", "--preload", "--worker-class gthread --threads 4", "--max-requests 20"])
def test_every_run_of_a_preforked_worker_arrives_once_with_its_parent(served, gunicorn, options):
    process, address = gunicorn(*options.split())

    workers = run_python(CLIENT, address, str(REQUESTS), BOTANU_ENDPOINT=served.url)

    process.terminate()
    assert process.wait(30) == 0
    assert len(workers) == REQUESTS
    assert len({*workers}) > 1
    assert served.sql(ARRIVED) == [["success", False, True, REQUESTS, REQUESTS]]
    assert served.sql("SELECT count(*) FROM runs") == [[2 * REQUESTS]]
