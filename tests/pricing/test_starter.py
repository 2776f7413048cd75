"""The starter price file: its form, and sums worked by hand."""

import re
import tomllib
from collections import Counter
from datetime import date
from decimal import Decimal
from importlib.resources import files

import pytest

STARTER = files("botanu.pricing") / "starter.toml"
PRICES = tomllib.loads(STARTER.read_text(encoding="utf-8"))["prices"]

KEYS = {"provider", "model", "meter", "amount", "per", "currency", "source"}
"""What every row has. Beside it there may be ``from``."""

METERS = {
    "requests", "web_searches", "storage_searches", "social_searches", "code_executions", "rerank_searches",
    "input_characters", "audio_seconds", "input_audio_seconds", "output_audio_seconds", "input_document_pages",
    "input_annotated_document_pages", "input_pixels", "images", "seconds", "gpu_seconds", "gb_seconds",
    "human_minutes", "bytes_scanned", "bytes_read", "bytes_written", "objects", "rows", "request_units", "read_units",
    "write_units", "messages", "message_chunks_64kb",
}  # fmt: skip
"""Meters that may have a price here: all but those of tokens, which the price list of models has."""

GIB, TIB = 1024**3, 1024**4

each_price = pytest.mark.parametrize(
    "price", PRICES, ids=lambda price: f"{price['provider']} {price['model']} {price['meter']}"
)


def test_the_file_holds_prices_and_nothing_else():
    assert set(tomllib.loads(STARTER.read_text(encoding="utf-8"))) == {"prices"}
    assert 40 <= len(PRICES) <= 100


@each_price
def test_a_row_has_the_known_keys_only(price):
    assert price.keys() - {"from"} == KEYS
    assert all(str(value).strip() == str(value) != "" for value in price.values())


@each_price
def test_an_amount_is_exact_text_and_buys_a_whole_number_of_units(price):
    assert isinstance(price["amount"], str)
    assert re.fullmatch(r"\d+(\.\d+)?", price["amount"])
    assert Decimal(price["amount"]) >= 0
    assert type(price["per"]) is int
    assert price["per"] >= 1
    assert price["currency"] == "USD"
    assert "from" not in price or type(price["from"]) is date


@each_price
def test_a_row_prices_a_meter_that_there_is(price):
    assert price["meter"] in METERS


@each_price
def test_a_source_is_an_address_and_says_of_when_the_price_is(price):
    assert price["source"].startswith("https://")
    said = re.sub(r"https://[^\s)]+", "", price["source"])  # a year within an address says nothing of the price
    assert re.search(r"\b(copy|read|quoted|as published) 20\d\d", said)


def test_no_two_rows_price_the_same_from_the_same_day_on():
    rows = Counter(
        (price["provider"].lower(), price["model"].lower(), price["meter"], price.get("from")) for price in PRICES
    )
    assert [row for row, count in rows.items() if count > 1] == []


def test_no_queue_has_a_price_for_messages_and_for_requests_at_once():
    """Both count the same calls: they would be paid twice."""
    for name in {price["provider"] for price in PRICES if price["meter"] == "message_chunks_64kb"}:
        assert {price["meter"] for price in PRICES if price["provider"] == name} == {"message_chunks_64kb"}


def use(provider, model, **usage):
    """Return what is used, as one item for each meter, so that uses can be added."""
    return [(provider, model, meter, Decimal(quantity)) for meter, quantity in usage.items()]


def cost(provider, model, meter, quantity):
    """Return what *quantity* costs by the one row for it, exactly."""
    wanted = (provider, model, meter)
    (price,) = (price for price in PRICES if (price["provider"], price["model"], price["meter"]) == wanted)
    return quantity * Decimal(price["amount"]) / price["per"]


