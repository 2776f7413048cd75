"""What is no model's call is one where the user has a price for it: of a tool, a database, a queue, a host, ..."""

from decimal import Decimal

import pytest
from support.lab import CATALOG, row_of, rows_of
from support.otlp import llm, span

from botanu.ingest.dialects import OF_SERVICES
from botanu.pricing.meters import INCIDENTAL
from botanu.pricing.own_prices import OwnPrice
from botanu.pricing.price_list import OwnTerms, PriceList


def priced(*prices):
    keys = ("provider", "model", "meter", "amount", "per")
    own = [OwnPrice.of(dict(zip(keys, each, strict=False)), source="test") for each in prices]
    return PriceList(CATALOG, OwnTerms(tuple(own)))


PRICES = priced(
    ("tool", "web_search", "requests", "0.005"),
    ("maps", "*", "requests", "0.007"),
    ("api.tavily.com", "/search", "requests", "0.008"),
    ("api.tavily.com", "/extract*", "requests", "0.016"),
    ("bigquery", "*", "bytes_scanned", "6.25", 2**40),
    ("aws.dynamodb", "GetItem", "request_units", "0.125", 10**6),
    ("azure.cosmosdb", "*", "request_units", "0.25", 10**6),
    ("postgresql", "orders", "rows", "0.001"),
    ("s3", "Put*", "requests", "0.005", 1000),
    ("s3", "Get*", "requests", "0.0004", 1000),
    ("aws_sqs", "*", "message_chunks_64kb", "0.4", 10**6),
    ("kafka", "*", "messages", "0.001"),
    ("aws_lambda", "*", "gb_seconds", "0.0000166667"),
    ("aws_lambda", "*", "requests", "0.2", 10**6),
    ("gpu.example", "*", "seconds", "3.6", 3600),
)


@pytest.mark.parametrize(
    ("attributes", "billed", "cost"),
    [
        ({"gen_ai.operation.name": "execute_tool", "gen_ai.tool.name": "web_search"}, ("tool", "web_search"), "0.005"),
        ({"tool.name": "web_search"}, ("tool", "web_search"), "0.005"),
        ({"botanu.provider": "maps", "gen_ai.tool.name": "geocode"}, ("maps", "geocode"), "0.007"),
        ({"server.address": "api.tavily.com", "url.path": "/search"}, ("api.tavily.com", "/search"), "0.008"),
        ({"url.full": "https://api.tavily.com:443/extract/v2?q=1"}, ("api.tavily.com", "/extract/v2"), "0.016"),
        ({"http.url": "https://api.tavily.com/search"}, ("api.tavily.com", "/search"), "0.008"),
        # 40 GiB of a TiB: 6.25 x 40 / 1024
        ({"db.system": "bigquery", "botanu.warehouse.bytes_scanned": 40 * 2**30}, ("bigquery", "work"), "0.244140625"),
        # 1.5 + 2 units at 0.125 a million
        (
            {
                "db.system.name": "aws.dynamodb",
                "db.operation.name": "GetItem",
                "aws.dynamodb.consumed_capacity": ['{"CapacityUnits": 1.5}', '{"CapacityUnits": 2}'],
            },
            ("aws.dynamodb", "GetItem"),
            "0.000000438",
        ),
        (
            {"db.system.name": "azure.cosmosdb", "azure.cosmosdb.operation.request_charge": 2.83},
            ("azure.cosmosdb", "work"),
            "0.000000708",
        ),
        (
            {"db.system.name": "postgresql", "db.collection.name": "orders", "db.response.returned_rows": 3},
            ("postgresql", "orders"),
            "0.003",
        ),
        ({"botanu.storage.system": "s3", "botanu.storage.operation": "PutObject"}, ("s3", "PutObject"), "0.000005"),
        ({"botanu.storage.system": "s3", "botanu.storage.operation": "GetObject"}, ("s3", "GetObject"), "0.0000004"),
        # 65,537 bytes are two chunks
        ({"messaging.system": "aws_sqs", "messaging.message.body.size": 65_537}, ("aws_sqs", "work"), "0.0000008"),
        ({"messaging.system": "kafka", "messaging.batch.message_count": 7}, ("kafka", "work"), "0.007"),
        # half a GB for one second, and one request
        (
            {"faas.invoked_provider": "aws_lambda", "faas.invoked_name": "f", "faas.max_memory": 2**29},
            ("aws_lambda", "f"),
            "0.000008533",
        ),
        ({"server.address": "gpu.example", "url.path": "/run"}, ("gpu.example", "/run"), "0.001"),
    ],
)
def test_what_has_a_price_is_a_call(attributes, billed, cost):
    row = row_of(span(**attributes), prices=PRICES)

    assert ((row["provider"], row["model"]), row["cost"], row["priced"]) == (billed, Decimal(cost), True)


@pytest.mark.parametrize(
    "attributes",
    [
        {"db.system.name": "postgresql", "db.collection.name": "customers", "db.response.returned_rows": 3},
        {"db.system.name": "mysql", "db.response.returned_rows": 3},
        {"server.address": "api.example.com", "url.path": "/search"},
        {"server.address": "api.tavily.com", "url.path": "/usage"},
        {"gen_ai.operation.name": "execute_tool", "gen_ai.tool.name": "add"},
        {"messaging.system": "rabbitmq"},
    ],
)
def test_what_has_none_is_no_call_and_keeps_its_attributes(attributes):
    row = row_of(span(**attributes), prices=PRICES)

    assert (row["counted"], row["cost"], row["line_items"]) == (None, None, None)
    assert not [
        name for name in attributes if name.startswith(("db.", "url.", "server.")) and name not in row["attributes"]
    ]


def test_the_meters_that_only_count_with_a_price_are_those_of_services():
    assert OF_SERVICES == INCIDENTAL


def test_without_prices_for_them_nothing_is_looked_for():
    assert row_of(span(**{"server.address": "api.tavily.com", "url.path": "/search"}))["counted"] is None


def test_the_price_of_a_host_is_not_that_of_a_model():
    prices = priced(("openai", "*", "requests", "9"), ("api.openai.com", "*", "requests", "1"))
    model, http = rows_of(
        span(**llm(input=1000)), span(**{"server.address": "api.openai.com", "url.path": "/v1/chat"}), prices=prices
    )

    assert (model["cost"], http["cost"]) == (Decimal("9.0025"), 1)


def test_rows_that_a_tool_or_model_tells_of_are_no_usage_of_it():
    row = row_of(span(**llm(input=1000), **{"db.response.returned_rows": 9}), prices=PRICES)

    assert [item["meter"] for item in row["line_items"]] == ["input_uncached_tokens"]
