"""An OTLP receiver in this process, for programs in others to send to."""

from botanu import semconv
from support import answering


class Collector(answering.Collector):
    """Keeps the spans it is sent, each as a name and a mapping of its attributes.

    ``sent`` has them as they came, and ``paths`` what was asked for, traces or not.
    """

    def __init__(self):
        super().__init__()
        self.spans = []
        self.sent = []

    @property
    def paths(self):
        return [request.path for request in self.requests]

    def answer(self, request):
        if "traces" in request.path:
            self.sent += request.spans
            self.spans += [(span.name, attributes(span)) for span in request.spans]
        return super().answer(request)

    def runs(self):
        """The attributes of each run's root span."""
        return [found for _, found in self.spans if semconv.RUN_ROOT in found]


def attributes(span):
    return {each.key: getattr(each.value, each.value.WhichOneof("value")) for each in span.attributes}
