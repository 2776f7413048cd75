import asyncio
import contextlib
import gc
import threading

import pytest
from opentelemetry import trace
from opentelemetry.context import get_current

import botanu
from botanu import record_cost, record_usage, run_botanu, semconv, track_llm_call

ANSWER = ["No, ", "it is not.", {"input_tokens": 12, "output_tokens": 3}]
"""What a provider's client may give back: text, and at last what it took."""


def tokens(chunk):
    return chunk if isinstance(chunk, dict) else None


def counted(span):
    return {
        name.removeprefix("gen_ai.usage."): value
        for name, value in span.attributes.items()
        if name.startswith("gen_ai.usage.")
    }


def current():
    return trace.get_current_span().get_span_context().span_id


def chunks(of=ANSWER, seen=None):
    """Produce chunks, and note in which span each was."""
    for chunk in of:
        if seen is not None:
            seen.append(current())
        yield chunk


async def async_chunks(of=ANSWER, seen=None):
    for chunk in chunks(of, seen):
        await asyncio.sleep(0)
        yield chunk


def ask(given, usage=tokens):
    """Make the call as a function does that returns what is still to come."""
    with track_llm_call("openai", "m") as call:
        return call.stream(given, usage)


async def all_of(stream):
    return [chunk async for chunk in stream]


def gather(given):
    """Take all chunks of a stream of either kind."""
    return list(given) if hasattr(given, "__next__") else asyncio.run(all_of(given))


class Client:
    """A provider's stream that must be closed."""

    closed = False

    def __iter__(self):
        return iter(ANSWER)

    def close(self):
        self.closed = True


class AsyncClient:
    """The same, asynchronous."""

    closed = False

    def __aiter__(self):
        return async_chunks()

    async def aclose(self):
        self.closed = True


class AsyncClientThatClosesLikeAFile(AsyncClient):
    """The same, under the other name."""

    aclose = None

    async def close(self):
        self.closed = True


EITHER = pytest.mark.parametrize("produce", [chunks, async_chunks])


