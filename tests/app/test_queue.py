"""Runs that go through a queue: a producer, Celery's workers, a server, each in processes of its own."""

import os
import signal
import subprocess
import sys

import pytest
from support.process import environment, eventually, run_python

ORDERS = 6

APP = """
import os
import time
from pathlib import Path

import botanu
from celery import Celery

queue = os.environ["QUEUE"]
app = Celery("app", broker="filesystem://")
app.conf.broker_transport_options = {
    "data_folder_in": queue,
    "data_folder_out": queue,
    "control_folder": f"{queue}/control",
    "polling_interval": 0.05,
}

@app.task(bind=True, max_retries=1)
def fulfill(self, order):
    headers = self.request.headers
    with botanu.extract(headers), botanu.run_botanu(
        "fulfill", event_id=order, customer_id="acme", attempt=self.request.retries + 1
    ):
        if self.request.retries == 0:
            raise self.retry(exc=ConnectionError(), countdown=0)
        botanu.emit_outcome("success", value_type="orders_fulfilled", value_amount=1)
    Path(queue, f"{order}.done").touch()

@app.task
def endless():
    with botanu.run_botanu("before-the-end", event_id="e", customer_id="acme"):
        pass
    Path(queue, "started").write_text(str(os.getpid()))
    time.sleep(600)

@app.task
def after():
    Path(queue, "after").touch()
"""

PRODUCER = """
import sys
import botanu
from app import fulfill

for number in range(int(sys.argv[1])):
    with botanu.run_botanu("order", event_id=f"o-{number}", customer_id="acme"):
        headers = {}
        botanu.inject(headers)
        fulfill.apply_async((f"o-{number}",), headers=headers)
"""

QUIET = ("--without-gossip", "--without-mingle", "--without-heartbeat")

ARRIVED = """
SELECT f.event_id, f.attempt, f.outcome_status, f.root_run_id = o.run_id, count(*)
FROM runs o JOIN runs f ON f.parent_run_id = o.run_id AND f.event_id = o.event_id
WHERE o.workflow = 'order' AND f.workflow = 'fulfill'
GROUP BY ALL ORDER BY ALL
"""


class Celery:
    """A worker of Celery, and the queue it reads."""

    def __init__(self, directory, served):
        (directory / "app.py").write_text(APP)
        self.queue = directory / "queue"
        self.queue.mkdir()
        self.variables = {
            "BOTANU_ENDPOINT": served.url,
            "BOTANU_EXPORT_INTERVAL_SECONDS": "600",  # what arrives was sent at the end of a process
            "PYTHONPATH": str(directory),
            "QUEUE": str(self.queue),
        }

    def produce(self, program, *arguments):
        run_python(program, *arguments, **self.variables)

    def start(self, *options):
        self.worker = subprocess.Popen(
            [sys.executable, "-m", "celery", "--app", "app", "worker", "--loglevel", "ERROR", *QUIET, *options],
            env=environment(**self.variables),
            cwd=self.queue.parent,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )

    def stop(self, seconds=30):
        self.worker.terminate()
        return self.worker.wait(seconds)


@pytest.fixture
def celery(tmp_path, served):
    made = Celery(tmp_path, served)
    yield made
    if made.worker.poll() is None:
        os.killpg(made.worker.pid, signal.SIGKILL)
        made.worker.wait()


@pytest.mark.parametrize(
    "options",
    [
        "--pool prefork --concurrency 2",
        "--pool prefork --concurrency 2 --max-tasks-per-child 1",
        "--pool threads --concurrency 4",
        "--pool solo",
    ],
)
def test_every_run_of_a_worker_arrives_once_with_its_parent_and_attempt(served, celery, options):
    celery.start(*options.split())
    celery.produce(PRODUCER, str(ORDERS))

    eventually(lambda: len([*celery.queue.glob("*.done")]) == ORDERS, 100)

    assert celery.stop() == 0
    assert served.sql(ARRIVED) == [
        [f"o-{number}", attempt, status, True, 1]
        for number in range(ORDERS)
        for attempt, status in ((1, "failed"), (2, "success"))
    ]
    assert served.sql("SELECT count(*), count(DISTINCT run_id) FROM runs") == [[ORDERS * 3, ORDERS * 3]]
    assert served.sql("SELECT DISTINCT outcome_status, runs FROM events") == [["success", 3]]


def test_an_outcome_that_the_reader_emits_is_the_senders_runs_before_and_after_its_end(served):
    run_python(
        """
        import subprocess, sys
        import botanu

        READER = "import botanu, sys; botanu.extract(eval(sys.argv[1])).__enter__(); botanu.emit_outcome('partial')"

        def read_elsewhere(headers):
            subprocess.run([sys.executable, "-c", READER, repr(headers)], check=True)

        headers = {}
        with botanu.run_botanu("before", event_id="e-1", customer_id="acme"):
            botanu.inject(headers)
            read_elsewhere(headers)
        with botanu.run_botanu("after", event_id="e-2", customer_id="acme"):
            botanu.inject(headers)
        read_elsewhere(headers)
        """,
        BOTANU_ENDPOINT=served.url,
    )

    assert served.sql("SELECT workflow, outcome_status, outcome_auto FROM runs ORDER BY start_time") == [
        ["before", "partial", False],
        ["after", "partial", False],
    ]


def test_a_task_that_is_terminated_loses_no_run_and_does_not_stop_the_pool(served, celery):
    celery.start("--pool", "prefork", "--concurrency", "1")
    celery.produce("from app import endless; endless.delay()")
    started = celery.queue / "started"
    eventually(lambda: started.exists() and started.read_text(), 30)

    os.kill(int(started.read_text()), signal.SIGTERM)
    celery.produce("from app import after; after.delay()")

    eventually((celery.queue / "after").exists, 30)
    assert served.sql("SELECT workflow, outcome_status FROM runs") == [["before-the-end", "success"]]
