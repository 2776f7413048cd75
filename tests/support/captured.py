"""Captured calls beside what the server makes of the same spans, and whatever a span may hold."""

import json
from dataclasses import asdict
from datetime import UTC, datetime
from decimal import ROUND_HALF_EVEN, Decimal

import numpy as np
import pyarrow as pa
from hypothesis import strategies as st

from botanu import semconv
from botanu.ingest.calls import _with_rest
from botanu.ingest.costs import add_costs
from botanu.ingest.dialects import (
    CALL_OPERATIONS,
    COLUMNS,
    COSTS,
    DIALECTS,
    JSON,
    METERED,
    NO_METER,
    OPERATIONS,
    OWN_USAGE,
    REMAINDERS,
    ROLL_UP_OPERATIONS,
    STANDARD_TIERS,
    Kind,
)
from botanu.ingest.normalise import normalise
from botanu.ingest.otlp import PROTOBUF, decode, flatten
from botanu.pricing.catalog import Catalog
from botanu.pricing.meters import QUANTITY_MAX, exclusive, units_of
from botanu.pricing.money import round_to_nano
from botanu.pricing.price_list import PriceList
from botanu.sdk.encoding import encode_spans
from botanu.testing.calls import call_of

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
PRICES = PriceList(Catalog())


def ingested(span):
    """Return what the server makes of *span*: the columns that it reads, and those that pricing adds."""
    flat, refusals = flatten([decode(encode_spans([span]), PROTOBUF)])
    assert refusals == [None]
    read = normalise(flat, NOW)
    columns, _ = add_costs(read, PRICES)
    return {name: column.to_pylist()[0] for name, column in columns.items() if isinstance(column, pa.Array)}


def assert_the_same(span):
    """Assert that *span* is a call as captured if it is one on the server, and the same one."""
    call, row = call_of(span), ingested(span)
    if call is None:
        assert not row["counted"]
        return
    assert call.counted is bool(row["counted"])
    assert (call.provider, call.model, call.service_tier) == (row["provider"], row["model"], row["service_tier"])
    assert (call.operation, call.error_type) == (row["operation"], row["error_type"])
    assert_the_same_usage(call, row)
    if call.counted:
        assert_the_same_cost(call, row)


def assert_the_same_usage(call, row):
    """Assert that what is captured comes to the line items of the server, and that zero is told from nothing there."""
    quantities = {meter: quantity for meter, quantity in used(call).items() if is_read(meter, quantity)}
    items = {line["meter"]: line["quantity"] for line in row["line_items"] or () if line["meter"] != NO_METER}
    if "requests" not in quantities:
        assert items.pop("requests", 1) == 1
    assert split(quantities) == items
    if call.operation not in ROLL_UP_OPERATIONS:
        tokens = asdict(call.tokens)
        in_parts = {"input_tokens", "output_tokens"} - quantities.keys()  # of which the server has the sum
        assert tokens == {meter: None if meter in in_parts else row[meter] for meter in tokens}
    assert (len(quantities) < len(used(call))) is row["reports_usage"]


def used(call):
    """Return all that was used by meter: what is known of it, and what was reported that cannot be read."""
    tokens = {meter: count for meter, count in asdict(call.tokens).items() if count is not None}
    return {**tokens, **call.usage}


def is_read(meter, quantity):
    """Return whether *quantity* is one of *meter*, and not what was reported in its place."""
    if COLUMNS.get(OWN_USAGE.get(semconv.USAGE + meter)) is Kind.COUNT:
        return type(quantity) is int and 0 <= quantity <= QUANTITY_MAX
    return type(quantity) in (int, float) and 0 <= quantity < 10**12 and meter != NO_METER


def split(quantities):
    """Return *quantities* by meter as the server has them in line items: without overlap, in units, none of zero."""
    totals = {meter: np.array([parts(meter, quantity)]) for meter, quantity in quantities.items()}
    for rest, meter in REMAINDERS.items():
        if rest in totals:
            totals[meter] = _with_rest(meter, totals.pop(rest), totals)
    exact = {meter: Decimal(int(quantity[0])) / units_of(meter) for meter, quantity in exclusive(totals).items()}
    return {meter: quantity for meter, quantity in exact.items() if quantity > 0}


def parts(meter, quantity):
    return int((Decimal(str(quantity)) * units_of(meter)).to_integral_value(ROUND_HALF_EVEN))


def assert_the_same_cost(call, row):
    """Assert that a cost that is captured is the server's; where none is, there may be a price for what was used."""
    if call.currency == "USD":
        assert (row["cost"], row["currency"], row["priced"]) == (round_to_nano(call.cost), "USD", True)
        assert row["cost_source"] == "reported"
    elif call.cost is not None:
        assert (row["cost"], row["priced"]) == (None, False)
    else:
        is_zero = (row["reports_cost"], row["cache_hit"] is True, row["cost"]) == (False, False, 0)
        assert row["cost_source"] != "reported" or is_zero


