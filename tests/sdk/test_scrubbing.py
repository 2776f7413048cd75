import base64
import re

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from botanu import run_botanu, semconv
from botanu.sdk.scrubbing import is_secret, scrub_text, scrubbed, scrubbed_start

KEY = "x9Ab3" * 8
JWT = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.dozjgNryP4J3jVmNHl0w5N_XgL0n3I9PlFUP0THsR8U"
PEM = "-----BEGIN RSA PRIVATE KEY-----\nMIIEow\n-----END RSA PRIVATE KEY-----"

SECRETS = [
    ("sk-" + KEY, "[redacted API key]"),
    (f"used sk-proj-{KEY}.", "used [redacted API key]."),
    (f"(sk-ant-api03-{KEY}-AA)", "([redacted API key])"),
    ("sk-" + "abcdefgh" * 6, "[redacted API key]"),
    ("AIzaSyA1234567890abcdefghijklmnopqrstuvw", "[redacted API key]"),
    ("ghp_16C7e42F292c6912E7710c838347Ae178B4a", "[redacted API key]"),
    ("github_pat_11ABCDEFG0123456789_abcdefghijklm", "[redacted API key]"),
    ("glpat-x9Ab3x9Ab3x9Ab3x9Ab3", "[redacted API key]"),
    ("xoxb-123456789012-abcdefGHIJ", "[redacted API key]"),
    ("sk_live_4eC39HqLyjWDarjtT1zdp7dc", "[redacted API key]"),
    ("rk_live_4eC39HqLyjWDarjtT1zdp7dc", "[redacted API key]"),
    ("hf_AbCdEfGhIjKlMnOpQrStUvWx", "[redacted API key]"),
    ("xai-AbCdEfGhIjKlMnOpQrStUvWx", "[redacted API key]"),
    ("AKIAIOSFODNN7EXAMPLE", "[redacted API key]"),
    ("ASIAIOSFODNN7EXAMPLE failed", "[redacted API key] failed"),
    (
        "aws_secret_access_key = wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
        "aws_secret_access_key = [redacted secret]",
    ),
    ("Bearer abc.def123-456", "Bearer [redacted credential]"),
    ("bearer abcdefghijklmnopqrstuvwx", "bearer [redacted credential]"),
    ("Authorization: Bearer abc.def123-456", "Authorization: Bearer [redacted secret]"),
    ("Basic dXNlcjpwYXNz failed", "Basic [redacted credential] failed"),
    (f"cookie {JWT};", "cookie [redacted JSON web token];"),
    (f"{PEM}\nand more", "[redacted private key]\nand more"),
    ("-----BEGIN PRIVATE KEY-----\nMIIEow", "[redacted private key]"),
    ("postgres://bob:hun@ter2@db:5432/x", "postgres://[redacted credential]@db:5432/x"),
    ("https://token@example.com/a", "https://[redacted credential]@example.com/a"),
    ("password=hunter2", "password=[redacted secret]"),
    ("Password : geheim", "Password : [redacted secret]"),
    ("DB_PASSWORD=x y", "DB_PASSWORD=[redacted secret] y"),
    ("pwd='a \\' b' c", "pwd='[redacted secret]' c"),
    ("api_key=abcdef&x=1", "api_key=[redacted secret]&x=1"),
    ("x-api-key: 12ab34cd", "x-api-key: [redacted secret]"),
    ("apiKey => 12ab34cd", "apiKey => [redacted secret]"),
    ("token: s3cr3t-value", "token: [redacted secret]"),
    ("token=abc", "token=[redacted secret]"),
    ("client_secret: 4711", "client_secret: [redacted secret]"),
    ('{"token": "abc", "password": "x \\" y", "n": 1}', None),
    ('"{\\"password\\": \\"x\\", \\"n\\": 1}"', '"{\\"password\\": \\"[redacted secret]\\", \\"n\\": 1}"'),
    ("ask alice.o'hara+x@example.co.uk now", "ask [redacted e-mail address] now"),
    ("<jörg@bücher.example>", "<[redacted e-mail address]>"),
    ("4111111111111111", "[redacted card number]"),
    ("4111 1111 1111 1111 12/27", "[redacted card number] 12/27"),
    ("4111-1111-1111-1111.", "[redacted card number]."),
    ("3782 822463 10005", "[redacted card number]"),
    ("4111 1111 1111 1112 4111 1111 1111 1111", "4111 1111 1111 1112 [redacted card number]"),
    ("DE89 3704 0044 0532 0130 00 BIC", "[redacted IBAN] BIC"),
    ("PL61 1090 1014 0000 0712 1981 2874 PAID", "[redacted IBAN] PAID"),
    ("GB82WEST12345698765432", "[redacted IBAN]"),
]


