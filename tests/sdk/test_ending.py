"""However a process ends, what it has done arrives: once, and from the process that did it."""

import contextlib
import signal
import subprocess
import sys
import textwrap
import time
from types import SimpleNamespace

import pytest
from support.collector import Collector
from support.process import environment

from botanu import semconv

RUNS = """
import signal
signal.signal(signal.SIGTERM, signal.SIG_DFL)  # as it is, but where coverage is measured

import botanu

def work(event, runs=10):
    for number in range(runs):
        with botanu.run_botanu("w", event_id=f"{event}-{number}", customer_id="c"):
            botanu.track_llm_call(provider="openai", model="gpt-4o").__enter__().__exit__(None, None, None)
"""


@pytest.fixture
def collector():
    with Collector() as made:
        yield made


def start(code, collector, tmp_path, before="", **environ):
    """Start a program of *code*, which may call ``work(event)``; it is a file, as some processes import it again."""
    program = tmp_path / "program.py"
    program.write_text(before + RUNS + textwrap.dedent(code))
    given = environment(
        BOTANU_ENDPOINT=collector.url,
        BOTANU_EXPORT_INTERVAL_SECONDS="60",
        **{"BOTANU_EXIT_TIMEOUT_SECONDS": "30"} | environ,
    )
    return subprocess.Popen(
        [sys.executable, program], env=given, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )


def finish(process, returncode=0):
    output, errors = process.communicate(timeout=60)
    assert process.returncode == returncode, errors
    return output, errors


def events(collector):
    return sorted(run[semconv.EVENT_ID].rpartition("-")[0] for run in collector.runs())


@pytest.mark.parametrize(
    ("end", "returncode"),
    [
        ("", 0),
        ("import sys; sys.exit(3)", 3),
        ("raise SystemExit", 0),
        ("import os, signal; os.kill(os.getpid(), signal.SIGTERM); import time; time.sleep(60)", -signal.SIGTERM),
        ("import threading, time; threading.Thread(target=time.sleep, args=(60,), daemon=True).start()", 0),
        ("import atexit; atexit.register(lambda: None)", 0),
    ],
)
def test_what_waits_is_sent_before_the_process_ends(collector, tmp_path, end, returncode):
    _, errors = finish(start(f"work('e')\n{end}", collector, tmp_path), returncode)

    assert events(collector) == ["e"] * 10
    assert errors == ""


def test_an_exception_that_ends_the_program_is_its_own(collector, tmp_path):
    _, errors = finish(start("work('e')\nraise ValueError('mine')", collector, tmp_path), 1)

    assert len(collector.runs()) == 10
    assert errors.endswith("ValueError: mine\n")


def test_a_signal_handler_of_the_programs_stays(collector, tmp_path):
    code = """
    import os, signal
    signal.signal(signal.SIGTERM, lambda *_: print("mine", flush=True))
    work("e")
    os.kill(os.getpid(), signal.SIGTERM)
    """
    output, _ = finish(start(code, collector, tmp_path))

    assert output == "mine\n"
    assert len(collector.runs()) == 10


def test_a_run_at_the_very_end_is_sent_too(collector, tmp_path):
    code = """
    import atexit
    work("e")
    atexit.register(work, "late")
    """
    finish(start(code, collector, tmp_path))

    assert events(collector) == ["e"] * 10 + ["late"] * 10


def test_after_a_fork_each_process_sends_its_own(collector, tmp_path):
    code = """
    import os
    work("before")
    with botanu.run_botanu("w", event_id="around-0", customer_id="c") as run:
        child = os.fork()
        work("child" if child == 0 else "parent")
        botanu.emit_outcome("partial" if child == 0 else "success")
    if child == 0:
        botanu.flush()
        os._exit(0)
    os.waitpid(child, 0)
    """
    finish(start(code, collector, tmp_path))

    assert events(collector) == ["around", *["before"] * 10, *["child"] * 10, *["parent"] * 10]
    nested = [run for run in collector.runs() if run[semconv.EVENT_ID].startswith("child")]
    (around,) = (run for run in collector.runs() if run[semconv.EVENT_ID] == "around-0")
    assert {run[semconv.PARENT_RUN_ID] for run in nested} == {around[semconv.RUN_ID]}
    assert len({run[semconv.RUN_ID] for run in collector.runs()}) == 31
    (late,) = (found for _, found in collector.spans if semconv.OUTCOME_LATE in found)
    assert (late[semconv.OUTCOME_STATUS], around[semconv.OUTCOME_STATUS]) == ("partial", "success")


