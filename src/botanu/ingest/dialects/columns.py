"""What is read from span attributes: our columns, and how a value of each is read."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum


class Kind(Enum):
    """How a column's attribute is read."""

    TEXT = "text"
    """As text; numbers and truth values are written out."""
    COUNT = "count"
    """As a whole number, 0 or more; a whole double or decimal digits count as one, anything else as unknown."""
    QUANTITY = "quantity"
    """As a number, 0 or more, in millionths of its unit; what is no number or too large is unknown."""
    ORDINAL = "ordinal"
    """As a count that fits 32 bits."""
    AMOUNT = "amount"
    """As a decimal number with nine decimals; what is not finite or too large is unknown."""
    MONEY = "money"
    """As an amount of money: 0 or more, rounded to nine decimals; what is no number or too large is unknown."""
    NUMBER = "number"
    """As a double."""
    FLAG = "flag"
    """As a truth value, or the words true and false."""
    STATUS = "status"
    """As one of the six statuses of an outcome; another text is unknown."""


_IDENTITY = {
    "run_id": Kind.TEXT,
    "root_run_id": Kind.TEXT,
    "parent_run_id": Kind.TEXT,
    "event_id": Kind.TEXT,
    "customer_id": Kind.TEXT,
    "workflow": Kind.TEXT,
    "workflow_version": Kind.TEXT,
    "environment": Kind.TEXT,
    "tenant_id": Kind.TEXT,
    "attempt": Kind.ORDINAL,
    "is_run": Kind.FLAG,
    "step": Kind.TEXT,
}

_OUTCOME = {
    "outcome_status": Kind.STATUS,
    "outcome_value_type": Kind.TEXT,
    "outcome_value_amount": Kind.AMOUNT,
    "outcome_confidence": Kind.NUMBER,
    "outcome_reason": Kind.TEXT,
    "outcome_error_type": Kind.TEXT,
    "outcome_auto": Kind.FLAG,
    "outcome_count": Kind.ORDINAL,
    "outcome_late": Kind.FLAG,
}

_CALL = {
    "operation": Kind.TEXT,
    "provider": Kind.TEXT,
    "request_model": Kind.TEXT,
    "response_model": Kind.TEXT,
    "response_id": Kind.TEXT,
    "service_tier": Kind.TEXT,
    "tool": Kind.TEXT,
    "error_type": Kind.TEXT,
    "cost_amount": Kind.MONEY,
    "cost_currency": Kind.TEXT,
    "claimed_cost": Kind.MONEY,
    "cache_hit": Kind.FLAG,
}

_COUNTS = (
    "input_tokens",
    "output_tokens",
    "cache_read_tokens",
    "cache_write_tokens",
    "cache_write_5m_tokens",
    "cache_write_1h_tokens",
    "cache_audio_read_tokens",
    "cache_image_read_tokens",
    "input_audio_tokens",
    "input_image_tokens",
    "input_video_tokens",
    "input_tool_tokens",
    "output_reasoning_tokens",
    "output_audio_tokens",
    "output_image_tokens",
    "output_video_tokens",
    "output_citation_tokens",
    "requests",
    "web_searches",
    "social_searches",
    "storage_searches",
    "code_executions",
    "rerank_searches",
    "input_characters",
    "input_text_messages",
    "input_pixels",
    "input_document_pages",
    "input_annotated_document_pages",
    "images",
    "bytes_scanned",
    "bytes_read",
    "bytes_written",
    "objects",
    "rows",
    "messages",
    "message_chunks_64kb",
)

_QUANTITIES = (
    "audio_seconds",
    "input_audio_seconds",
    "output_audio_seconds",
    "seconds",
    "gpu_seconds",
    "gb_seconds",
    "human_minutes",
    "request_units",
    "read_units",
    "write_units",
)

USAGE = (*_COUNTS, *_QUANTITIES)
"""The columns that are quantities of usage; their names are meters."""

OF_SERVICES = frozenset(
    {
        "bytes_scanned",
        "bytes_read",
        "bytes_written",
        "objects",
        "rows",
        "messages",
        "message_chunks_64kb",
        "gb_seconds",
        "seconds",
        "request_units",
        "read_units",
        "write_units",
    }
)
"""The meters that spans of databases, queues and functions tell of, most of which nobody bills: they make no call."""

REMAINDERS: Mapping[str, str] = {
    "cache_write_other_tokens": "cache_write_tokens",
    "input_uncached_tokens": "input_tokens",
    "output_text_tokens": "output_tokens",
}
"""The columns of sources that count parts beside the rest and not in it, each with the meter whose rest it is; what is
part of another one first."""

METERED = (*USAGE, *REMAINDERS)
"""Every column that is a quantity of usage, whether all of a meter or what remains of it."""

NO_METER = "reported_cost"
"""The one name that no meter of a program's can have: that of the line item of a reported cost."""

SIZES = ("message_bytes", "memory_bytes")
"""The columns that are no usage themselves: sizes of a message's body, and of a function's memory."""

KEPT = OF_SERVICES | {*SIZES, "cache_hit", "claimed_cost"}
"""The columns whose attributes also stay as they came: nothing else says what they say."""

COLUMNS: Mapping[str, Kind] = {
    **_IDENTITY,
    **_OUTCOME,
    **_CALL,
    **dict.fromkeys((*_COUNTS, *REMAINDERS, *SIZES), Kind.COUNT),
    **dict.fromkeys(_QUANTITIES, Kind.QUANTITY),
}
"""Every column that is read from span attributes, and how."""


@dataclass(frozen=True, slots=True)
class Dialect:
    """A family of attribute names. *source* says where they are defined.

    *attributes* lists for each of our columns the attributes that hold it, the preferred first. An attribute whose
    value is a JSON object (one of ``JSON``) is read as if its members were attributes of their own: ``name.member``.
    """

    name: str
    source: str
    attributes: Mapping[str, tuple[str, ...]]
