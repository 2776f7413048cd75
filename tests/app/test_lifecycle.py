"""Whatever a program does, in whatever order: what the server stored is what a model says."""

import asyncio
import contextlib
import random
import threading
from contextvars import copy_context
from dataclasses import dataclass, field
from uuid import uuid4

import httpx2
import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule, run_state_machine_as_test

import botanu
from botanu import OutcomeStatus, botanu_workflow, emit_outcome, run_botanu, track_llm_call
from botanu.server.app import create_app
from botanu.server.run import serving
from botanu.server.settings import ServerSettings

CANCELS = (asyncio.CancelledError, KeyboardInterrupt, SystemExit, GeneratorExit)
ENDINGS = (None, ValueError, TimeoutError, *CANCELS)

statuses = st.sampled_from([status.value for status in OutcomeStatus])
amounts = st.none() | st.integers(-1000, 1000)
endings = st.sampled_from(ENDINGS)
events = st.sampled_from(["a", "b"])
workflows = st.sampled_from(["w", "v"])


@dataclass
class Expected:
    """What the model knows of one run."""

    run: object
    workflow: str
    event_id: str
    parent: "Expected | None"
    auto_success: bool
    emitted: list = field(default_factory=list)
    calls: int = 0
    tokens: int = 0
    ended: bool = False
    error: type | None = None

    def outcome(self):
        """Status, amount, whether it is automatic, error type."""
        if self.emitted:
            return (*self.emitted[-1], False, None)
        if self.error is None:
            return ("success", None, True, None) if self.auto_success else (None, None, None, None)
        status = "canceled" if self.error in CANCELS else "failed"
        return (status, None, True, self.error.__name__)

    def root(self):
        return self if self.parent is None else self.parent.root()