def test_a_child_of_a_fork_in_the_midst_of_setting_up_has_runs_all_the_same(collector, tmp_path):
    code = """
    import os
    from botanu.sdk import configure
    with configure._setup.lock:  # as another thread holds it while it sets up
        import threading
        def child():
            if os.fork() == 0:
                work("child")
                botanu.flush()
                os._exit(0)
            os.wait()
        thread = threading.Thread(target=child)
        thread.start()
        thread.join()
    """
    finish(start(code, collector, tmp_path))

    assert events(collector) == ["child"] * 10


@pytest.mark.parametrize("method", ["fork", "spawn", "forkserver"])
def test_children_of_multiprocessing_deliver(collector, tmp_path, method):
    code = f"""
    import multiprocessing
    from concurrent.futures import ProcessPoolExecutor

    if __name__ == "__main__":
        context = multiprocessing.get_context({method!r})
        work("parent")
        processes = [context.Process(target=work, args=("process",)) for _ in range(2)]
        for process in processes: process.start()
        for process in processes: process.join()
        with context.Pool(2) as pool:
            pool.map(work, ["pool"] * 4)
            pool.close()
            pool.join()
        with ProcessPoolExecutor(2, mp_context=context) as pool:
            list(pool.map(work, ["executor"] * 4))
    """
    finish(start(code, collector, tmp_path))

    assert events(collector) == sorted(["parent"] * 10 + ["process"] * 20 + ["pool"] * 40 + ["executor"] * 40)


def test_a_server_that_is_not_there_holds_the_end_up_no_longer_than_said(tmp_path):
    nowhere = SimpleNamespace(url="http://127.0.0.1:1")
    began = time.monotonic()
    _, errors = finish(start("work('e')", nowhere, tmp_path, BOTANU_EXIT_TIMEOUT_SECONDS="0.5"))

    assert time.monotonic() - began < 30
    assert "20 spans, 10 of them runs, were not delivered" in errors


def test_a_process_killed_in_its_midst_leaves_children_that_say_whose_they_are(collector, tmp_path):
    code = """
    import os
    with botanu.run_botanu("w", event_id="e-1", customer_id="c", tenant_id="t", version="v1"):
        with botanu.track_llm_call(provider="openai", model="gpt-4o") as call:
            call.set_tokens(1, 2)
        botanu.flush()
        os._exit(9)
    """
    finish(start(code, collector, tmp_path), 9)

    ((_, call),) = collector.spans
    assert (call[semconv.EVENT_ID], call[semconv.WORKFLOW_VERSION], call[semconv.TENANT_ID]) == ("e-1", "v1", "t")


UNMEASURED = {"COVERAGE_PROCESS_CONFIG": "", "COVERAGE_PROCESS_START": ""}
"""Where coverage is measured, a lock of its own is taken with each call, and a signal that comes in its midst hangs."""


def test_a_signal_in_the_midst_of_work_neither_hangs_nor_loses_what_ended(collector, tmp_path):
    code = """
    import itertools
    for number in itertools.count():
        work(f"e{number}", 1)
        if number == 100:
            print("ready", flush=True)
    """
    process = start(code, collector, tmp_path, **UNMEASURED)
    try:
        assert process.stdout.readline() == "ready\n"
        process.terminate()
        finish(process, -signal.SIGTERM)
    finally:
        process.kill()

    numbers = sorted(int(event[1:]) for event in events(collector))
    assert len(numbers) > 100
    assert numbers == list(range(len(numbers)))