@pytest.mark.parametrize(("text", "clean"), SECRETS)
def test_a_secret_is_replaced_and_what_is_around_it_stays(text, clean):
    if clean is None:
        clean = '{"token": "[redacted secret]", "password": "[redacted secret]", "n": 1}'
    assert scrub_text(text) == clean
    assert scrub_text(clean) == clean


@pytest.mark.parametrize(
    "text",
    [
        "",
        "rate_limit_exceeded",
        "processed_3_of_5",
        "ORD-2024-000123456789",
        "order 4711-0815-1234-5678 is late",
        "550e8400-e29b-41d4-a716-446655440000",
        "0192f0c1-7e2b-7c3d-8a4b-123456789012",
        "01JD8Z6T3V8N9QW4K2M5R7XABC",
        "4bf92f3577b34da6a3ce929d0e0e4736",
        "2024-08-06T12:00:00.123456+00:00",
        "1732275600000 ms, 1732275600000000000 ns",
        "$1,299.99 or 1299.99 EUR",
        "confidence 0.4111111111111111",
        "4111111111111111.5",
        "gpt-4o-2024-08-06",
        "claude-3-5-sonnet@20240620",
        "us.anthropic.claude-3-5-sonnet-20241022-v2:0",
        "xai-grok-4-fast-reasoning",
        "version 1.45.2",
        "+1 415 555 0132",
        "/usr/lib/python3.11/site-packages/botanu/sdk.py:17",
        "run_dGhpcyBpcyBhIHRlc3Q=",
        "max_tokens=4096",
        "token=17 of 30",
        "input token: 1234",
        "tokens: 1200, cost: 3",
        "token: expired",
        "password: must be longer",
        "invalid api key: not found",
        "Basic subscription",
        "Basic authentication failed",
        "basic YWJjZGVmZ2hp",
        "bearer certificates 2024",
        "see https://example.com/@alice?x=1 and http://localhost:4318/v1/traces",
        "sk-learn",
        "risk-assessment-2024-00012345",
        "AKIAIOSFODNN7EXAMPLES",
        "GB82WEST12345698765431",
        "DE89 3704",
        "foo@localhost, package@1.2.3",
        "[redacted API key]",
    ],
)
def test_an_ordinary_text_is_left_alone(text):
    assert scrubbed(text) == (text, ())


def test_the_kinds_of_what_was_found_are_told_once_each_in_order():
    text = f"a@example.com b@example.com sk-{KEY}"
    assert scrubbed(text)[1] == ("an e-mail address", "an API key")


FRAGMENTS = st.sampled_from(
    [
        *(text for text, _ in SECRETS),
        *re.findall(r"\w+|\W", " ".join(text for text, _ in SECRETS)),
        "-----BEGIN RSA PRIVATE KEY-----",
        "-----END RSA PRIVATE KEY-----",
        "eyJ",
        "sk-",
        "://",
        "0.",
        "[redacted ",
        " API key]",
        "[redacted secret]",
    ]
)


@given(st.one_of(st.text(), st.lists(FRAGMENTS | st.text(max_size=3), max_size=12).map("".join)))
@example(f"xoxb-123456789012-abc0.4111111111111111{JWT}")
@example("4111 1111 1111 1111_@abc.example")
def test_what_is_scrubbed_stays_as_it_is(text):
    clean = scrub_text(text)
    assert scrub_text(clean) == clean


@given(
    before=st.text(alphabet=" ,;()[]{}<>\n|", max_size=5),
    secret=st.sampled_from(
        [f"sk-{KEY}", JWT, "4111111111111111", "alice@example.com", "GB82WEST12345698765432", "AKIAIOSFODNN7EXAMPLE"]
    ),
    after=st.text(alphabet=" ,;()[]{}<>\n|", max_size=5),
)
def test_a_secret_is_found_wherever_it_stands(before, secret, after):
    assert secret not in scrub_text(f"{before}{secret}{after}")


