import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from botanu.pricing.meters import ABSENT, METERS, RESTS, exclusive, priced_as, whole


def split(**counted):
    """Split one call's totals; give what is known of it."""
    totals = {meter.name: np.array([counted.get(meter.name, ABSENT)]) for meter in METERS}
    return {meter: int(column[0]) for meter, column in exclusive(totals).items() if column[0] != ABSENT}


@pytest.mark.parametrize(
    ("counted", "expected"),
    [
        ({"input_tokens": 1000, "cache_read_tokens": 600}, {"input_uncached_tokens": 400, "cache_read_tokens": 600}),
        # Anthropic's own API counts cached tokens beside the input, not within it.
        ({"input_tokens": 10, "cache_read_tokens": 600}, {"input_uncached_tokens": 10, "cache_read_tokens": 600}),
        (
            {"output_tokens": 100, "output_reasoning_tokens": 64},
            {"output_text_tokens": 36, "output_reasoning_tokens": 64},
        ),
        ({"output_tokens": 0}, {"output_text_tokens": 0}),
        ({"input_tokens": 5, "cache_read_tokens": 5}, {"input_uncached_tokens": 0, "cache_read_tokens": 5}),
        ({"cache_read_tokens": 5}, {"cache_read_tokens": 5}),
        (
            {"input_tokens": 100, "cache_write_tokens": 50, "cache_write_1h_tokens": 30},
            {"input_uncached_tokens": 50, "cache_write_other_tokens": 20, "cache_write_1h_tokens": 30},
        ),
        # Audio that was cached is reported as both.
        (
            {"input_tokens": 1000, "cache_read_tokens": 800, "input_audio_tokens": 800},
            {"input_uncached_tokens": 0, "cache_read_tokens": 800, "input_audio_tokens": 200},
        ),
        (
            {"output_tokens": 100, "output_reasoning_tokens": 101},
            {"output_text_tokens": 0, "output_reasoning_tokens": 101},
        ),
        (
            {"cache_write_5m_tokens": 3, "cache_write_1h_tokens": 4, "input_tokens": 10},
            {"input_uncached_tokens": 3, "cache_write_5m_tokens": 3, "cache_write_1h_tokens": 4},
        ),
        ({}, {}),
    ],
)
def test_parts_are_taken_out_of_their_total(counted, expected):
    assert split(**counted) == expected


counts = st.one_of(st.just(ABSENT), st.integers(0, 10**9))


@given(counted=st.fixed_dictionaries({meter.name: counts for meter in METERS}))
def test_nothing_is_negative_and_the_parts_add_up_to_the_whole(counted):
    totals = {name: np.array([count]) for name, count in counted.items()}
    parts = {name: int(column[0]) for name, column in exclusive(totals).items()}

    assert all(count >= 0 or count == ABSENT for count in parts.values())
    for total in ("input_tokens", "output_tokens"):
        of_total = [max(count, 0) for name, count in parts.items() if total in priced_as(name)]
        entire = int(whole(total, totals)[0])
        assert sum(of_total) == max(entire, 0)
        assert entire >= counted[total]
        assert parts[next(rest for rest, of in RESTS.items() if of == total)] != ABSENT or counted[total] == ABSENT


def test_of_what_nobody_counted_nothing_is_known():
    totals = {"requests": np.array([1])}

    assert whole("input_tokens", totals) is None
    assert exclusive(totals).keys() == {"requests"}


def test_a_meter_without_a_price_of_its_own_is_priced_as_what_contains_it():
    assert priced_as("cache_write_1h_tokens") == ("cache_write_1h_tokens", "cache_write_tokens", "input_tokens")
    assert priced_as("cache_write_other_tokens") == ("cache_write_tokens", "input_tokens")
    assert priced_as("input_uncached_tokens") == ("input_tokens",)
    assert priced_as("output_reasoning_tokens") == ("output_reasoning_tokens", "output_tokens")


def test_parts_are_the_whole_where_only_they_are_counted():
    totals = {"cache_read_tokens": np.array([5, ABSENT]), "cache_write_tokens": np.array([2, ABSENT])}

    assert whole("input_tokens", totals).tolist() == [7, ABSENT]
    assert {meter: column.tolist() for meter, column in exclusive(totals).items()} == {
        "cache_read_tokens": [5, ABSENT],
        "cache_write_other_tokens": [2, ABSENT],
    }