@pytest.mark.parametrize("busy", ["gevent.sleep(60)", "while True: gevent.sleep(0.001)", "while True: pass"])
def test_with_gevent_what_waits_is_sent_before_a_signal_ends_the_process(collector, tmp_path, busy):
    """The signal comes to the loop between greenlets, or to one that is at work; our own sends."""
    code = f"""
    import gevent
    work("e")
    print("ready", flush=True)
    {busy}
    """
    program = "from gevent import monkey; monkey.patch_all()\n"
    process = start(code, collector, tmp_path, before=program, **UNMEASURED)
    try:
        assert process.stdout.readline() == "ready\n"
        process.terminate()
        _, errors = finish(process, -signal.SIGTERM)
    finally:
        process.kill()

    assert events(collector) == ["e"] * 10
    assert errors == ""


def test_a_program_whose_first_run_is_in_a_thread_may_enable_in_the_main_one(collector, tmp_path):
    code = """
    import os, threading, time
    first = threading.Thread(target=work, args=("e",))
    first.start()
    first.join()
    botanu.enable()
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(60)
    """
    _, errors = finish(start(code, collector, tmp_path), -signal.SIGTERM)

    assert events(collector) == ["e"] * 10
    assert errors == ""


def test_a_signal_that_comes_again_and_again_ends_the_process_in_the_time_of_the_first(tmp_path):
    code = """
    import os, threading, time
    from opentelemetry.sdk.trace.export import SpanExporter

    class Hangs(SpanExporter):
        def export(self, spans):
            threading.Event().wait()

    botanu.enable(exporter=Hangs())
    work("e")
    print("ready", flush=True)
    while True:
        time.sleep(60)
    """
    with Collector() as unused:
        process = start(code, unused, tmp_path, BOTANU_EXIT_TIMEOUT_SECONDS="1", **UNMEASURED)
    try:
        assert process.stdout.readline() == "ready\n"
        for _ in range(100):  # ten times as long as it has
            process.terminate()
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(0.1)
                break
        assert process.returncode == -signal.SIGTERM
    finally:
        process.kill()
        process.communicate()


@pytest.mark.parametrize("first", ["", "import tempfile; kept = tempfile.TemporaryDirectory()"])
def test_a_stream_that_is_open_at_the_end_is_sent_with_what_it_reported(collector, tmp_path, first):
    """Whatever else the program has that is ended with the interpreter, and in whatever order."""
    code = f"""
    {first}
    with botanu.run_botanu("w", event_id="e-0", customer_id="c"):
        with botanu.track_llm_call(provider="openai", model="gpt-4o") as call:
            stream = call.stream(iter([{{"input_tokens": 3}}, {{}}]), lambda chunk: chunk)
        next(stream)
    """
    _, errors = finish(start(code, collector, tmp_path))

    assert {name: given.get(semconv.GEN_AI_INPUT_TOKENS) for name, given in collector.spans} == {
        "w": None,
        "chat gpt-4o": 3,
    }
    assert errors == ""


def test_an_interrupt_while_the_program_waits_at_its_end_is_the_last_it_waits(tmp_path):
    code = """
    import atexit, os, threading, time
    from opentelemetry.sdk.trace.export import SpanExporter

    class Hangs(SpanExporter):
        def export(self, spans):
            while True:  # what comes before the program waits is another's to handle
                os.kill(os.getpid(), signal.SIGINT)
                time.sleep(3)

    botanu.enable(exporter=Hangs())
    work("e")
    """
    with Collector() as unused:
        process = start(code, unused, tmp_path, BOTANU_EXIT_TIMEOUT_SECONDS="3600", **UNMEASURED)
    try:
        _, errors = process.communicate(timeout=60)
    finally:
        process.kill()

    assert "20 spans, 10 of them runs, were not delivered" in errors


@pytest.mark.parametrize(
    "act", ["botanu.emit_outcome('partial')", "run._end(None, success=True)", "call.set_error('e')"]
)
def test_a_forks_child_waits_for_no_lock_that_its_parent_held(collector, tmp_path, act):
    code = f"""
    import os
    with botanu.run_botanu("w", event_id="e-0", customer_id="c") as run:
        with botanu.track_tool_call("t") as call:
            with run._lock, run._span._lock, call._span._lock:
                child = os.fork()
                if child == 0:
                    signal.alarm(30)
                    {act}
                    os._exit(7)
                _, status = os.waitpid(child, 0)
    print(os.waitstatus_to_exitcode(status))
    """
    output, _ = finish(start(code, collector, tmp_path))

    assert output == "7\n"
