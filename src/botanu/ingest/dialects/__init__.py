"""The attribute names we can read, one table per dialect.

A dialect is a family of names for the same facts. For each of our columns it lists the attributes that hold it, the
preferred first. Dialects are asked in order; the first that has a value decides.
"""

from botanu.ingest.dialects import instrumentations
from botanu.ingest.dialects.columns import COLUMNS, KEPT, OF_SERVICES, REMAINDERS, USAGE, Dialect, Kind
from botanu.ingest.dialects.instrumentations import (
    BESIDE,
    BESIDE_IF,
    BESIDE_SCOPES,
    JSON,
    OWN_RESPONSE_IDS,
    SUMS,
)
from botanu.ingest.dialects.own import BOTANU, DEPRECATED, OPENTELEMETRY, OWN_USAGE
from botanu.ingest.dialects.services import DATA, SERVICES, Service
from botanu.ingest.dialects.words import CALL_OPERATIONS, OPERATIONS, ROLL_UP_OPERATIONS, STANDARD_TIERS, TWO_SIDED

DIALECTS = (
    BOTANU,
    OPENTELEMETRY,
    instrumentations.LANGFUSE,
    instrumentations.VERCEL,
    instrumentations.OPENINFERENCE,
    instrumentations.LITELLM,
    instrumentations.MLFLOW,
    instrumentations.OPENLIT,
    instrumentations.LANGSMITH,
    instrumentations.PYDANTIC,
    instrumentations.SENTRY,
    instrumentations.AGENTOPS,
    instrumentations.ANTHROPIC,
    instrumentations.OPENLLMETRY,
    DATA,
    DEPRECATED,
)
"""The dialects, in the order they are asked."""

ENVIRONMENT_OF_RESOURCE = ("deployment.environment.name", "deployment.environment")
"""Resource attributes that name the environment where a span does not."""

SERVICE_OF_RESOURCE = "service.name"
"""Resource attribute that names the service."""

__all__ = (
    "BESIDE",
    "BESIDE_IF",
    "BESIDE_SCOPES",
    "CALL_OPERATIONS",
    "COLUMNS",
    "DIALECTS",
    "ENVIRONMENT_OF_RESOURCE",
    "JSON",
    "KEPT",
    "OF_SERVICES",
    "OPERATIONS",
    "OWN_RESPONSE_IDS",
    "OWN_USAGE",
    "REMAINDERS",
    "ROLL_UP_OPERATIONS",
    "SERVICES",
    "SERVICE_OF_RESOURCE",
    "STANDARD_TIERS",
    "SUMS",
    "TWO_SIDED",
    "USAGE",
    "Dialect",
    "Kind",
    "Service",
)
