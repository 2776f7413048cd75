"""Groups, answers, limits and the end."""

import threading
from concurrent.futures import wait
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from support.lab import CATALOG, PRICES
from support.otlp import body, llm, run_spans, span
from support.process import eventually

from botanu.errors import DecodeError, StoreError, UnavailableError
from botanu.ingest import pipeline as pipeline_module
from botanu.ingest.otlp import JSON, PROTOBUF
from botanu.ingest.pipeline import Pipeline
from botanu.pricing.own_prices import OwnDiscount
from botanu.pricing.price_list import OwnTerms, PriceList


class Wrapped:
    """The real store, which can be held up, or made to fail for some batches."""

    def __init__(self, store):
        self._store = store
        self.open = threading.Event()
        self.open.set()
        self.groups = []
        self.fail = lambda names: None

    def add_prices(self, prices):
        return self._store.add_prices(prices)

    def related(self, spans, columns):
        return self._store.related(spans, columns)

    def append(self, spans, now, revised=None):
        self.open.wait()
        names = spans.column("name").to_pylist()
        self.groups.append(names)
        if error := self.fail(names):
            raise error
        return self._store.append(spans, now, revised)

    def abandon(self, now):
        if error := self.fail(["abandon"]):
            raise error
        return self._store.abandon(now)


@pytest.fixture
def store(lab):
    return Wrapped(lab.store)


@pytest.fixture
def pipeline(store):
    made = Pipeline(store, PRICES, queue_bytes_max=1000, group_bytes_max=600)
    made.start()
    yield made
    store.open.set()
    made.close()


def submit(pipeline, *spans):
    return pipeline.submit(body(*spans), PROTOBUF)


def names(lab):
    return {row["name"] for row in lab.rows("SELECT name FROM spans")}


def test_an_answer_means_it_is_stored(lab, pipeline):
    assert submit(pipeline, span("a")).result(10).refused is None
    assert names(lab) == {"a"}


def test_what_comes_in_during_a_commit_goes_into_one_group(store, pipeline):
    store.open.clear()
    futures = [submit(pipeline, span("first"))]
    while len(pipeline._waiting):
        pass
    futures += [submit(pipeline, span(name)) for name in "abc"]
    store.open.set()
    wait(futures, 10)

    assert store.groups == [["first"], ["a", "b", "c"]]


def test_a_group_holds_no_more_than_its_bytes(store, pipeline):
    store.open.clear()
    futures = [submit(pipeline, span("first"))]
    while len(pipeline._waiting):
        pass
    futures += [submit(pipeline, span(name * 200)) for name in "abc"]
    store.open.set()
    wait(futures, 10)

    assert [len(group) for group in store.groups] == [1, 2, 1]


def test_a_full_queue_says_so_and_takes_again_later(store, pipeline):
    store.open.clear()
    futures = [submit(pipeline, span("first"))]
    while len(pipeline._waiting):
        pass
    futures += [submit(pipeline, span("x" * 400)) for _ in range(2)]
    with pytest.raises(UnavailableError, match="more is coming in than can be written"):
        submit(pipeline, span("y" * 400))
    store.open.set()
    wait(futures, 10)

    assert submit(pipeline, span("y" * 400)).result(10)


def test_a_request_larger_than_the_queue_is_taken_when_nothing_waits(pipeline):
    assert submit(pipeline, span("z" * 5000)).result(10)


def test_one_unreadable_request_does_not_harm_its_group(lab, store, pipeline):
    store.open.clear()
    futures = [submit(pipeline, span("first"))]
    while len(pipeline._waiting):
        pass
    futures += [submit(pipeline, span("good")), pipeline.submit(b"\xff", PROTOBUF), submit(pipeline, span("fine"))]
    store.open.set()
    wait(futures, 10)

    assert isinstance(futures[2].exception(), DecodeError)
    assert names(lab) == {"first", "good", "fine"}


@pytest.mark.parametrize("kind", [StoreError, RuntimeError])
def test_one_request_that_cannot_be_written_is_found_and_the_rest_is_kept(lab, store, pipeline, kind):
    store.fail = lambda names: kind("bad row") if "poison" in names else None
    store.open.clear()
    futures = [submit(pipeline, span("first"))]
    while len(pipeline._waiting):
        pass
    futures += [submit(pipeline, span(name)) for name in ("good", "poison", "fine")]
    store.open.set()
    wait(futures, 10)

    assert [type(future.exception()) for future in futures] == [type(None), type(None), kind, type(None)]
    assert names(lab) == {"first", "good", "fine"}


def test_a_store_that_is_away_is_told_to_every_request_of_the_group(store, pipeline):
    store.fail = lambda names: UnavailableError("disk full")

    with pytest.raises(UnavailableError, match="disk full"):
        submit(pipeline, span()).result(10)

    store.fail = lambda names: None
    assert submit(pipeline, span()).result(10)


