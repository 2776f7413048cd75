"""A run's identity as members of baggage, and back."""

from hypothesis import given
from hypothesis import strategies as st
from opentelemetry import baggage
from opentelemetry.baggage.propagation import W3CBaggagePropagator
from opentelemetry.context import Context

from botanu import semconv
from botanu.sdk.identity import IDENTITY
from botanu.sdk.members import BYTES_MAX, MEMBERS_MAX, TEXT_MAX, fitting, identity_in, members_of

PRINTABLE = st.characters(exclude_categories=("C", "Z"), include_characters=" ").filter(str.isprintable)
TEXTS = st.text(PRINTABLE, min_size=1, max_size=TEXT_MAX)
VALUES = dict.fromkeys(IDENTITY, TEXTS) | {semconv.ATTEMPT: st.integers(1, 999_999_999)}
IDENTITIES = st.fixed_dictionaries({semconv.RUN_ID: VALUES.pop(semconv.RUN_ID)}, optional=VALUES)


def written(members):
    """Return the header of *members*, written by OpenTelemetry."""
    context = Context()
    for name, value in members.items():
        context = baggage.set_baggage(name, value, context)
    carrier = {}
    W3CBaggagePropagator().inject(carrier, context)
    return carrier.get("baggage", "")


@given(IDENTITIES)
def test_what_fits_comes_back_as_it_went(identity):
    kept = fitting(members_of(identity))

    assert identity_in([written(kept)]) == {name: identity[name] for name in kept}
    assert list(kept) == [name for name in IDENTITY if name in kept]


@given(st.dictionaries(st.sampled_from(IDENTITY[:5]), TEXTS.map(lambda text: text.strip()[:50] or "x")))
def test_ten_programs_that_know_nothing_of_us_hand_it_on(identity):
    identity = {semconv.RUN_ID: "r", **identity}
    header = written(members_of(identity))

    for _ in range(10):
        header = written(baggage.get_all(W3CBaggagePropagator().extract({"baggage": header}, Context())))

    assert identity_in([header]) == identity


@given(st.dictionaries(st.text(), st.text() | st.integers(), max_size=200))
def test_the_limits_hold_and_the_run_comes_first(theirs):
    kept = fitting({semconv.RUN_ID: "r", **theirs})

    assert len(kept) <= MEMBERS_MAX
    assert len(written(kept)) <= BYTES_MAX
    assert next(iter(kept)) == semconv.RUN_ID


def test_what_is_too_long_is_left_out_and_what_comes_after_it_is_not():
    members = {"a": "x" * 4000, "b": "x" * 4000, "c": "x" * 500, "d": "x" * (BYTES_MAX - 8000 - len("a=,b=,d="))}

    assert fitting(members).keys() == {"a", "b", "d"}
    assert len(written(fitting(members))) == BYTES_MAX


def test_the_64_members_that_everyone_lets_through_are_the_first():
    assert list(fitting({str(number): "" for number in range(100)})) == [str(number) for number in range(64)]


def test_an_id_that_nobody_would_believe_is_not_sent():
    identity = {semconv.RUN_ID: "r", semconv.EVENT_ID: "x" * 257, semconv.CUSTOMER_ID: "a\0b"}

    assert members_of(identity) == {semconv.RUN_ID: "r"}
