"""Calls of databases, object storage and messaging systems."""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

from opentelemetry.trace import SpanKind

from botanu import semconv
from botanu.sdk.calls import Call
from botanu.sdk.identifiers import id_text, optional_text, present
from botanu.sdk.usage import provider_text

if TYPE_CHECKING:
    from collections.abc import Mapping

_MESSAGING_TYPES: Mapping[str, str] = {
    "create": "create",
    "send": "send",
    "publish": "send",
    "produce": "send",
    "receive": "receive",
    "poll": "receive",
    "pull": "receive",
    "process": "process",
    "settle": "settle",
    "ack": "settle",
    "nack": "settle",
    "commit": "settle",
}
"""OpenTelemetry's type of an operation, by the names that messaging systems have for it."""

_MESSAGING_KINDS: Mapping[str | None, SpanKind] = {
    "create": SpanKind.PRODUCER,
    "send": SpanKind.PRODUCER,
    "process": SpanKind.CONSUMER,
}
"""OpenTelemetry's kind of span for the types that are no plain client's."""


class DbCall(Call):
    """One operation of a database; see ``track_db_operation``."""

    def set_rows(self, *, returned: int | None = None, affected: int | None = None) -> Self:
        """Record how many rows came back, and how many were written, changed or removed."""
        return self._set({semconv.DB_RETURNED_ROWS: returned, semconv.DATA_ROWS_AFFECTED: affected})

    def set_bytes(self, *, read: int | None = None, written: int | None = None, scanned: int | None = None) -> Self:
        """Record how many bytes came back, how many were written, and how many a warehouse went through."""
        return self._set(
            {
                semconv.DATA_BYTES_READ: read,
                semconv.DATA_BYTES_WRITTEN: written,
                semconv.WAREHOUSE_BYTES_SCANNED: scanned,
            }
        )


class StorageCall(Call):
    """One operation of an object storage; see ``track_storage_operation``."""

    def set_objects(self, count: int) -> Self:
        """Record how many objects were read, written, listed or removed."""
        return self._set({semconv.DATA_OBJECTS_COUNT: count})

    def set_bytes(self, *, read: int | None = None, written: int | None = None) -> Self:
        """Record how many bytes were read, and how many were written."""
        return self._set({semconv.DATA_BYTES_READ: read, semconv.DATA_BYTES_WRITTEN: written})


class MessagingCall(Call):
    """One operation of a messaging system; see ``track_messaging_operation``."""

    def set_messages(self, count: int | None = None, *, body_bytes: int | None = None) -> Self:
        """Record how many messages it was, and how many bytes their bodies have together."""
        return self._set({semconv.MESSAGING_MESSAGE_COUNT: count, semconv.MESSAGING_BODY_SIZE: body_bytes})


def track_db_operation(
    system: str,
    operation: str,
    *,
    collection: str | None = None,
    namespace: str | None = None,
    provider: str | None = None,
    vendor: str | None = None,
) -> DbCall:
    """Return a context manager that records one operation of a database. The query itself is never recorded.

    Args:
        system: the product, by OpenTelemetry's name for it, such as ``postgresql`` or ``snowflake``.
        operation: what is done, low in cardinality, such as ``SELECT``.
        collection: the table, collection or container.
        namespace: the database.
        provider: who bills, where somebody does.
        vendor: the same as *provider*.

    Raises:
        IdentityError: *provider* and *vendor* are both given, or a name is empty or no text.
    """
    attributes = present(
        {
            semconv.DB_SYSTEM_NAME: id_text("system", system),
            semconv.DB_OPERATION_NAME: id_text("operation", operation),
            semconv.DB_COLLECTION_NAME: optional_text("collection", collection),
            semconv.DB_NAMESPACE: optional_text("namespace", namespace),
            semconv.PROVIDER: provider_text(provider, vendor),
        }
    )
    name = _name(attributes, semconv.DB_OPERATION_NAME, semconv.DB_COLLECTION_NAME, semconv.DB_NAMESPACE)
    return DbCall(name, attributes)


def track_storage_operation(
    system: str, operation: str, *, bucket: str | None = None, provider: str | None = None, vendor: str | None = None
) -> StorageCall:
    """Return a context manager that records one operation of an object storage. Names of objects are never recorded.

    Args:
        system: the product, such as ``s3`` or ``gcs``.
        operation: what is done, such as ``PutObject``.
        bucket: the bucket or container.
        provider: who bills, where somebody does.
        vendor: the same as *provider*.

    Raises:
        IdentityError: *provider* and *vendor* are both given, or a name is empty or no text.
    """
    attributes = present(
        {
            semconv.STORAGE_SYSTEM: id_text("system", system),
            semconv.STORAGE_OPERATION: id_text("operation", operation),
            semconv.STORAGE_BUCKET: optional_text("bucket", bucket),
            semconv.PROVIDER: provider_text(provider, vendor),
        }
    )
    name = _name(attributes, semconv.STORAGE_OPERATION, semconv.STORAGE_BUCKET)
    return StorageCall(name, attributes)


def track_messaging_operation(
    system: str, operation: str, *, destination: str, provider: str | None = None, vendor: str | None = None
) -> MessagingCall:
    """Return a context manager that records one operation of a messaging system. Messages are never recorded.

    Args:
        system: the product, by OpenTelemetry's name for it, such as ``kafka`` or ``aws_sqs``.
        operation: what is done: ``create``, ``send``, ``receive``, ``process``, ``settle``, or the system's own name
            for it, such as ``publish``, ``poll`` or ``ack``.
        destination: the queue or topic.
        provider: who bills, where somebody does.
        vendor: the same as *provider*.

    Raises:
        IdentityError: *provider* and *vendor* are both given, or a name is empty or no text.
    """
    named = id_text("operation", operation)
    kind = _MESSAGING_TYPES.get(named.lower())
    attributes = present(
        {
            semconv.MESSAGING_SYSTEM: id_text("system", system),
            semconv.MESSAGING_OPERATION_NAME: named,
            semconv.MESSAGING_OPERATION_TYPE: kind,
            semconv.MESSAGING_DESTINATION_NAME: id_text("destination", destination),
            semconv.PROVIDER: provider_text(provider, vendor),
        }
    )
    name = _name(attributes, semconv.MESSAGING_OPERATION_NAME, semconv.MESSAGING_DESTINATION_NAME)
    return MessagingCall(name, attributes, _MESSAGING_KINDS.get(kind, SpanKind.CLIENT))


def _name(attributes: Mapping[str, str], operation: str, *targets: str) -> str:
    """Return the span's name, as OpenTelemetry makes it: the operation, and the first of *targets* that is known."""
    known = [attributes[target] for target in targets if target in attributes]
    return " ".join([attributes[operation], *known[:1]])
