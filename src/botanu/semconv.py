"""Every attribute name and closed word list that crosses a process boundary.

Each constant carries a sentence; the attribute reference in the documentation is generated from these
sentences. The ``botanu.*`` names are this project's own. The ``gen_ai.*`` names are OpenTelemetry's
semantic conventions for generative AI, and a test compares them with the conventions' package.
"""

from enum import StrEnum
from typing import Final

# --- Run identity: on the root span, in baggage where that is allowed, and on every span started inside the run ---

RUN_ID: Final = "botanu.run_id"
"""The run this span belongs to: a UUIDv7, new for each execution."""

WORKFLOW: Final = "botanu.workflow"
"""Name of the kind of work, low in cardinality, such as ``fulfill-order``."""

EVENT_ID: Final = "botanu.event_id"
"""The business transaction that the run serves; stable across retries."""

CUSTOMER_ID: Final = "botanu.customer_id"
"""The end customer served."""

ENVIRONMENT: Final = "botanu.environment"
"""Deployment environment, such as ``production``."""

TENANT_ID: Final = "botanu.tenant_id"
"""Whose data it is, where one program serves several tenants."""

ROOT_RUN_ID: Final = "botanu.root_run_id"
"""The outermost run around this one; the run itself when it is not nested. With ``tenacity_attempt``, the first
attempt's."""

PARENT_RUN_ID: Final = "botanu.parent_run_id"
"""The run directly around this one; absent when it is not nested."""

ATTEMPT: Final = "botanu.attempt"
"""The run's ordinal within its event, where the program gave it; otherwise the store numbers the runs."""

WORKFLOW_VERSION: Final = "botanu.workflow.version"
"""Version of the workflow's code, for comparing deployments."""

STEP: Final = "botanu.step"
"""The named phase of the run that this span belongs to: the innermost ``step`` around it."""

TEAM: Final = "botanu.team"
"""Team that the work is done for, as ``set_business_context`` gave it."""

COST_CENTER: Final = "botanu.cost_center"
"""Cost center that the work is charged to, as ``set_business_context`` gave it."""

REGION: Final = "botanu.region"
"""Region that the work is done for or in, as ``set_business_context`` gave it."""

# --- The root span -----------------------------------------------------------------------------------

RUN_ROOT: Final = "botanu.run.root"
"""True on the one span that is the run itself: its duration is the run's, and it bears the outcome."""

FAULTS: Final = "botanu.faults"
"""Fields the SDK had to leave out or shorten, each with the reason, such as ``confidence: 2.0 is not in 0..1``."""

# --- The outcome, on the root span -------------------------------------------------------------------

OUTCOME_STATUS: Final = "botanu.outcome.status"
"""Status: success, partial, failed, timeout, canceled or abandoned."""

OUTCOME_VALUE_TYPE: Final = "botanu.outcome.value_type"
"""What was achieved, such as ``orders_fulfilled``."""

OUTCOME_VALUE_AMOUNT: Final = "botanu.outcome.value_amount"
"""How much of it was achieved."""

OUTCOME_CONFIDENCE: Final = "botanu.outcome.confidence"
"""Confidence score, from 0.0 to 1.0."""

OUTCOME_REASON: Final = "botanu.outcome.reason"
"""Why, especially for failures."""

OUTCOME_ERROR_TYPE: Final = "botanu.outcome.error_type"
"""Error classification, for aggregation."""

OUTCOME_METADATA: Final = "botanu.outcome.metadata."
"""Prefix of one attribute for each key of the outcome's ``metadata``."""

OUTCOME_AUTO: Final = "botanu.outcome.auto"
"""True when the SDK derived the outcome from how the run ended; absent when the program emitted it."""

OUTCOME_COUNT: Final = "botanu.outcome.count"
"""How many outcomes the program emitted in the run, written when it is more than one."""

OUTCOME_LATE: Final = "botanu.outcome.late"
"""True on a span that reports an outcome emitted after its run had ended; the span's identity says which run."""

# --- The span event ----------------------------------------------------------------------------------

OUTCOME_EMITTED: Final = "botanu.outcome_emitted"
"""Name of the span event that marks the moment of an outcome; its attributes are the names below."""


class OutcomeField(StrEnum):
    """Attribute names of the ``botanu.outcome_emitted`` span event."""

    STATUS = "status"
    VALUE_TYPE = "value_type"
    VALUE_AMOUNT = "value_amount"
    CONFIDENCE = "confidence"
    REASON = "reason"
    ERROR_TYPE = "error_type"
    AUTO = "auto"


class OutcomeStatus(StrEnum):
    """What became of a run."""

    SUCCESS = "success"
    PARTIAL = "partial"
    FAILED = "failed"
    TIMEOUT = "timeout"
    CANCELED = "canceled"
    ABANDONED = "abandoned"


# --- Usage and cost that the program reports itself ---------------------------------------------------

USAGE: Final = "botanu.usage."
"""Prefix of one attribute for each meter of ``record_usage``: its quantity, such as ``botanu.usage.pages``."""

COST_AMOUNT: Final = "botanu.cost.amount"
"""Cost that the program or the provider reports, exact: decimal digits as text, such as ``0.0125``."""

COST_CURRENCY: Final = "botanu.cost.currency"
"""Currency of the reported cost, by its ISO 4217 code, such as ``USD``."""

