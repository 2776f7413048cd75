"""JSON in attributes: its members are read as attributes, and whatever it holds, the spans beside it arrive."""

import json
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue
from support.lab import row_of, rows_of
from support.otlp import span

from botanu.ingest.dialects import JSON
from botanu.ingest.members import DEPTH_MAX, TEXT_MAX, members

USAGE = "langfuse.observation.usage_details"
COST = "langfuse.observation.cost_details"
RAW = "gen_ai.usage.raw"

NAMES = st.one_of(st.sampled_from(["input", "output", "total", "input_tokens", "cache_read_input_tokens"]), st.text())
SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.sampled_from([2**63, -(2**63) - 1, 10**400]),
    st.floats(),
    st.text(st.characters(), max_size=5),
)
DOCUMENTS = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=4), max_leaves=12
)


def line_items(**attributes):
    return {line["meter"]: line["quantity"] for line in row_of(span(**attributes))["line_items"] or ()}


@given(st.sampled_from(JSON), st.one_of(DOCUMENTS.map(json.dumps), DOCUMENTS.map(repr), st.text()))
def test_whatever_it_holds_the_spans_beside_it_arrive(name, text):
    rows = rows_of(span(**{name: text.encode("utf-8", "replace").decode()}), span(gen_ai__usage__input_tokens=7))

    assert [row["input_tokens"] for row in rows][1:] == [7]


@pytest.mark.parametrize(
    "text",
    [
        '{"input": 3, "\\ud83d": 1}',
        '{"input": 3, "cut": "in its midst \\ud83d"}',
        f'[{{"input": 3, "a": 1{"0" * 400}}}, {{"a": 1.5}}]',
        f"{{'input': 3, 0x{'f' * 15_000}: 1}}",
        f'{{"input": 3, "a": {2**63}}}',
    ],
)
def test_what_cannot_be_kept_does_not_take_the_rest_along(text):
    assert line_items(**{USAGE: text}) == {"input_uncached_tokens": 3}


def test_an_attribute_without_a_value_has_no_members():
    nothing = span()
    nothing.attributes.extend([KeyValue(key=RAW), KeyValue(key=USAGE, value=AnyValue())])

    assert row_of(nothing)["counted"] is None


@pytest.mark.parametrize("text", ["{}", "null", "[]", "", "free", '{"total": "nothing"}', '{"input": null}', '"0"'])
def test_a_cost_of_nothing_is_no_cost_of_zero(text):
    row = row_of(span(**{COST: text}))

    assert (row["reported_cost"], row["counted"]) == (None, None)


@pytest.mark.parametrize(
    ("text", "cost"),
    [
        ('{"input": 0.1, "output": 0.02}', "0.12"),
        ('{"input": 0.1, "total": 0.3}', "0.3"),
        ('[{"input": 0.25}, {"input": 0.5}]', "0.75"),
        ("{'input': 0.5}", "0.5"),
    ],
)
def test_a_cost_in_parts_is_their_sum(text, cost):
    row = row_of(span(**{COST: text}))

    assert row["reported_cost"] == Decimal(cost)


def test_members_are_read_to_a_depth_and_of_a_length():
    deep = {"n": 1}
    for _ in range(DEPTH_MAX - 1):
        deep = {"in": deep}

    assert members(RAW, json.dumps(deep)) == {f"{RAW}.{'in.' * (DEPTH_MAX - 1)}n": 1}
    assert members(RAW, json.dumps({"in": deep})) == {}
    assert members(RAW, json.dumps({"n": 1, "long": "x" * TEXT_MAX})) == {}


def test_a_list_of_texts_is_read_as_the_objects_they_are():
    assert line_items(**{USAGE: ['{"input": 3}', "", '{"input": 4}']}) == {"input_uncached_tokens": 7}


def test_what_leaves_the_cache_out_is_told_apart_by_what_is_beside_it():
    apart = {"input_tokens": 5, "cache_read_input_tokens": 7}

    assert members(RAW, json.dumps(apart)) == {
        f"{RAW}.beside.input_tokens": 5,
        f"{RAW}.cache_read_input_tokens": 7,
    }
    assert members(RAW, '{"input_tokens": 5}') == {f"{RAW}.input_tokens": 5}