class Lifecycle(RuleBasedStateMachine):
    """Runs inside runs, outcomes from everywhere, ends of every kind."""

    client: httpx2.Client

    @initialize()
    def begin(self):
        self.example = str(uuid4())
        random.seed()  # hypothesis has seeded it, as some programs do
        self.open = []
        self.all = []

    def event(self, name):
        return f"{self.example}-{name}"

    def note(self, run, workflow, event_id, *, auto_success=True):
        made = Expected(run, workflow, event_id, self.open[-1][1] if self.open else None, auto_success)
        self.all.append(made)
        return made

    @rule(workflow=workflows, event=events, auto_success=st.booleans())
    def open_run(self, workflow, event, auto_success):
        scope = run_botanu(workflow, event_id=self.event(event), customer_id="c", auto_outcome_on_success=auto_success)
        run = scope.__enter__()
        self.open.append((scope, self.note(run, workflow, self.event(event), auto_success=auto_success)))

    @precondition(lambda self: self.open)
    @rule(ending=endings)
    def end_run(self, ending):
        scope, expected = self.open.pop()
        scope.__exit__(ending, None if ending is None else ending(), None)
        expected.ended, expected.error = True, ending

    @precondition(lambda self: self.open)
    @rule(status=statuses, amount=amounts)
    def emit(self, status, amount):
        emit_outcome(status, value_amount=amount)
        self.open[-1][1].emitted.append((status, amount))

    @precondition(lambda self: self.open)
    @rule(status=statuses, amount=amounts)
    def emit_in_a_call_in_a_thread(self, status, amount):
        def work():
            with track_llm_call(provider="openai", model="gpt-4o"):
                emit_outcome(status, value_amount=amount)

        thread = threading.Thread(target=copy_context().run, args=(work,))
        thread.start()
        thread.join()
        self.open[-1][1].calls += 1
        self.open[-1][1].emitted.append((status, amount))

    @precondition(lambda self: self.all)
    @rule(data=st.data(), status=statuses, amount=amounts)
    def emit_on_any_run_also_one_that_has_ended(self, data, status, amount):
        expected = data.draw(st.sampled_from(self.all))
        expected.run.emit_outcome(status, value_amount=amount)
        expected.emitted.append((status, amount))

    @precondition(lambda self: self.open)
    @rule(tokens=st.integers(0, 1000))
    def call(self, tokens):
        with track_llm_call(provider="openai", model="gpt-4o") as call:
            call.set_tokens(tokens, 0)
        self.open[-1][1].calls += 1
        self.open[-1][1].tokens += tokens

    @rule(kind=st.sampled_from(["function", "coroutine", "generator", "async generator"]), status=st.none() | statuses,
          ending=endings, event=events)  # fmt: skip
    def run_function(self, kind, status, ending, event):
        noted = []

        def body():
            noted.append(self.note(botanu.current_run(), "f", self.event(event)))
            if status is not None:
                emit_outcome(status)
                noted[0].emitted.append((status, None))
            if ending is not None:
                raise ending

        made = botanu_workflow("f", event_id=self.event(event), customer_id="c")(KINDS[kind](body))
        with contextlib.suppress(*ENDINGS[1:], RuntimeError):
            DRIVERS[kind](made)
        noted[0].ended, noted[0].error = True, ending

    def teardown(self):
        while self.open:
            self.end_run(None)
        if self.all:
            assert botanu.flush()
            self.check_runs()
            self.check_events()

    def ask(self, query):
        response = self.client.post("/v1/sql", json={"query": query})
        assert response.status_code == 200, response.text
        answer = response.json()
        return [dict(zip((each["name"] for each in answer["columns"]), row, strict=True)) for row in answer["rows"]]

    def check_runs(self):
        rows = self.ask(f"SELECT * FROM runs WHERE event_id LIKE '{self.example}%'")
        stored = {row["run_id"]: row for row in rows}
        assert stored.keys() == {each.run.run_id for each in self.all}
        for each in self.all:
            row = stored[each.run.run_id]
            status, amount, auto, error = each.outcome()
            assert (row["outcome_status"], row["outcome_auto"], row["outcome_error_type"]) == (status, auto, error)
            assert row["outcome_value_amount"] == amount
            assert row["outcome_count"] == len(each.emitted)
            assert row["parent_run_id"] == (each.parent and each.parent.run.run_id)
            assert row["root_run_id"] == each.root().run.run_id
            assert (row["workflow"], row["event_id"], row["calls"]) == (each.workflow, each.event_id, each.calls)
            assert row["attempt"] == 1 + sum(
                other.event_id == each.event_id and other.workflow == each.workflow
                for other in self.all[: self.all.index(each)]
            )

    def check_events(self):
        rows = self.ask(f"SELECT * FROM events WHERE event_id LIKE '{self.example}%'")
        stored = {row["event_id"]: row for row in rows}
        for event_id in {each.event_id for each in self.all}:
            assert stored[event_id]["runs"] == sum(each.event_id == event_id for each in self.all)


def _coroutine(body):
    async def run():
        await asyncio.sleep(0)
        body()

    return run


def _generator(body):
    def run():
        yield 1
        body()
        yield 2

    return run


def _async_generator(body):
    async def run():
        yield 1
        body()
        yield 2

    return run


async def _drain(made):
    async for _ in made():
        pass


KINDS = {
    "function": lambda body: body,
    "coroutine": _coroutine,
    "generator": _generator,
    "async generator": _async_generator,
}
DRIVERS = {
    "function": lambda made: made(),
    "coroutine": lambda made: asyncio.run(made()),
    "generator": lambda made: list(made()),
    "async generator": lambda made: asyncio.run(_drain(made)),
}


@pytest.mark.timeout(300)
def test_what_the_server_stored_is_what_the_model_says(tmp_path):
    server = ServerSettings(port=0, data_dir=tmp_path / "server")
    with (
        serving(create_app(server, {}), server) as address,
        httpx2.Client(base_url=address, timeout=30.0) as Lifecycle.client,
    ):
        botanu.enable(endpoint=address, strict=True)
        try:
            run_state_machine_as_test(Lifecycle, settings=settings(stateful_step_count=25, deadline=None))
        finally:
            botanu.disable()
