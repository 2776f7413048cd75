"""Which hosts a request goes to, and which of them may be told about the run."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from opentelemetry.trace import SpanKind

from botanu import semconv
from botanu.errors import SettingsError

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    from opentelemetry.trace import Span

_PATTERN = re.compile(r"(\*\.)?[\w.-]+|[\da-f.]*(:[\da-f.]*){2,}")
"""A name or address, or a domain whose names are all meant; IPv6 has two colons at least."""


def host_patterns(text: str | None) -> tuple[str, ...]:
    """Return the patterns in the setting ``baggage_hosts``.

    Raises:
        SettingsError: one is neither a host nor ``*.`` and a domain.
    """
    patterns = tuple(each.strip().lower() for each in (text or "").split(",") if each.strip())
    for pattern in patterns:
        if not _PATTERN.fullmatch(pattern):
            raise SettingsError(
                "baggage_hosts (BOTANU_BAGGAGE_HOSTS) must be hosts, such as api.example.com, or domains, such as "
                f"*.internal, without scheme, port or path, separated by commas; not {pattern!r}"
            )
    return patterns


def is_allowed(span: Span, patterns: Collection[str]) -> bool | None:
    """Return whether the request that *span* is about goes to a host of *patterns*; ``None`` where it does not say.

    Instrumentations start the span of a request, with its address, before they inject. Where a span names several hosts
    each must be allowed.
    """
    if not patterns or getattr(span, "kind", None) is not SpanKind.CLIENT:
        return None
    hosts = _hosts(span)
    return all(_matches(host, patterns) for host in hosts) if hosts else None


def _hosts(span: Span) -> set[str]:
    attributes = getattr(span, "attributes", None) or {}
    readers: dict[str, Callable[[str], str]] = {
        semconv.SERVER_ADDRESS: str,
        semconv.NET_PEER_NAME: str,
        semconv.URL_FULL: _host_of_url,
        semconv.HTTP_URL: _host_of_url,
        semconv.HTTP_HOST: lambda text: _host_of_url(f"//{text}"),
    }
    return {read(str(attributes[name])) for name, read in readers.items() if name in attributes}


def _host_of_url(url: str) -> str:
    """Return the host in *url*; empty where there is none, or readers of URLs might differ about it."""
    try:
        return "" if "\\" in url else urlsplit(url).hostname or ""
    except ValueError:
        return ""


def _matches(host: str, patterns: Collection[str]) -> bool:
    name = host.lower().rstrip(".")
    return any(name == each or (each.startswith("*.") and name.endswith(each[1:])) for each in patterns)