class TestEnd:
    @EITHER
    def test_the_span_ends_with_the_stream_and_not_with_the_block(self, runs, produce):
        stream = ask(produce())
        assert runs.spans() == []

        assert gather(stream) == ANSWER

        (span,) = runs.spans()
        assert span.status.is_unset
        assert counted(span) == {"input_tokens": 12, "output_tokens": 3}

    @EITHER
    def test_the_span_ends_with_the_block_where_the_stream_is_over_before(self, runs, produce):
        with track_llm_call("openai", "m") as call:
            assert gather(call.stream(produce(), tokens)) == ANSWER
            call.set_response(response_id="r-1")
            assert runs.spans() == []

        (span,) = runs.spans()
        assert span.attributes[semconv.GEN_AI_RESPONSE_ID] == "r-1"
        assert counted(span) == {"input_tokens": 12, "output_tokens": 3}

    @EITHER
    def test_a_stream_that_is_dropped_ends_the_span_with_what_it_reported(self, runs, produce):
        stream = ask(produce([{"input_tokens": 12}, "No, ", "it is not."]))
        if produce is chunks:
            next(stream)
        else:
            asyncio.run(anext(stream))
        del stream
        gc.collect()

        (span,) = runs.spans()
        assert span.status.is_unset
        assert counted(span) == {"input_tokens": 12}

    @EITHER
    def test_a_stream_that_nobody_ever_takes_from_ends_the_span(self, runs, produce):
        ask(produce())
        gc.collect()

        (span,) = runs.spans()
        assert counted(span) == {}

    def test_closing_ends_the_span_and_what_gives_the_chunks(self, runs):
        closed = []

        def produce():
            try:
                yield from ANSWER
            finally:
                closed.append(current())

        with contextlib.closing(ask(produce())) as stream:
            next(stream)

        (span,) = runs.spans()
        assert closed == [span.context.span_id]
        assert next(stream, None) is None

    def test_closing_an_asynchronous_stream_ends_the_span_and_what_gives_the_chunks(self, runs):
        closed = []

        async def produce():
            try:
                for chunk in ANSWER:
                    yield chunk
            finally:
                await asyncio.sleep(0)
                closed.append(current())

        async def work():
            async with contextlib.aclosing(ask(produce())) as stream:
                await anext(stream)
            return await anext(stream, None)

        assert asyncio.run(work()) is None
        (span,) = runs.spans()
        assert closed == [span.context.span_id]

    def test_a_client_that_can_be_closed_is(self, runs):
        """Clients hold connections, and their iterator is often another object."""
        for client in (Client(), AsyncClient(), AsyncClientThatClosesLikeAFile()):
            stream = ask(client)
            asyncio.run(stream.aclose()) if hasattr(stream, "aclose") else stream.close()
            assert client.closed

        assert len(runs.spans()) == 3

    def test_what_cannot_be_closed_need_not_be(self, runs):
        class Unclosable:
            def __aiter__(self):
                return async_chunks()

        ask(ANSWER).close()
        asyncio.run(ask(Unclosable()).aclose())

        assert len(runs.spans()) == 2

    @EITHER
    def test_an_exception_of_the_stream_fails_the_call_and_goes_on(self, runs, produce):
        def broken():
            yield {"input_tokens": 12}
            raise ConnectionError("secret")

        with pytest.raises(ConnectionError, match="secret"):
            gather(ask(produce(broken())))

        (span,) = runs.spans()
        assert span.attributes[semconv.ERROR_TYPE] == "ConnectionError"
        assert "secret" not in span.to_json()
        assert counted(span) == {"input_tokens": 12}

    def test_a_cancellation_of_the_stream_is_no_failure(self, runs):
        async def work():
            waits = asyncio.Event()

            async def forever():
                waits.set()
                yield await asyncio.Event().wait()

            consumer = asyncio.create_task(all_of(ask(forever())))
            await waits.wait()
            consumer.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await consumer

        asyncio.run(work())

        (span,) = runs.spans()
        assert span.status.is_unset

    def test_an_exception_of_the_block_fails_the_call_too(self, runs):
        kept = []

        def work():
            with track_llm_call("openai", "m") as call:
                kept.append(call.stream(chunks()))
                raise ConnectionError

        with pytest.raises(ConnectionError):
            work()
        list(kept.pop())

        (span,) = runs.spans()
        assert span.attributes[semconv.ERROR_TYPE] == "ConnectionError"

    def test_several_streams_of_one_call_end_it_together(self, runs):
        with track_llm_call("openai", "m") as call:
            first, second = call.stream(chunks(), tokens), call.stream(chunks(), tokens)
        list(first)
        list(first)
        assert runs.spans() == []

        list(second)

        assert len(runs.spans()) == 1

    def test_a_stream_after_the_end_is_a_plain_iterator(self, runs, lenient, caplog):
        with track_llm_call("openai", "m") as call:
            pass

        assert list(call.stream(chunks(), tokens)) == ANSWER
        assert len(runs.spans()) == 1

    def test_switched_off_the_chunks_come_all_the_same(self):
        botanu.disable()

        assert gather(ask(chunks())) == ANSWER
        assert gather(ask(async_chunks())) == ANSWER

    def test_what_is_no_stream_is_refused_where_it_is_given(self, runs):
        with pytest.raises(TypeError, match="not iterable"):
            ask(5)

        assert len(runs.spans()) == 1


