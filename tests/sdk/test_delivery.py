import pytest
from opentelemetry.sdk.trace.export import SpanExporter, SpanExportResult

from botanu.sdk.delivery import Delivery


class Exporter(SpanExporter):
    def __init__(self, answer):
        self.answer = answer

    def export(self, spans):
        if self.answer is None:
            raise ConnectionError
        return self.answer


def test_what_did_not_arrive_is_counted():
    for answer, failed in ((SpanExportResult.SUCCESS, 0), (SpanExportResult.FAILURE, 2)):
        delivery = Delivery(Exporter(answer))
        assert delivery.export(["a", "b"]) is answer
        assert delivery.failed == failed


def test_an_exporter_that_raises_is_counted_and_its_exception_goes_on():
    delivery = Delivery(Exporter(None))
    with pytest.raises(ConnectionError):
        delivery.export(["a"])

    assert delivery.failed == 1


def test_without_an_exporter_nothing_is_sent_and_nothing_missing():
    delivery = Delivery(None)

    assert delivery.export(["a"]) is SpanExportResult.SUCCESS
    assert delivery.failed == 0
    delivery.shutdown()
