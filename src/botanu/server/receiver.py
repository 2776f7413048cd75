"""``POST /v1/traces``: OTLP over HTTP, protobuf and JSON (https://opentelemetry.io/docs/specs/otlp/#otlphttp)."""

import asyncio
import json

from google.protobuf.message import Message
from google.rpc.status_pb2 import Status
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceResponse
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from botanu.errors import DecodeError, TooLargeError, UnavailableError
from botanu.ingest.otlp import JSON, PROTOBUF, Refusal, decompress
from botanu.ingest.pipeline import Acknowledgement, Pipeline

RETRY_AFTER_SECONDS = 1

_INVALID_ARGUMENT, _RESOURCE_EXHAUSTED, _INTERNAL, _UNAVAILABLE = 3, 8, 13, 14  # google.rpc.Code


class Receiver:
    """Answers export requests; each answer in the form the request came in."""

    def __init__(self, pipeline: Pipeline, *, body_bytes_max: int) -> None:
        """Hand bodies of at most *body_bytes_max* bytes, compressed or not, to *pipeline*."""
        self._pipeline = pipeline
        self._body_bytes_max = body_bytes_max

    async def traces(self, request: Request) -> Response:
        """Take spans; the answer comes once they are on disk."""
        media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
        if media_type not in (PROTOBUF, JSON):
            return _failure(PROTOBUF, 415, _INVALID_ARGUMENT, f"send {PROTOBUF} or {JSON}, not {media_type!r}")
        try:
            acknowledged = await self._take(request, media_type)
        except TooLargeError as error:
            return _failure(media_type, 413, _RESOURCE_EXHAUSTED, str(error), {"connection": "close"})
        except DecodeError as error:
            return _failure(media_type, 400, _INVALID_ARGUMENT, str(error))
        except UnavailableError as error:
            return _failure(media_type, 503, _UNAVAILABLE, str(error), {"retry-after": str(RETRY_AFTER_SECONDS)})
        except Exception:  # noqa: BLE001 - logged where it happened; 400, as sending it again would fail again
            return _failure(media_type, 400, _INTERNAL, "the request could not be processed; see the server's log")
        return _success(media_type, acknowledged.refused)

    async def _take(self, request: Request, media_type: str) -> Acknowledgement:
        body = await self._body(request)
        encoding = request.headers.get("content-encoding", "")
        if encoding:
            body = await run_in_threadpool(decompress, body, encoding, self._body_bytes_max)
        return await asyncio.wrap_future(self._pipeline.submit(body, media_type))

    async def _body(self, request: Request) -> bytes:
        announced = request.headers.get("content-length", "")
        if announced.isdecimal() and int(announced) > self._body_bytes_max:
            raise self._too_large()
        parts, size = [], 0
        async for part in request.stream():
            parts.append(part)
            size += len(part)
            if size > self._body_bytes_max:
                raise self._too_large()
        return b"".join(parts)

    def _too_large(self) -> TooLargeError:
        return TooLargeError(f"the request is over {self._body_bytes_max:,} bytes; send smaller batches")


def _success(media_type: str, refused: Refusal | None) -> Response:
    answer = ExportTraceServiceResponse()
    plain: dict[str, object] = {}
    if refused is not None:
        answer.partial_success.rejected_spans = refused.count
        answer.partial_success.error_message = refused.message
        plain = {"partialSuccess": {"rejectedSpans": str(refused.count), "errorMessage": refused.message}}
    return _response(media_type, 200, answer, plain)


def _failure(media_type: str, status: int, code: int, message: str, headers: dict[str, str] | None = None) -> Response:
    return _response(
        media_type, status, Status(code=code, message=message), {"code": code, "message": message}, headers
    )


def _response(
    media_type: str, status: int, message: Message, plain: dict[str, object], headers: dict[str, str] | None = None
) -> Response:
    body = json.dumps(plain).encode() if media_type == JSON else message.SerializeToString()
    return Response(body, status, headers, media_type)