@pytest.mark.parametrize(
    ("used", "expected"),
    [
        # 512 MB are 0.5 GB; for 0.2 s 0.1 GB-s; 0.1 x 0.0000166667 = 0.00000166667, and a request is 0.0000002.
        (use("aws_lambda", "*", requests=1, gb_seconds="0.1"), "0.00000186667"),
        # 1 GB for 1 s is 1 GB-s: 0.000016, and an execution is 0.0000002.
        (use("azure.functions", "*", requests=1, gb_seconds=1), "0.0000162"),
        # 0.40 a million is 0.0000004 a request; 1,000 of them.
        (use("gcp_cloud_run", "*", requests=1000), "0.0004"),
        # 3 KB written are 3 units: 3 x 0.000000625; 10 strong reads of 4 KB are 10 units: 10 x 0.000000125.
        (use("aws.dynamodb", "*", write_units=3, read_units=10), "0.000003125"),
        # 1,000 point reads of 1 unit and 100 writes of 5 are 1,500 units, at 0.00000025.
        (use("azure.cosmosdb", "*", request_units=1000 + 100 * 5), "0.000375"),
        # A query of 5 read units is 5 x 0.000016 = 0.00008, an upsert of 10 write units 10 x 0.000004 = 0.00004.
        (use("pinecone", "*", read_units=5, write_units=10), "0.00012"),
        # 10 GB are 10/1,024 of a TB: 5 x 10 / 1,024.
        (use("aws.athena", "*", bytes_scanned=10 * GIB), "0.048828125"),
        # 100 GiB are 100/1,024 of a TiB: 6.25 x 100 / 1,024.
        (use("bigquery", "*", bytes_scanned=100 * GIB), "0.6103515625"),
        # 1,000 messages of less than 64 KB are 1,000 chunks, at 0.0000004.
        (use("aws_sqs", "*", message_chunks_64kb=1000), "0.0004"),
        # 1,000 messages of 100 KB are 2,000 chunks, at 0.0000005.
        (use("aws_sqs", "*.fifo", message_chunks_64kb=2000), "0.001"),
        # 0.50 and 0.30 a million: 1,000 of each.
        (use("aws.sns", "*", message_chunks_64kb=1000) + use("aws.sns", "*.fifo", message_chunks_64kb=1000), "0.0008"),
        # 0.80 a million is 0.0008 for 1,000.
        (use("servicebus", "*", message_chunks_64kb=1000), "0.0008"),
        # 100,000 events are 0.06.
        (use("eventgrid", "*", message_chunks_64kb=100_000), "0.06"),
        # 1 GiB published and delivered once is 2/1,024 of a TiB: 40 x 2 / 1,024.
        (use("gcp_pubsub", "*", bytes_written=GIB, bytes_read=GIB), "0.078125"),
        # 200 writes at 0.000005 are 0.001; 1,000 reads at 0.0000004 are 0.0004.
        (use("s3", "Put*", requests=200) + use("s3", "Get*", requests=1000), "0.0014"),
        (use("gcs", "storage.*.insert", requests=200) + use("gcs", "storage.*.get", requests=1000), "0.0014"),
        (use("azure_blob", "PutBlob", requests=200) + use("azure_blob", "GetBlob", requests=1000), "0.0014"),
        # 200 writes at 0.0000045 are 0.0009; 1,000 reads at 0.00000036 are 0.00036.
        (use("r2", "Put*", requests=200) + use("r2", "Get*", requests=1000), "0.00126"),
        # 25 basic searches of a credit of 0.008 each.
        (use("api.tavily.com", "/search", requests=25), "0.2"),
        # 7 for 1,000.
        (use("api.exa.ai", "/search", requests=1), "0.007"),
        # 5 for 1,000 are half a cent, 1 for 1,000 is a tenth of one.
        (use("api.search.brave.com", "/res/v1/*/search", requests=1), "0.005"),
        (use("maps.googleapis.com", "/maps/api/geocode/*", requests=1), "0.005"),
        (use("google.serper.dev", "/search", requests=1), "0.001"),
        # 4 pages at 1.50 for 1,000.
        (use("textract.us-east-1.amazonaws.com", "DetectDocumentText", input_document_pages=4), "0.006"),
        # 32 for 1,000.
        (use("places.googleapis.com", "/v1/places:searchText", requests=2), "0.064"),
        # 3 texts of 0.0083.
        (use("api.twilio.com", "/2010-04-01/Accounts/*/Messages.json", requests=3), "0.0249"),
        # 2,000 characters at 0.05 for 1,000.
        (use("api.elevenlabs.io", "eleven_flash_*", input_characters=2000), "0.1"),
        # 90 s are 1.5 min, at 0.0078.
        (use("api.deepgram.com", "flux-general-multi", input_audio_seconds=90), "0.0117"),
        # 20 min are a third of an hour, at 0.15.
        (use("api.assemblyai.com", "universal-2", input_audio_seconds=1200), "0.05"),
        # 250 characters are 1/4,000 of a million, at 16.
        (use("polly.us-east-1.amazonaws.com", "neural", input_characters=250), "0.004"),
        # An hour of 2 vCPU is 2 x 0.0504 = 0.1008, of half a GiB 0.5 x 0.0162 = 0.0081.
        (use("e2b", "base", seconds=3600), "0.1089"),
        # 90 s at 0.001097.
        (use("modal", "H100", gpu_seconds=90), "0.09873"),
        # 30 min at 3.99 an hour.
        (use("runpod", "H100 SXM", gpu_seconds=1800), "1.995"),
        # 20 min at 5.49 an hour; 30 min at 6.98 an hour.
        (use("replicate", "gpu-h100", gpu_seconds=1200), "1.83"),
        (use("azure.vm", "Standard_NC40ads_H100_v5", gpu_seconds=1800), "3.49"),
        # 15 min of a machine with 8 GPUs are 7,200 GPU-seconds, and a quarter of its 55.04 an hour.
        (use("aws_ec2", "p5.48xlarge", gpu_seconds=8 * 15 * 60), "13.76"),
    ],
)
def test_prices_give_the_sums_worked_by_hand(used, expected):
    assert sum(cost(*item) for item in used) == Decimal(expected)


