"""Signals belong to the program."""

from support.process import run_python


def test_a_signal_that_the_program_puts_off_waits():
    """As Celery's pool does while it writes its last message: the thread that sends spans takes it no less."""
    assert run_python(
        """
        import json, os, signal, threading, time
        import botanu
        from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

        botanu.enable(exporter=InMemorySpanExporter(), export_interval_seconds=0.01)
        with botanu.run_botanu("w", event_id="e", customer_id="c"):
            pass
        assert botanu.flush()
        arrived = []
        signal.signal(signal.SIGTERM, lambda *_: arrived.append(threading.current_thread().name))

        mask = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})
        os.kill(os.getpid(), signal.SIGTERM)
        time.sleep(0.1)
        waits = [signal.SIGTERM in signal.sigpending(), len(arrived)]
        signal.pthread_sigmask(signal.SIG_SETMASK, mask)

        print(json.dumps([*waits, arrived, sorted(thread.name for thread in threading.enumerate())]))
        """
    ) == [True, 0, ["MainThread"], ["MainThread", "botanu-delivery"]]


def test_a_handler_may_report_while_the_program_holds_the_lock_of_a_span():
    """OpenTelemetry's is not made for that: who needs it in a handler stops the program for good."""
    assert run_python(
        """
        import json, os, signal
        import botanu
        from botanu.testing import capture_runs
        from opentelemetry import trace

        class Interrupting(dict):
            def items(self):
                assert trace.get_current_span()._lock.locked()
                os.kill(os.getpid(), signal.SIGUSR1)
                return super().items()

        def handle(*_):
            botanu.emit_outcome("timeout")
            botanu.record_usage(pages=1)
            botanu.record_cost("0.1")
            with botanu.run_botanu("inside", event_id="e", customer_id="c"):
                pass

        signal.signal(signal.SIGUSR1, handle)
        with capture_runs() as runs:
            with botanu.run_botanu("w", event_id="e", customer_id="c"), botanu.track_tool_call("t"):
                trace.get_current_span().set_attributes(Interrupting(key=1))
                botanu.record_usage(pages=1)
                botanu.emit_outcome("success")
        (call,) = runs.of("w").calls
        print(json.dumps([[each.status for each in runs.of("w").outcomes], call.usage, str(call.cost)]))
        """
    ) == [["timeout", "success"], {"pages": 2}, "0.1"]


def test_a_handler_may_emit_the_outcome_of_the_run_that_is_just_ending():
    assert (
        run_python(
            """
        import json, os, signal
        import botanu
        from botanu.sdk import scope
        from botanu.testing import capture_runs

        close = scope.Run._close

        def interrupted(run, span, error):
            os.kill(os.getpid(), signal.SIGUSR1)
            close(run, span, error)

        scope.Run._close = interrupted
        signal.signal(signal.SIGUSR1, lambda *_: botanu.emit_outcome("timeout"))
        with capture_runs() as runs:
            with botanu.run_botanu("w", event_id="e", customer_id="c"):
                botanu.emit_outcome("success")
        print(json.dumps(runs.only().outcome.status))
        """
        )
        == "timeout"
    )