class TestContext:
    @EITHER
    def test_chunks_are_produced_inside_the_call_and_consumed_outside(self, runs, produce):
        produced, consumed = [], []

        def note(chunk):
            produced.append(current())
            return tokens(chunk)

        async def work(stream):
            consumed.extend([current() async for _ in stream])

        with run_botanu("w", event_id="e", customer_id="c"):
            before, root = get_current(), current()
            stream = ask(produce(seen=produced), note)
            if produce is chunks:
                consumed.extend(current() for _ in stream)
            else:
                asyncio.run(work(stream))
            assert get_current() == before

        (span,) = runs.only().spans[1:]
        assert set(produced) == {span.context.span_id}
        assert set(consumed) == {root}

    def test_what_is_reported_while_a_chunk_is_produced_is_the_calls(self, runs):
        def produce():
            for chunk in ANSWER:
                record_usage(chunks=1)
                yield chunk

        list(ask(produce()))

        (span,) = runs.spans()
        assert span.attributes["botanu.usage.chunks"] == 3

    def test_another_thread_may_close_it_while_a_read_waits(self, runs):
        """As programs do with a stream that has gone silent: closing ends the read."""

        class Silent:
            def __init__(self):
                self.waits, self.closed = threading.Event(), threading.Event()

            def __iter__(self):
                return self

            def __next__(self):
                self.waits.set()
                assert self.closed.wait(30)
                raise StopIteration

            def close(self):
                self.closed.set()

        silent = Silent()
        stream = ask(silent)
        reading = threading.Thread(target=list, args=(stream,))
        reading.start()
        assert silent.waits.wait(30)
        stream.close()
        reading.join(30)

        assert not reading.is_alive()
        assert len(runs.spans()) == 1

    def test_another_thread_may_consume_it(self, runs):
        stream, taken = ask(chunks()), []
        thread = threading.Thread(target=lambda: taken.extend(stream))
        thread.start()
        thread.join()

        (span,) = runs.spans()
        assert taken == ANSWER
        assert counted(span) == {"input_tokens": 12, "output_tokens": 3}

    @EITHER
    def test_what_reads_a_chunk_reports_to_the_call(self, runs, produce):
        """A gateway that names the cost in its last chunk."""

        def read(chunk):
            if isinstance(chunk, dict):
                record_cost("0.002")
                record_usage(searches=1)
            return tokens(chunk)

        with run_botanu("w", event_id="e", customer_id="c"):
            gather(ask(produce(), read))

        (span,) = runs.only().spans[1:]
        assert counted(span) == {"input_tokens": 12, "output_tokens": 3}
        assert span.attributes[semconv.COST_AMOUNT] == "0.002"
        assert span.attributes[f"{semconv.USAGE}searches"] == 1

    @EITHER
    def test_when_the_first_chunk_came_is_recorded(self, runs, produce):
        gather(ask(produce()))
        gather(ask(produce([])))

        some, none = runs.spans()
        took_seconds = (some.end_time - some.start_time) / 1e9
        assert 0 < some.attributes[semconv.GEN_AI_TIME_TO_FIRST_CHUNK] <= took_seconds
        assert semconv.GEN_AI_TIME_TO_FIRST_CHUNK not in none.attributes

    def test_two_interleaved_keep_apart(self, runs):
        seen = [], []
        first, second = ask(chunks(seen=seen[0])), ask(chunks(seen=seen[1]))
        assert list(zip(first, second, strict=True)) == list(zip(ANSWER, ANSWER, strict=True))

        assert {span.context.span_id for span in runs.spans()} == {*seen[0], *seen[1]}
        assert set(seen[0]).isdisjoint(seen[1])


class TestUsage:
    def test_what_later_chunks_report_replaces_what_earlier_ones_did(self, runs):
        reports = [
            {"input_tokens": 12, "output_tokens": 1},
            "No, ",
            {"output_tokens": 3, "cache_read_tokens": None},
        ]
        list(ask(chunks(reports)))

        (span,) = runs.spans()
        assert counted(span) == {"input_tokens": 12, "output_tokens": 3}

    @pytest.mark.parametrize("usage", [None, lambda _: None, lambda _: {}, lambda chunk: chunk == "never"])
    def test_usage_that_nobody_reports_is_absent(self, runs, usage):
        assert list(ask(chunks(), usage)) == ANSWER

        (span,) = runs.spans()
        assert counted(span) == {}

    def test_usage_that_cannot_be_read_does_not_end_the_stream(self, runs, lenient, caplog, monkeypatch):
        monkeypatch.setattr("botanu.sdk.guard.guard._said", set())

        assert list(ask(chunks(), lambda chunk: chunk["input_tokens"])) == ANSWER

        (span,) = runs.spans()
        assert counted(span) == {}
        assert [record.getMessage() for record in caplog.records] == [
            "the usage of a stream's chunk could not be read: TypeError; it is not recorded",
            "the usage of a stream's chunk could not be read: AttributeError; it is not recorded",
        ]

    def test_what_set_tokens_has_no_name_for_is_left_out(self, runs, lenient, caplog):
        list(ask([{"input_tokens": 12, "total_tokens": 15}]))

        (span,) = runs.spans()
        assert counted(span) == {"input_tokens": 12}
        assert "set_tokens() has no name for what a stream reports: total_tokens" in caplog.text
