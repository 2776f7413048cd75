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


def test_a_handler_may_emit_the_outcome_of_the_run_that_is_just_emitting_one():
    """Without a lock of its own kind the program would stop here for good."""
    assert run_python(
        """
        import json, os, signal
        import botanu
        from botanu.testing import capture_runs

        with capture_runs() as runs:
            with botanu.run_botanu("w", event_id="e", customer_id="c") as run:
                signal.signal(signal.SIGUSR1, lambda *_: botanu.emit_outcome("timeout"))
                emitted = run._span.add_event

                def add_event(*given):
                    run._span.add_event = emitted
                    os.kill(os.getpid(), signal.SIGUSR1)
                    emitted(*given)

                run._span.add_event = add_event
                botanu.emit_outcome("success")
        print(json.dumps([each.status for each in runs.only().outcomes]))
        """
    ) == ["timeout", "success"]
