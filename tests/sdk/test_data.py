import asyncio

import pytest
from opentelemetry.trace import SpanKind

from botanu import (
    IdentityError,
    run_botanu,
    semconv,
    track_db_operation,
    track_messaging_operation,
    track_storage_operation,
)

OWN = ("db.", "messaging.", "botanu.data.", "botanu.warehouse.", "botanu.storage.", "botanu.provider")


def told(span):
    """What *span* says of the data, and of who bills."""
    return {name: value for name, value in span.attributes.items() if name.startswith(OWN)}


class TestDatabases:
    def test_an_operation_bears_the_conventions_names(self, runs):
        with (
            run_botanu("w", event_id="e", customer_id="c"),
            track_db_operation(
                "snowflake", "SELECT", collection="orders", namespace="shop", provider="snowflake"
            ) as call,
        ):
            call.set_rows(returned=10, affected=0).set_bytes(read=100, written=0, scanned=10**12)

        (span,) = runs.only().spans[1:]
        assert (span.name, span.kind) == ("SELECT orders", SpanKind.CLIENT)
        assert told(span) == {
            "db.system.name": "snowflake",
            "db.operation.name": "SELECT",
            "db.collection.name": "orders",
            "db.namespace": "shop",
            "db.response.returned_rows": 10,
            "botanu.data.rows_affected": 0,
            "botanu.data.bytes_read": 100,
            "botanu.data.bytes_written": 0,
            "botanu.warehouse.bytes_scanned": 10**12,
            "botanu.provider": "snowflake",
        }

    def test_what_is_not_known_stays_away(self, runs):
        with track_db_operation("postgresql", "COMMIT") as call:
            call.set_rows().set_bytes(read=None)

        (span,) = runs.spans()
        assert told(span) == {"db.system.name": "postgresql", "db.operation.name": "COMMIT"}

    @pytest.mark.parametrize(
        ("given", "name"),
        [
            ({}, "SELECT"),
            ({"namespace": "shop"}, "SELECT shop"),
            ({"namespace": "shop", "collection": "orders"}, "SELECT orders"),
            ({"collection": "", "namespace": ""}, "SELECT"),
        ],
    )
    def test_the_span_is_named_after_the_nearest_target(self, runs, given, name):
        with track_db_operation("postgresql", "SELECT", **given):
            pass

        (span,) = runs.spans()
        assert span.name == name


class TestStorage:
    def test_an_operation_says_what_and_how_much(self, runs):
        async def work():
            async with track_storage_operation("s3", "PutObject", bucket="invoices", vendor="aws") as call:
                call.set_objects(2).set_bytes(read=0, written=4096)

        asyncio.run(work())

        (span,) = runs.spans()
        assert (span.name, span.kind) == ("PutObject invoices", SpanKind.CLIENT)
        assert told(span) == {
            "botanu.storage.system": "s3",
            "botanu.storage.operation": "PutObject",
            "botanu.storage.bucket": "invoices",
            "botanu.data.objects_count": 2,
            "botanu.data.bytes_read": 0,
            "botanu.data.bytes_written": 4096,
            "botanu.provider": "aws",
        }


class TestMessaging:
    def test_an_operation_bears_the_conventions_names(self, runs):
        with track_messaging_operation("kafka", "publish", destination="orders") as call:
            call.set_messages(3, body_bytes=1024)

        (span,) = runs.spans()
        assert span.name == "publish orders"
        assert told(span) == {
            "messaging.system": "kafka",
            "messaging.operation.name": "publish",
            "messaging.operation.type": "send",
            "messaging.destination.name": "orders",
            "messaging.batch.message_count": 3,
            "messaging.message.body.size": 1024,
        }

    @pytest.mark.parametrize(
        ("operation", "kind", "span_kind"),
        [
            ("create", "create", SpanKind.PRODUCER),
            ("send", "send", SpanKind.PRODUCER),
            ("Publish", "send", SpanKind.PRODUCER),
            ("receive", "receive", SpanKind.CLIENT),
            ("poll", "receive", SpanKind.CLIENT),
            ("process", "process", SpanKind.CONSUMER),
            ("settle", "settle", SpanKind.CLIENT),
            ("ack", "settle", SpanKind.CLIENT),
            ("rebalance", None, SpanKind.CLIENT),
        ],
    )
    def test_its_kind_is_that_of_the_conventions(self, runs, operation, kind, span_kind):
        with track_messaging_operation("kafka", operation, destination="orders"):
            pass

        (span,) = runs.spans()
        assert (span.attributes.get(semconv.MESSAGING_OPERATION_TYPE), span.kind) == (kind, span_kind)


@pytest.mark.parametrize(
    ("track", "field"),
    [
        (lambda: track_db_operation("", "SELECT"), "system"),
        (lambda: track_db_operation("postgresql", None), "operation"),
        (lambda: track_storage_operation("s3", ""), "operation"),
        (lambda: track_storage_operation("s3", "GetObject", bucket=["b"]), "bucket"),
        (lambda: track_messaging_operation("kafka", "send", destination=""), "destination"),
        (lambda: track_messaging_operation("kafka", b"send", destination="d"), "operation"),
    ],
)
def test_an_operation_that_names_nothing_is_refused_where_it_is_written(track, field):
    with pytest.raises(IdentityError, match=f"{field} must"):
        track()
