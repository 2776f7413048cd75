"""The SDK's settings. Each is also an environment variable, ``BOTANU_<NAME>``."""

import os
from dataclasses import dataclass

from opentelemetry.sdk.environment_variables import OTEL_EXPORTER_OTLP_ENDPOINT, OTEL_EXPORTER_OTLP_TRACES_ENDPOINT

from botanu.settings import setting, variable

TRACES_PATH = "/v1/traces"

DEFAULT_ENDPOINT = "http://localhost:4318"
"""OpenTelemetry's own."""


@dataclass(frozen=True, slots=True)
class SdkSettings:
    """What ``botanu.enable()`` can be told, row by row."""

    enabled: bool = setting(True, "Record runs at all. When false every decorator calls straight through.")
    endpoint: str | None = setting(
        None,
        "Address of the server, such as http://127.0.0.1:4318. When absent, the OTEL_EXPORTER_OTLP_* variables "
        "decide, and without them http://localhost:4318.",
    )
    environment: str | None = setting(None, "Deployment environment of runs that do not name one themselves.")
    trust_baggage: bool = setting(
        False,
        "Take run identity from the baggage of incoming requests. Only for programs that nobody outside can call: "
        "the caller then decides which customer is charged.",
    )
    baggage_hosts: str | None = setting(
        None,
        "Hosts that outgoing requests tell which run they belong to, and for which customer: names such as "
        "api.example.com and domains such as *.internal, separated by commas. When absent, nobody is told.",
    )
    queue_spans_max: int = setting(
        50_000,
        "Spans held while the server is slow or away; beyond it the oldest go, those with outcome, usage or cost last.",
        least=1,
    )
    export_interval_seconds: float = setting(1.0, "Longest wait before finished spans are sent.", least=0.01)
    exit_timeout_seconds: float = setting(
        5.0, "Longest wait at the end of the program for the last spans to arrive.", least=0
    )
    capture_content: bool = setting(
        False,
        "Send what people and models said, where an instrumentation records it; secrets in it are redacted. When "
        "false it stays in the program.",
    )
    strict: bool = setting(
        False, "Raise the SDK's own faults, and what it would warn of, instead of logging them. For tests."
    )
    instrument: bool = setting(False, "Turn on every OpenTelemetry instrumentation that is installed.")


def destination(endpoint: str | None) -> tuple[str, str]:
    """Return the address that spans are sent to under the setting *endpoint*, and the variable that says it, if any."""
    if endpoint:
        return endpoint.rstrip("/").removesuffix(TRACES_PATH), variable("endpoint")
    for name in (OTEL_EXPORTER_OTLP_TRACES_ENDPOINT, OTEL_EXPORTER_OTLP_ENDPOINT):
        given = os.environ.get(name, "").removesuffix(TRACES_PATH)
        if given:
            return given, name
    return DEFAULT_ENDPOINT, ""