def test_closing_commits_what_was_submitted(lab, store):
    pipeline = Pipeline(store, PRICES)
    pipeline.start()
    futures = [submit(pipeline, span(f"s{number}")) for number in range(50)]
    pipeline.close()

    assert all(future.done() and future.exception() is None for future in futures)
    assert len(names(lab)) == 50
    with pytest.raises(UnavailableError, match="shutting down"):
        submit(pipeline, span())


def test_runs_that_fell_silent_are_abandoned_in_passing(lab, store, monkeypatch):
    monkeypatch.setattr(pipeline_module, "ABANDON_EVERY_SECONDS", 0.05)
    clock = [datetime(2026, 11, 22, tzinfo=UTC)]
    pipeline = Pipeline(store, PRICES, clock=lambda: clock[0])
    pipeline.start()
    submit(pipeline, *run_spans(run_id="r-1", calls=[{"x": 1}], root=False)).result(10)
    clock[0] += timedelta(hours=2)
    for _ in range(100):
        if lab.run("r-1")["outcome_status"] == "abandoned":
            break
        threading.Event().wait(0.05)
    pipeline.close()

    assert lab.run("r-1")["outcome_status"] == "abandoned"


def test_a_look_for_silent_runs_that_fails_is_logged_and_done_again(store, monkeypatch, caplog):
    monkeypatch.setattr(pipeline_module, "ABANDON_EVERY_SECONDS", 0.01)
    store.fail = lambda names: UnavailableError("busy")
    pipeline = Pipeline(store, PRICES)
    pipeline.start()
    eventually(lambda: caplog.text.count("will be tried again: busy") > 1)
    pipeline.close()


@pytest.mark.parametrize("number", ["1e999", "1" + "0" * 400])
def test_a_number_that_no_field_can_hold_is_its_senders_fault_alone(lab, pipeline, number):
    poison = f'{{"resourceSpans":[{{"scopeSpans":[{{"spans":[{{"kind":{number}}}]}}]}}]}}'.encode()
    with pytest.raises(DecodeError, match="no OTLP trace request in JSON"):
        pipeline.submit(poison, JSON).result(10)

    submit(pipeline, span("a")).result(10)
    assert names(lab) == {"a"}


def test_a_sender_that_waits_no_longer_stops_nothing(lab, store, pipeline):
    store.open.clear()
    first = submit(pipeline, span("first"))
    while len(pipeline._waiting):
        pass
    gone, last = submit(pipeline, span("gone")), submit(pipeline, span("last"))
    assert gone.cancel()
    assert not first.cancel()
    store.open.set()

    assert last.result(10).refused is None
    assert names(lab) == {"first", "gone", "last"}


def test_a_fault_of_ours_is_answered_and_the_next_request_is_taken(lab, pipeline, monkeypatch, caplog):
    def fault(*_):
        raise ZeroDivisionError

    with monkeypatch.context() as patched:
        patched.setattr(pipeline_module, "decode", fault)
        failed = submit(pipeline, span("a"))
        with pytest.raises(ZeroDivisionError):
            failed.result(10)
    assert "a group of 1 requests could not be written" in caplog.text

    submit(pipeline, span("b")).result(10)
    assert names(lab) == {"b"}


def test_a_price_less_a_discount_can_be_looked_up(lab, pipeline):
    discount = OwnDiscount.of({"provider": "openai", "percent": 10}, source="test")
    pipeline.prices = PriceList(CATALOG, OwnTerms(discounts=(discount,)))
    for _ in range(2):
        submit(pipeline, span(**llm(input=1000))).result(10)

    assert lab.rows("SELECT DISTINCT amount, unit_price, price_source FROM line_items") == [
        {"amount": Decimal("0.00225"), "unit_price": Decimal("2.25"), "price_source": f"{CATALOG.source}, less 10 %"}
    ]


def test_a_count_too_large_for_its_column_stays_an_attribute(lab, pipeline):
    over = {"botanu.attempt": 5_000_000_000, "botanu.outcome.count": 2**31}
    submit(pipeline, *run_spans(run_id="r-1", status="success", **over)).result(10)

    row = lab.row("SELECT attempt, outcome_count FROM runs")
    assert (row["attempt"], row["outcome_count"]) == (1, 1)
    assert lab.row("SELECT attributes->>'botanu.attempt' AS a FROM spans WHERE is_run")["a"] == "5000000000"


def test_a_fault_half_way_through_the_answers_changes_none_that_was_given(store, pipeline, monkeypatch):
    acknowledge = pipeline_module._Waiting.acknowledge
    answered = []

    def fault(item, refused):
        if len(answered) == 2:
            raise ZeroDivisionError
        answered.append(acknowledge(item, refused))

    monkeypatch.setattr(pipeline_module._Waiting, "acknowledge", fault)
    store.open.clear()
    submit(pipeline, span("first"))
    while len(pipeline._waiting):
        pass
    both = [submit(pipeline, span("a")), submit(pipeline, span("b"))]
    store.open.set()

    assert both[0].result(10).refused is None
    with pytest.raises(ZeroDivisionError):
        both[1].result(10)
