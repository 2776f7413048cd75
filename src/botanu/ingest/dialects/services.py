"""The words for what is no model and may be billed: tools, databases, queues, storage, functions, HTTP.

Such a span is a call only where the user has a price for it: most of them are billed by nobody.
"""

from dataclasses import dataclass, field

from botanu import semconv
from botanu.ingest.dialects.columns import Dialect


@dataclass(frozen=True, slots=True)
class Service:
    """A family of what may be billed. *provider* and *billed* list the attributes that name who bills, and what."""

    name: str
    source: str
    provider: tuple[str, ...]
    billed: tuple[str, ...] = field(default=())
    otherwise: str | None = None
    """The provider where a span names none, but names what is billed."""


_CONVENTIONS = "https://opentelemetry.io/docs/specs/semconv"

SERVICES = (
    Service(
        "tool",
        "https://github.com/open-telemetry/semantic-conventions-genai",
        (semconv.PROVIDER, "litellm.mcp.server.name"),
        (semconv.GEN_AI_TOOL_NAME, "tool.name", "ai.toolCall.name"),
        otherwise="tool",
    ),
    Service(
        "FaaS",
        f"{_CONVENTIONS}/faas/",
        ("faas.invoked_provider", "cloud.platform"),
        ("faas.invoked_name", "faas.name"),
    ),
    Service(
        "object storage",
        f"{_CONVENTIONS}/object-stores/s3/",
        (semconv.STORAGE_SYSTEM, "rpc.service"),
        (semconv.STORAGE_OPERATION, "rpc.method"),
    ),
    Service(
        "messaging",
        f"{_CONVENTIONS}/messaging/",
        (semconv.MESSAGING_SYSTEM,),
        (semconv.MESSAGING_DESTINATION_NAME, "messaging.destination.template", "messaging.destination"),
    ),
    Service(
        "database",
        f"{_CONVENTIONS}/database/",
        (semconv.DB_SYSTEM_NAME, "db.system"),
        (
            semconv.DB_COLLECTION_NAME,
            "db.sql.table",
            "db.mongodb.collection",
            semconv.DB_NAMESPACE,
            "db.name",
            semconv.DB_OPERATION_NAME,
            "db.operation",
        ),
    ),
    Service(
        "HTTP",
        f"{_CONVENTIONS}/http/",
        (semconv.SERVER_ADDRESS, semconv.HTTP_HOST, semconv.NET_PEER_NAME, semconv.URL_FULL, semconv.HTTP_URL),
        ("url.template", "url.path", "http.target", semconv.URL_FULL, semconv.HTTP_URL),
    ),
)
"""The families, in the order they are asked: the first whose provider has a price decides."""

DATA = Dialect(
    "databases, messaging and functions",
    f"{_CONVENTIONS}/",
    {
        "rows": (semconv.DB_RETURNED_ROWS,),
        "request_units": (
            "azure.cosmosdb.operation.request_charge",
            "db.cosmosdb.request_charge",
            "aws.dynamodb.consumed_capacity.CapacityUnits",
        ),
        "messages": (semconv.MESSAGING_MESSAGE_COUNT,),
        "message_bytes": (semconv.MESSAGING_BODY_SIZE, "messaging.message.envelope.size"),
        "memory_bytes": ("faas.max_memory",),
    },
)
"""What they used, in OpenTelemetry's words. The last two make a quantity with what else the span says."""
