"""Acknowledged means committed."""

import random
import signal
import threading
import time
from importlib.metadata import version

import pytest
from support.otlp import llm, run_spans
from support.process import botanu

TOTALS = """
SELECT (SELECT count(*) FROM spans), (SELECT count(*) FROM runs), (SELECT count(*) FROM events),
  (SELECT sum(cost) FROM spans), (SELECT sum(total_cost) FROM runs), (SELECT sum(total_cost) FROM events),
  (SELECT sum(input_tokens) FROM spans)
"""


def batch(number):
    return run_spans(
        run_id=f"r-{number}", event_id=f"e-{number}", status="success", calls=[llm(input=number + 1, output=number)]
    )


def test_kill_right_after_the_answer_loses_nothing_and_sending_again_changes_nothing(tmp_path, start):
    server = start(tmp_path)
    batches = [batch(number) for number in range(30)]
    for spans in batches:
        assert server.send(*spans) == 200
    server.kill()

    server = start(tmp_path)
    before = server.sql(TOTALS)
    assert before[0][:3] == [60, 30, 30]
    assert before[0][6] == sum(range(1, 31))
    for spans in batches:
        assert server.send(*spans) == 200
    assert server.sql(TOTALS) == before
    server.stop()


def test_kills_at_random_moments_under_load_lose_nothing_acknowledged(tmp_path, start):
    """Senders send each batch until it is acknowledged; in the end every span is there once."""
    rng = random.Random(7)
    server = [start(tmp_path)]
    work = iter(range(10**6))
    acknowledged, stop = set(), threading.Event()

    def sender():
        while not stop.is_set():
            number = next(work)
            spans = batch(number)
            while number not in acknowledged:
                try:
                    if server[0].send(*spans) == 200:
                        acknowledged.add(number)
                except Exception:  # noqa: BLE001 - the server is down: try again
                    time.sleep(0.01)

    senders = [threading.Thread(target=sender) for _ in range(3)]
    for thread in senders:
        thread.start()
    for _ in range(4):
        time.sleep(rng.uniform(0.2, 0.8))
        server[0].kill()
        server[0] = start(tmp_path)
    stop.set()
    for thread in senders:
        thread.join()

    count = len(acknowledged)
    (totals,) = server[0].sql(TOTALS)
    assert totals[:3] == [2 * count, count, count]
    assert totals[3] == totals[4] == totals[5]
    assert totals[6] == sum(number + 1 for number in acknowledged)
    assert server[0].stop()[0] == 0


def test_sigterm_commits_what_is_under_way_and_exits_with_zero(tmp_path, start):
    server = start(tmp_path)
    answers = []
    senders = [threading.Thread(target=lambda n=n: answers.append(server.send(*batch(n)))) for n in range(20)]
    for thread in senders:
        thread.start()
    for thread in senders:
        thread.join()
    code, errors = server.stop()

    assert (code, errors) == (0, "")
    assert answers == [200] * 20
    again = start(tmp_path)
    assert again.sql("SELECT count(*) FROM runs") == [[20]]
    again.stop()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_either_signal_stops_the_server_cleanly(tmp_path, start, number):
    server = start(tmp_path)
    server.process.send_signal(number)
    _, errors = server.process.communicate(timeout=30)

    assert (server.process.returncode, errors) == (0, "")


def test_a_second_server_on_the_same_store_is_refused(tmp_path, start):
    server = start(tmp_path)

    second = botanu("serve", "--port", "0", "--data-dir", str(tmp_path), check=False)
    assert second.returncode == 1
    assert "is open in another process, most likely a running server" in second.stderr
    assert "Traceback" not in second.stderr

    report = botanu("report", "--data-dir", str(tmp_path), check=False)
    assert report.returncode == 1
    assert "ask that one, or stop it first" in report.stderr
    server.stop()


def test_an_address_that_is_taken_is_named(tmp_path, start):
    server = start(tmp_path / "a")
    port = server.url.rpartition(":")[2]

    second = botanu("serve", "--port", port, "--data-dir", str(tmp_path / "b"), check=False)
    assert (second.returncode, second.stderr) == (
        1,
        f"error: cannot listen on 127.0.0.1:{port}: Address already in use\n",
    )
    server.stop()


def test_settings_come_from_option_variable_and_file(tmp_path, start):
    (tmp_path / "my.toml").write_text("body_bytes_max = 10\nport = 1\n[values]\norders = 5\n")
    server = start(tmp_path / "store", "--config", str(tmp_path / "my.toml"), BOTANU_PORT="2")

    assert server.send(*batch(1)) == 413
    assert server.sql("SELECT value_type, amount, source FROM unit_values") == [["orders", 5, "config"]]
    server.stop()

    again = start(tmp_path / "store", "--config", str(tmp_path / "my.toml"), BOTANU_BODY_BYTES_MAX="1000000")
    assert again.send(*batch(1)) == 200
    assert again.sql("SELECT count(*) FROM unit_values") == [[1]]
    again.stop()


def test_bad_settings_are_all_named(tmp_path):
    (tmp_path / "my.toml").write_text("prot = 1\nport = 'x'")

    done = botanu("serve", "--config", str(tmp_path / "my.toml"), check=False, BOTANU_QUERY_TIMEOUT_SECONDS="long")
    assert done.returncode == 1
    for part in (
        "unknown setting 'prot' in the file",
        "port (BOTANU_PORT)",
        "(BOTANU_QUERY_TIMEOUT_SECONDS) must be a number",
    ):
        assert part in done.stderr


def test_the_command_says_its_version():
    assert botanu("--version").stdout.strip() == version("botanu")