SERVICE_TIER: Final = "botanu.service_tier"
"""The provider's service tier that is billed, where it is not the standard one: ``batch``, ``flex``, ``priority``, …"""

PROVIDER: Final = "botanu.provider"
"""Who bills for what is no model's call: a tool, a database, usage and cost that the program reports."""

# --- Calls: OpenTelemetry's names, written by ``track_llm_call`` and ``track_tool_call`` --------------

GEN_AI_OPERATION_NAME: Final = "gen_ai.operation.name"
"""What the call does: chat, text_completion, embeddings, execute_tool, …"""

GEN_AI_PROVIDER_NAME: Final = "gen_ai.provider.name"
"""Who bills, such as ``openai`` or ``aws.bedrock``."""

GEN_AI_REQUEST_MODEL: Final = "gen_ai.request.model"
"""The model the program asked for."""

GEN_AI_RESPONSE_MODEL: Final = "gen_ai.response.model"
"""The model that answered; priced before the requested one."""

GEN_AI_RESPONSE_ID: Final = "gen_ai.response.id"
"""The provider's id of the response."""

GEN_AI_TIME_TO_FIRST_CHUNK: Final = "gen_ai.response.time_to_first_chunk"
"""Seconds from the request to the first chunk of a streamed response."""

GEN_AI_INPUT_TOKENS: Final = "gen_ai.usage.input_tokens"
"""All input tokens, cached ones included."""

GEN_AI_OUTPUT_TOKENS: Final = "gen_ai.usage.output_tokens"
"""All output tokens, reasoning included."""

GEN_AI_CACHE_READ_TOKENS: Final = "gen_ai.usage.cache_read.input_tokens"
"""The part of the input that was read from the provider's cache."""

GEN_AI_CACHE_WRITE_TOKENS: Final = "gen_ai.usage.cache_creation.input_tokens"
"""The part of the input that was written to the provider's cache."""

GEN_AI_REASONING_TOKENS: Final = "gen_ai.usage.reasoning.output_tokens"
"""The part of the output that was reasoning."""

GEN_AI_TOOL_NAME: Final = "gen_ai.tool.name"
"""The tool that was called."""

GEN_AI_TOOL_CALL_ID: Final = "gen_ai.tool.call.id"
"""The id that the model gave the call of the tool."""

ERROR_TYPE: Final = "error.type"
"""Class of the error that ended the operation."""

# --- Where a request goes: OpenTelemetry's names, read to tell whether the run may go along --------------

SERVER_ADDRESS: Final = "server.address"
"""Host that an instrumented client calls."""

URL_FULL: Final = "url.full"
"""Address that an instrumented client calls."""

NET_PEER_NAME: Final = "net.peer.name"
"""Former name of ``server.address``."""

HTTP_HOST: Final = "http.host"
"""Former name of ``server.address``, perhaps with a port."""

HTTP_URL: Final = "http.url"
"""Former name of ``url.full``."""

# --- Data: OpenTelemetry's names, and ours where it has none, written by the other ``track_*`` --------

DB_SYSTEM_NAME: Final = "db.system.name"
"""The database product, such as ``postgresql`` or ``snowflake``."""

DB_OPERATION_NAME: Final = "db.operation.name"
"""The database's operation or command, such as ``SELECT``."""

DB_COLLECTION_NAME: Final = "db.collection.name"
"""The table, collection or container."""

DB_NAMESPACE: Final = "db.namespace"
"""The database, or what else the product has around its collections."""

DB_RETURNED_ROWS: Final = "db.response.returned_rows"
"""Rows that the operation returned."""

DATA_ROWS_AFFECTED: Final = "botanu.data.rows_affected"
"""Rows that the operation wrote, changed or removed."""

DATA_BYTES_READ: Final = "botanu.data.bytes_read"
"""Bytes that came from a database, storage or a messaging system."""

DATA_BYTES_WRITTEN: Final = "botanu.data.bytes_written"
"""Bytes that went to a database or storage."""

DATA_OBJECTS_COUNT: Final = "botanu.data.objects_count"
"""Objects that an operation of storage read, wrote, listed or removed."""

WAREHOUSE_BYTES_SCANNED: Final = "botanu.warehouse.bytes_scanned"
"""Bytes that a data warehouse went through for the answer, which is what many bill."""

STORAGE_SYSTEM: Final = "botanu.storage.system"
"""The object storage, such as ``s3`` or ``gcs``."""

STORAGE_OPERATION: Final = "botanu.storage.operation"
"""The storage's operation, such as ``PutObject``."""

STORAGE_BUCKET: Final = "botanu.storage.bucket"
"""The bucket or container."""

MESSAGING_SYSTEM: Final = "messaging.system"
"""The messaging system, such as ``kafka`` or ``aws_sqs``."""

MESSAGING_OPERATION_NAME: Final = "messaging.operation.name"
"""The messaging system's own name of the operation, such as ``publish``."""

MESSAGING_OPERATION_TYPE: Final = "messaging.operation.type"
"""What kind of operation that is: create, send, receive, process or settle; absent where it is not known."""

MESSAGING_DESTINATION_NAME: Final = "messaging.destination.name"
"""The queue or topic."""

MESSAGING_MESSAGE_COUNT: Final = "messaging.batch.message_count"
"""Messages sent, received or processed by one operation."""

MESSAGING_BODY_SIZE: Final = "messaging.message.body.size"
"""Size of the message's body in bytes; of a batch, that of all its messages together."""