def test_a_text_that_never_comes_clean_is_left_out(monkeypatch):
    """The card number comes to light once the key before it is a mark."""
    hidden = "xoxb-123456789012-abc0.4111111111111111"
    assert scrub_text(hidden) == "[redacted API key].[redacted card number]"

    monkeypatch.setattr("botanu.sdk.scrubbing.PASSES_MAX", 2)

    assert scrub_text(hidden) == "[redacted text]"


@pytest.mark.parametrize("unit", ["a", "-", "sk-", "eyJ", "://", "a@", "a@b.", "4111 ", "DE89 ", "password", "'", "\\"])
def test_a_long_hostile_text_is_read_to_its_end(unit):
    """That it takes time in proportion is for a bench; what takes the square of it would not end here."""
    text = unit * (100_000 // len(unit))
    assert scrub_text(f"{text} alice@example.com").endswith("[redacted e-mail address]")


def test_a_secret_that_a_limit_would_cut_is_found():
    text = "x" * 20 + " alice@example.com"
    assert scrubbed_start(text, 25) == ("x" * 20 + " [red", ("an e-mail address",), True)
    assert scrubbed_start(text, 100) == ("x" * 20 + " [redacted e-mail address]", ("an e-mail address",), False)
    assert scrubbed_start("x" * 100, 10) == ("x" * 10, (), True)


@pytest.mark.parametrize(
    ("name", "value", "secret"),
    [
        ("password", "x", True),
        ("DB_PASSWORD", 4711, True),
        ("api_key", "x", True),
        ("token", "x", True),
        ("token", 17, False),
        ("password", True, False),
        ("password", None, False),
        ("max_tokens", 100, False),
        ("tokens", "many", False),
    ],
)
def test_a_name_can_make_its_value_a_secret(name, value, secret):
    assert is_secret(name, value) is secret


def test_the_texts_of_an_outcome_are_scrubbed_and_that_is_said(runs, lenient):
    with run_botanu("work", event_id="e", customer_id="c") as run:
        run.emit_outcome(
            "failed",
            value_type="mail to bob@example.com",
            reason="no answer from alice@example.com",
            error_type=f"Denied sk-{KEY}",
            metadata={"to": "carol@example.com", "password": "hunter2", "secret": 4711, "sent": 3},
        )

    attributes = runs.only().attributes
    assert {name: value for name, value in attributes.items() if name.startswith("botanu.outcome.")} == {
        "botanu.outcome.status": "failed",
        "botanu.outcome.value_type": "mail to bob@example.com",
        "botanu.outcome.reason": "no answer from [redacted e-mail address]",
        "botanu.outcome.error_type": "Denied [redacted API key]",
        "botanu.outcome.metadata.to": "[redacted e-mail address]",
        "botanu.outcome.metadata.password": "[redacted secret]",
        "botanu.outcome.metadata.secret": "[redacted secret]",
        "botanu.outcome.metadata.sent": 3,
    }
    assert attributes[semconv.FAULTS] == (
        "reason: redacted an e-mail address",
        "error_type: redacted an API key",
        "metadata.to: redacted an e-mail address",
        "metadata.password: redacted a secret",
        "metadata.secret: redacted a secret",
    )


def test_a_reason_is_scrubbed_before_it_is_shortened(runs, lenient):
    with run_botanu("work", event_id="e", customer_id="c") as run:
        run.emit_outcome("failed", reason="x" * 1010 + " alice@example.com")

    attributes = runs.only().attributes
    assert attributes[semconv.OUTCOME_REASON] == "x" * 1010 + " [redacted e-m"
    assert attributes[semconv.FAULTS] == (
        "reason: redacted an e-mail address",
        "reason: shortened from 1028 to 1024 characters",
    )


def test_basic_credentials_are_told_from_words_by_what_they_say():
    credentials = base64.b64encode("Jörg:secret".encode()).decode()
    assert scrub_text(f"Basic {credentials}") == "Basic [redacted credential]"