# --- Whatever a span may hold ---------------------------------------------------------------------------


def names_of(*columns):
    """Return the attributes that any dialect has for *columns*."""
    every = {name for dialect in DIALECTS for column in columns for name in dialect.attributes.get(column, ())}
    return st.sampled_from(sorted(every))


COLUMNS_OF = {kind: [meter for meter in METERED if COLUMNS[meter] is kind] for kind in (Kind.COUNT, Kind.QUANTITY)}
WORD_COLUMNS = ("operation", "provider", "request_model", "response_model", "response_id", "service_tier", "error_type")
OTHER_METERS = [semconv.USAGE + meter for meter in ("pages", "searches", "operation", NO_METER)]

DIGITS = st.text("0123456789", min_size=1, max_size=16)
MONEY = st.one_of(
    st.from_regex(r"\A[0-9]{1,10}(\.[0-9]{1,14})?([eE][-+]?[0-9]{1,2})?\Z"),
    st.decimals(0, 10**9, places=10).map("{:f}".format),
    st.sampled_from(
        ["999999999.9999999994", "999999999.9999999995", "-1", "+1", " 1", "1.", ".5", "٣", "", "nan", "0"]
    ),
    st.floats(0, 1e10),
    st.sampled_from([-0.0, -1.0, float("nan"), float("inf"), 5e-324, True]),
    st.integers(-1, 10**10),
)
COUNTS = st.one_of(
    st.integers(-2, QUANTITY_MAX + 2),
    st.integers(-2, 5).map(float),
    st.sampled_from([1.5, 1e15, 2e15, float("nan"), float("inf"), "٣", "-1", "1.0", " 1", "", True]),
    DIGITS,
    st.lists(st.integers(0, 3), max_size=2),
)
QUANTITIES = st.one_of(
    COUNTS,
    st.floats(0, 1e13),
    st.decimals(0, 10**5, places=9).map(float),
    st.from_regex(r"\A[0-9]{1,7}\.[0-9]{1,6}\Z"),
    st.sampled_from([10**12 - 1, 10**12, "1.", ".5", "1e3", "0.1234567891", "nan", -0.5, -0.0]),
)
WORDS = st.one_of(
    st.sampled_from([*CALL_OPERATIONS, *ROLL_UP_OPERATIONS, *OPERATIONS, *STANDARD_TIERS]),
    st.sampled_from(["openai", "gpt-4o", '"gpt-4o"', "LLM", "Agent", "USD", "usd", "EUR", " Flex ", '"', ""]),
    st.booleans(),
    st.integers(-5, 5),
    st.sampled_from([0.5, 1.0, -2.25]),
    st.just(["x"]),
)
FLAGS = st.sampled_from([True, False, "True", "false", "yes", 1])


@st.composite
def json_attributes(draw):
    """An attribute of JSON as some write it: members where they are looked for, and others."""
    name = draw(st.sampled_from(JSON))
    kinds = {
        each.removeprefix(f"{name}.").replace("beside.", ""): COLUMNS[column]
        for dialect in DIALECTS
        for column, names in dialect.attributes.items()
        for each in names
        if each.startswith(f"{name}.")
    }
    members = st.lists(
        st.sampled_from(sorted({*kinds, "input", "total", "ünknown", "\ud83d"})), max_size=4, unique=True
    )

    def document():
        values = {member: WORDS if kinds.get(member) is Kind.TEXT else COUNTS | MONEY for member in draw(members)}
        return {member: draw(value) for member, value in values.items()}

    given = draw(st.sampled_from([document, document, lambda: [document(), document()], lambda: "x"]))()
    write = draw(st.sampled_from([json.dumps, repr, lambda given: [json.dumps(given), "", "{}"]]))
    text = write(given)
    return {name: text.encode("utf-8", "replace").decode() if isinstance(text, str) else text}


ATTRIBUTES = st.builds(
    lambda *parts: {name: value for part in parts for name, value in part.items()},
    st.dictionaries(names_of(*WORD_COLUMNS), WORDS, max_size=4),
    st.dictionaries(names_of(*COLUMNS_OF[Kind.COUNT]), COUNTS, max_size=4),
    st.dictionaries(names_of(*COLUMNS_OF[Kind.QUANTITY]), QUANTITIES, max_size=2),
    st.dictionaries(st.sampled_from([*OWN_USAGE, *OTHER_METERS]), QUANTITIES, max_size=3),
    st.dictionaries(names_of("claimed_cost"), MONEY, max_size=1),
    st.dictionaries(names_of("cache_hit"), FLAGS, max_size=1),
    st.fixed_dictionaries({}, optional={amount: MONEY for amount, _ in COSTS}),
    st.fixed_dictionaries({}, optional={currency: WORDS for _, currency in COSTS}),
    st.one_of(st.just({}), json_attributes()),
)
