import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from botanu.pricing.meters import ABSENT, METERS, RESTS, exclusive, priced_as, total_with_parts


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
        ({}, {}),
    ],
)
def test_parts_are_taken_out_of_their_total(counted, expected):
    assert split(**counted) == expected


counts = st.one_of(st.just(ABSENT), st.integers(0, 10**9))


@given(counted=st.fixed_dictionaries({meter.name: counts for meter in METERS}))
def test_nothing_is_negative_and_inclusive_totals_add_up(counted):
    totals = {name: np.array([count]) for name, count in counted.items()}
    parts = {name: int(column[0]) for name, column in exclusive(totals).items()}

    assert all(count >= 0 or count == ABSENT for count in parts.values())
    for rest, total in RESTS.items():
        within = [max(counted[meter.name], 0) for meter in METERS if meter.within == total]
        if counted[total] != ABSENT and sum(within) <= counted[total]:
            assert parts[rest] + sum(within) == counted[total]
        assert int(total_with_parts(total, totals)[0]) == max(parts[rest], 0) + sum(within)


def test_a_meter_without_a_price_of_its_own_is_priced_as_what_contains_it():
    assert priced_as("cache_write_1h_tokens") == ("cache_write_1h_tokens", "cache_write_tokens", "input_tokens")
    assert priced_as("cache_write_other_tokens") == ("cache_write_tokens", "input_tokens")
    assert priced_as("input_uncached_tokens") == ("input_tokens",)
    assert priced_as("output_reasoning_tokens") == ("output_reasoning_tokens", "output_tokens")
