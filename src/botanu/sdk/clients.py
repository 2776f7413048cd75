"""The client libraries we know, and the instrumentations that record their calls.

What each instrumentation reports was measured; ``docs/howto/auto-instrumentation.md`` has the versions.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum


class Kind(StrEnum):
    """What a client talks to."""

    GENAI = "genai"
    WEB = "web"
    DB = "db"
    MESSAGING = "messaging"


@dataclass(frozen=True, slots=True)
class Client:
    """A client library, and what records its calls."""

    module: str
    """What programs import."""
    distribution: str
    """What is installed."""
    kind: Kind
    install: str | None
    """What to install to have its calls recorded; ``None`` where nothing fits its newest versions."""
    instrumentations: tuple[str, ...]
    """Distributions that record its calls."""
    own_tracing: str | None = None
    """For a client whose newer versions record their calls themselves: the variable that turns it off."""


CLIENTS = (
    Client(
        "openai",
        "openai",
        Kind.GENAI,
        "botanu[instrument-genai]",
        (
            "opentelemetry-instrumentation-genai-openai",
            "opentelemetry-instrumentation-openai-v2",
            "openinference-instrumentation-openai",
            "opentelemetry-instrumentation-openai",
        ),
    ),
    Client(
        "anthropic",
        "anthropic",
        Kind.GENAI,
        "botanu[instrument-genai]",
        (
            "opentelemetry-instrumentation-genai-anthropic",
            "openinference-instrumentation-anthropic",
            "opentelemetry-instrumentation-anthropic",
        ),
        own_tracing="ANTHROPIC_OPEN_TELEMETRY",
    ),
    Client(
        "google.genai",
        "google-genai",
        Kind.GENAI,
        "botanu[instrument-genai]",
        (
            "opentelemetry-instrumentation-google-genai",
            "openinference-instrumentation-google-genai",
            "opentelemetry-instrumentation-google-generativeai",
        ),
    ),
    Client(
        "boto3",
        "boto3",
        Kind.GENAI,
        "botanu[instrument-genai]",
        (
            "opentelemetry-instrumentation-genai-bedrock",
            "opentelemetry-instrumentation-botocore",
            "openinference-instrumentation-bedrock",
            "opentelemetry-instrumentation-bedrock",
        ),
    ),
    Client(
        "groq",
        "groq",
        Kind.GENAI,
        "opentelemetry-instrumentation-groq",
        ("openinference-instrumentation-groq", "opentelemetry-instrumentation-groq"),
    ),
    Client(
        "litellm",
        "litellm",
        Kind.GENAI,
        "opentelemetry-instrumentation-litellm",
        ("openinference-instrumentation-litellm", "opentelemetry-instrumentation-litellm"),
    ),
    Client(
        "ollama",
        "ollama",
        Kind.GENAI,
        "opentelemetry-instrumentation-ollama",
        ("openinference-instrumentation-ollama", "opentelemetry-instrumentation-ollama"),
    ),
    Client(
        "cohere",
        "cohere",
        Kind.GENAI,
        None,
        ("openinference-instrumentation-cohere", "opentelemetry-instrumentation-cohere"),
    ),
    Client(
        "mistralai",
        "mistralai",
        Kind.GENAI,
        None,
        ("openinference-instrumentation-mistralai", "opentelemetry-instrumentation-mistralai"),
    ),
    Client(
        "together",
        "together",
        Kind.GENAI,
        None,
        ("openinference-instrumentation-together", "opentelemetry-instrumentation-together"),
    ),
    Client(
        "aiohttp",
        "aiohttp",
        Kind.WEB,
        "opentelemetry-instrumentation-aiohttp-client",
        ("opentelemetry-instrumentation-aiohttp-client",),
    ),
    Client("django", "django", Kind.WEB, "botanu[instrument-web]", ("opentelemetry-instrumentation-django",)),
    Client("fastapi", "fastapi", Kind.WEB, "botanu[instrument-web]", ("opentelemetry-instrumentation-fastapi",)),
    Client("flask", "flask", Kind.WEB, "opentelemetry-instrumentation-flask", ("opentelemetry-instrumentation-flask",)),
    Client("grpc", "grpcio", Kind.WEB, "botanu[instrument-web]", ("opentelemetry-instrumentation-grpc",)),
    Client("httpx", "httpx", Kind.WEB, "botanu[instrument-web]", ("opentelemetry-instrumentation-httpx",)),
    Client("httpx2", "httpx2", Kind.WEB, "botanu[instrument-web]", ("opentelemetry-instrumentation-httpx",)),
    Client("requests", "requests", Kind.WEB, "botanu[instrument-web]", ("opentelemetry-instrumentation-requests",)),
    Client(
        "starlette",
        "starlette",
        Kind.WEB,
        "opentelemetry-instrumentation-starlette",
        ("opentelemetry-instrumentation-starlette",),
    ),
    Client(
        "asyncpg",
        "asyncpg",
        Kind.DB,
        "opentelemetry-instrumentation-asyncpg",
        ("opentelemetry-instrumentation-asyncpg",),
    ),
    Client(
        "psycopg",
        "psycopg",
        Kind.DB,
        "opentelemetry-instrumentation-psycopg",
        ("opentelemetry-instrumentation-psycopg",),
    ),
    Client(
        "pymongo",
        "pymongo",
        Kind.DB,
        "opentelemetry-instrumentation-pymongo",
        ("opentelemetry-instrumentation-pymongo",),
    ),
    Client(
        "pymysql",
        "pymysql",
        Kind.DB,
        "opentelemetry-instrumentation-pymysql",
        ("opentelemetry-instrumentation-pymysql",),
    ),
    Client("redis", "redis", Kind.DB, "botanu[instrument-db]", ("opentelemetry-instrumentation-redis",)),
    Client(
        "sqlalchemy",
        "sqlalchemy",
        Kind.DB,
        "opentelemetry-instrumentation-sqlalchemy",
        ("opentelemetry-instrumentation-sqlalchemy",),
    ),
    Client(
        "aio_pika",
        "aio-pika",
        Kind.MESSAGING,
        "opentelemetry-instrumentation-aio-pika",
        ("opentelemetry-instrumentation-aio-pika",),
    ),
    Client(
        "aiokafka",
        "aiokafka",
        Kind.MESSAGING,
        "opentelemetry-instrumentation-aiokafka",
        ("opentelemetry-instrumentation-aiokafka",),
    ),
    Client(
        "celery", "celery", Kind.MESSAGING, "botanu[instrument-messaging]", ("opentelemetry-instrumentation-celery",)
    ),
    Client(
        "confluent_kafka",
        "confluent-kafka",
        Kind.MESSAGING,
        "opentelemetry-instrumentation-confluent-kafka",
        ("opentelemetry-instrumentation-confluent-kafka",),
    ),
    Client(
        "kafka",
        "kafka-python",
        Kind.MESSAGING,
        "opentelemetry-instrumentation-kafka-python",
        ("opentelemetry-instrumentation-kafka-python",),
    ),
    Client(
        "pika", "pika", Kind.MESSAGING, "opentelemetry-instrumentation-pika", ("opentelemetry-instrumentation-pika",)
    ),
)
"""Every client we know. A client's best instrumentation stands first only by chance: see ``instrumenting``."""

LIMITS: Mapping[str, str] = {
    "logfire": "cached tokens, usage on the first of the two spans that a stream has",
    "opentelemetry-instrumentation-botocore": "cached tokens as part of the input, and at all but for Converse",
    "opentelemetry-instrumentation-genai-bedrock": "cached tokens as part of the input",
    "opentelemetry-instrumentation-genai-openai": "usage of chat streams that do not ask for it with include_usage",
    "opentelemetry-instrumentation-google-generativeai": "reasoning tokens",
    "opentelemetry-instrumentation-openai-v2": (
        "cached and reasoning tokens, the Responses API, usage of streams that do not ask for it with include_usage"
    ),
}
"""What an instrumentation does not report, by its distribution."""

BY_HAND: Mapping[Kind, tuple[str, ...]] = {
    Kind.GENAI: ("track_llm_call", "record_usage", "record_cost"),
    Kind.WEB: ("AsgiMiddleware", "WsgiMiddleware"),
    Kind.DB: ("track_db_operation",),
    Kind.MESSAGING: ("track_messaging_operation", "inject", "extract"),
}
"""What of botanu's own a program uses where it records a client's calls itself, or takes the run along itself."""