LIES_BETWEEN = {
    "requests": ("0.0000002", "0.00001"),  # a function, or an operation of object storage
    "/ requests": ("0.0005", "0.04"),  # of a web API, whose model is a path
    "gb_seconds": ("0.00001", "0.0001"),
    "read_units": ("0.0000001", "0.00005"),
    "write_units": ("0.0000001", "0.00005"),
    "request_units": ("0.0000001", "0.00001"),
    "message_chunks_64kb": ("0.0000001", "0.000001"),
    "input_characters": ("0.000001", "0.0005"),
    "input_audio_seconds": ("0.00001", "0.001"),  # 4 cents to 4 dollars an hour
    "input_document_pages": ("0.0005", "0.05"),
    "seconds": ("0.000001", "0.001"),
    "gpu_seconds": ("0.0001", "0.003"),  # 36 cents to 11 dollars an hour
    "bytes_scanned": ("0.000000000001", "0.00000000001"),  # 1 to 11 dollars for 1 TiB
    "bytes_read": ("0.00000000001", "0.0000000001"),
    "bytes_written": ("0.00000000001", "0.0000000001"),
}
"""Between what a unit costs, by meter: a thousandth or the thousandfold of any price here lies outside."""

FREE = {"Delete*"}
"""Operations that cost nothing."""


@each_price
def test_a_unit_costs_about_what_units_of_its_meter_cost(price):
    unit = Decimal(price["amount"]) / price["per"]
    least, most = map(Decimal, LIES_BETWEEN["/ " * price["model"].startswith("/") + price["meter"]])
    assert least <= unit <= most or (price["model"] in FREE and unit == 0)


def test_warehouses_and_topics_are_billed_by_the_binary_terabyte():
    """1 TiB, not 10**12 bytes: a tenth between them."""
    by_bytes = [price for price in PRICES if price["meter"].startswith("bytes_")]
    assert {price["per"] for price in by_bytes} == {TIB}
