"""Changed costs in the store: the ledger, the spans, their runs and events, all or nothing."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pyarrow as pa
import pytest
from support.lab import CATALOG, NOW, PRICES, Lab
from support.otlp import llm, run_spans, span

from botanu.errors import QueryError, StoreError, UnavailableError
from botanu.ingest.recosting import Selection, recost
from botanu.pricing.own_prices import OwnPrice, Scope
from botanu.pricing.price_list import OwnTerms, PriceList
from botanu.query.report import report
from botanu.query.window import Window

ALL = Selection(datetime(2020, 1, 1, tzinfo=UTC), datetime(2040, 1, 1, tzinfo=UTC))
EVER = Window("all", None, None)
LATER = NOW + timedelta(hours=1)


def priced_at(dollars, provider="openai", model="gpt-4o"):
    """Prices where a million input tokens of a model cost some *dollars*."""
    price = OwnPrice(Scope(provider, model), "input_tokens", Decimal(dollars), "USD", 10**6)
    return PriceList(CATALOG, OwnTerms((price,)))


def changes(lab, prices=PRICES, rows=2):
    query, parameters = ALL.query(prices)
    for batch in lab.store.stream(query, parameters, rows=rows):
        yield recost(batch, prices).changes


def ledger(lab):
    return lab.rows("SELECT * FROM cost_changes ORDER BY recorded_at, cost_before, cost_after")


def everything(lab):
    return {**lab.tables(), "ledger": ledger(lab)}


@pytest.fixture
def filled(lab):
    """Two events: the first with two runs and three calls booked at ten times their price, the second unpriced."""
    wrong = priced_at(25)
    lab.send(*run_spans(run_id="r-1", status="failed", calls=[llm(input=1000), llm(input=2000)]), prices=wrong)
    lab.send(*run_spans(run_id="r-2", status="success", calls=[llm(input=4000)]), prices=wrong)
    lab.send(*run_spans(run_id="r-3", event_id="e-2", status="success", calls=[llm("x", "y", input=8)]), prices=wrong)
    lab.send(span(**llm(input=16_000)), prices=wrong)
    return lab


def test_calls_runs_and_events_cost_what_the_changes_say(filled):
    assert filled.store.restate(changes(filled), LATER, by="ann", reason="wrong contract") == 4

    assert {run: filled.run(run)["total_cost"] for run in ("r-1", "r-2", "r-3")} == {
        "r-1": Decimal("0.0075"),
        "r-2": Decimal("0.01"),
        "r-3": None,
    }
    assert filled.event()["total_cost"] == Decimal("0.0175")
    assert filled.row("SELECT sum(amount) AS a FROM line_items")["a"] == Decimal("0.0575")
    assert filled.row("SELECT sum(cost) AS c FROM spans")["c"] == Decimal("0.0575")


def test_the_ledger_keeps_what_was_booked_and_what_is_since_with_who_and_why(filled):
    was = filled.rows("SELECT span_id, cost, line_items FROM spans WHERE cost IS NOT NULL ORDER BY cost")
    filled.store.restate(changes(filled), LATER, by="ann", reason="wrong contract")
    rows = ledger(filled)

    assert [(row["span_id"], row["cost_before"], row["line_items_before"]) for row in rows] == [
        (span["span_id"], span["cost"], span["line_items"]) for span in was
    ]
    assert [row["cost_after"] * 10 for row in rows] == [row["cost_before"] for row in rows]
    assert {(row["changed_by"], row["reason"], row["recorded_at"]) for row in rows} == {
        ("ann", "wrong contract", LATER.astimezone(UTC))
    }
    assert [row["run_id"] for row in rows] == ["r-1", "r-1", "r-2", None]
    assert {(row["priced_before"], row["priced_after"], row["currency_after"]) for row in rows} == {(True, True, "USD")}


def test_a_second_time_changes_nothing(filled):
    filled.store.restate(changes(filled), LATER, by=None, reason=None)
    before = everything(filled)

    assert filled.store.restate(changes(filled), LATER + timedelta(hours=1), by=None, reason=None) == 0
    assert everything(filled) == before


def test_the_way_there_and_back_leaves_the_costs_as_they_were_and_a_ledger_of_both(filled):
    before = filled.tables()
    filled.store.restate(changes(filled), LATER, by=None, reason=None)
    filled.store.restate(changes(filled, priced_at(25)), LATER + timedelta(hours=1), by=None, reason="that was wrong")

    assert filled.tables() == before
    assert sum(row["cost_after"] - row["cost_before"] for row in ledger(filled)) == 0
    assert len(ledger(filled)) == 8


@pytest.mark.parametrize("fault", [RuntimeError, KeyboardInterrupt])
def test_what_breaks_off_half_way_writes_nothing(filled, fault):
    before = everything(filled)

    def broken():
        yield next(changes(filled, rows=1))
        raise fault

    with pytest.raises(fault):
        filled.store.restate(broken(), LATER, by=None, reason=None)
    assert everything(filled) == before
    assert filled.store.restate(changes(filled), LATER, by=None, reason=None) == 4


def test_what_fails_when_everything_but_the_runs_is_written_writes_nothing(filled, monkeypatch):
    before = everything(filled)

    def fails(connection, *_):
        connection.execute("SELECT * FROM nothing")

    with monkeypatch.context() as patched:
        patched.setattr(filled.store, "_rebuild", fails)
        with pytest.raises(StoreError, match="nothing was written"):
            filled.store.restate(changes(filled), LATER, by=None, reason=None)
    assert everything(filled) == before


def test_a_store_that_is_closed_says_that_nothing_was_written(filled):
    kept = list(changes(filled))
    filled.store.close()
    with pytest.raises(UnavailableError, match="nothing was written"):
        filled.store.restate(kept, LATER, by=None, reason=None)
    filled.store = Lab(filled.directory).store


def test_a_call_that_has_changed_since_it_was_read_is_left_for_the_next_time(filled):
    read = list(changes(filled))
    with filled.store._transaction() as connection:
        connection.execute("UPDATE spans SET counted = FALSE WHERE cost = 0.1")

    assert filled.store.restate(read, LATER, by=None, reason=None) == 3
    assert filled.row("SELECT cost FROM spans WHERE NOT counted")["cost"] == Decimal("0.1")
    assert filled.store.restate(changes(filled), LATER + timedelta(hours=1), by=None, reason=None) == 1


def test_spans_arrive_while_calls_are_priced_anew(filled):
    def slow():
        for number, batch in enumerate(changes(filled, rows=1)):
            filled.send(*run_spans(run_id=f"new-{number}", event_id="e-9", calls=[llm(input=1000)]))
            yield batch

    assert filled.store.restate(slow(), LATER, by=None, reason=None) == 4
    assert filled.event("e-9")["total_cost"] == Decimal("0.0125")
    assert len(ledger(filled)) == 4


def test_what_is_streamed_is_of_one_instant_and_no_more_than_asked_for_at_a_time(filled):
    batches = filled.store.stream("SELECT span_id FROM spans WHERE cost > $least", {"least": 0}, rows=3)
    sizes = [len(next(batches))]
    filled.send(span(**llm(input=1000)))
    sizes += [len(batch) for batch in batches]

    assert sizes == [3, 1]
    with pytest.raises(QueryError, match="nothing"):
        next(filled.store.stream("SELECT nothing FROM spans", {}, rows=3))


class TestAReportAsOfBefore:
    def made(self, lab, as_of=None):
        made = report(lab.store, EVER, as_of=as_of)
        return made.rows, made.total, replace(made.coverage, unpriced=())

    def test_is_what_it_was_to_the_last_digit(self, filled):
        before = self.made(filled)
        filled.store.restate(changes(filled), LATER, by=None, reason=None)

        assert self.made(filled, LATER - timedelta(microseconds=1)) == before
        assert self.made(filled, LATER) == self.made(filled) != before

    def test_undoes_one_change_after_the_other(self, filled):
        reports, instants = [self.made(filled)], [NOW]
        for number, dollars in enumerate((5, 7, 11)):
            instants.append(LATER + timedelta(hours=number))
            filled.store.restate(changes(filled, priced_at(dollars)), instants[-1], by=None, reason=None)
            reports.append(self.made(filled))

        assert [self.made(filled, instant) for instant in instants] == reports

    @pytest.mark.parametrize("calls", [[llm("x", "y", input=8)], [llm("x", "y", input=8), llm(input=1)], []])
    def test_does_not_know_what_was_not_known(self, lab, calls):
        lab.send(*run_spans(run_id="r-1", status="success", calls=calls))
        lab.send(*run_spans(run_id="r-2", status="success", calls=[{"gen_ai.operation.name": "plan", **llm("x", "y")}]))
        before = self.made(lab)
        filled = changes(lab, priced_at(3, "y", "x"))
        lab.store.restate(filled, LATER, by=None, reason=None)

        assert (self.made(lab) == before) is not any(call["gen_ai.request.model"] == "x" for call in calls)
        assert self.made(lab, NOW) == before

    def test_knows_what_has_lost_its_price_since(self, lab):
        lab.send(
            *run_spans(run_id="r-1", status="success", calls=[llm("x", "y", input=8)]), prices=priced_at(3, "y", "x")
        )
        before = self.made(lab)
        lab.store.restate(changes(lab), LATER, by=None, reason=None)

        assert lab.run("r-1")["total_cost"] is None
        assert self.made(lab, NOW) == before


def test_a_batch_without_changes_is_nothing(lab):
    assert lab.store.restate([], NOW, by=None, reason=None) == 0
    assert lab.store.restate(iter([pa.table({"trace_id": []})]), NOW, by=None, reason=None) == 0
