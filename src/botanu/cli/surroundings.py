"""What the environment and the program say of whether runs are recorded and where they go, and who is there."""

import os
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass

from opentelemetry.environment_variables import OTEL_TRACES_EXPORTER
from opentelemetry.sdk.environment_variables import OTEL_SDK_DISABLED, OTEL_TRACES_SAMPLER, OTEL_TRACES_SAMPLER_ARG

from botanu.cli.findings import Finding
from botanu.cli.imports import Called, Program
from botanu.cli.options import URL_VARIABLE
from botanu.cli.source import Remote
from botanu.cli.switches import ENABLE, Switches
from botanu.errors import SettingsError
from botanu.sdk.settings import SdkSettings, destination
from botanu.settings import variable, word

_ENDPOINT = variable("endpoint")
_TAKE_OUT = "take it out of the environment"
_FROM_OUTSIDE = "opentelemetry-instrument is seen if it starts this command, too"
_AS_RUN = "where the program says"
_SENT_WHOLE = "runs are sent whole all the same"
_SETS_PROVIDER = ".set_tracer_provider"


@dataclass(frozen=True, slots=True)
class Surroundings:
    """The *settings* that the environment gives, and the *program* that they are for, if one is looked at."""

    settings: SdkSettings
    program: Program | None
    switches: Switches

    def losses(self) -> Iterator[Finding]:
        """Look at what keeps runs from being recorded or sent."""
        for is_so, name, detail in (
            (not self.settings.enabled, variable("enabled"), "no run is recorded"),
            (word(OTEL_SDK_DISABLED) == "true", OTEL_SDK_DISABLED, "no run is recorded"),
            (self._sends_nothing(), OTEL_TRACES_EXPORTER, f"botanu sends no span, as {_ENDPOINT} is not set"),
        ):
            if is_so:
                yield Finding("setting", name, ok=False, state=os.environ[name], detail=detail, remedy=_TAKE_OUT)
        if _samples_some():
            yield self._sampling()

    def instrument(self) -> Finding:
        """Look at whether the environment turns instrumentations on, and what else does."""
        name, switch = variable("instrument"), self.switches.of_all()
        detail = f"instrumentations stay off unless the program calls {ENABLE}(instrument=True)"
        if self.settings.instrument and (switch is None or switch.sure):
            detail = self._instrumented()
        elif switch:
            detail = f"instrumentations are {switch.said}"
        elif self.program:
            detail = f"nothing read here calls {ENABLE}(instrument=True); {_FROM_OUTSIDE}"
        return Finding("setting", name, ok=True, state=os.environ.get(name) or "not set", detail=detail)

    def _instrumented(self) -> str:
        overruled = self.switches.overruled()
        if overruled:
            return f"{ENABLE}(instrument=False) at {overruled} goes before it"
        if self.program and not self.program.places("botanu"):
            return "nothing read here imports botanu, which looks at it"
        return "one instrumentation is turned on for each client"

    def destination(self) -> Finding:
        """Look at where spans go."""
        address, source = self._destination()
        sets = self._sets_provider()
        if sets:
            detail = f"spans go where the tracer provider sends them that {sets} sets, as nothing calls {ENABLE}()"
            given = self.settings.endpoint is not None
            remedy = f"call {ENABLE}(), which sends them to {address}, too" if given else ""
            return Finding("setting", source or _ENDPOINT, not given, "set" if source else "not set", detail, remedy)
        detail = f"spans go to {address}" if address else f"spans go {_AS_RUN}"
        return Finding("setting", source or _ENDPOINT, ok=True, state="set" if source else "not set", detail=detail)

    def server(self, url: str | None) -> Finding:
        """Look for the server at *url*, or else where spans go."""
        code = self._code()
        address, _ = self._destination()
        looked_for = url or (address if code else self.settings.endpoint or os.environ.get(URL_VARIABLE) or address)
        if not looked_for:
            return Finding("server", _AS_RUN, ok=True, state="not looked for", remedy="give its address with --url")
        return _server(looked_for)

    def _code(self) -> Called | None:
        """Return the call that says where spans go, if the program has one."""
        calls = self.program.called(ENABLE) if self.program else ()
        return next((call for call in calls if {"endpoint", "exporter"} & call.given.keys()), None)

    def _destination(self) -> tuple[str, str]:
        """Return where spans go, as far as can be read, and what says so."""
        code = self._code()
        if code:
            endpoint = code.given.get("endpoint")
            fixed = isinstance(endpoint, str) and "exporter" not in code.given
            return (str(endpoint) if fixed else ""), f"{ENABLE} at {code.place}"
        return destination(self.settings.endpoint)

    def _sends_nothing(self) -> bool:
        return word(OTEL_TRACES_EXPORTER) == "none" and self.settings.endpoint is None and self._code() is None

    def _sets_provider(self) -> str:
        """Return where the program sets a tracer provider without having botanu send anything itself."""
        if self.program is None or self.program.called(ENABLE):
            return ""
        return next((call.place for call in self.program.calls if call.name.endswith(_SETS_PROVIDER)), "")

    def _sampling(self) -> Finding:
        """Look at whether a sampler loses runs: it does where botanu sends nothing itself."""
        enabled = self.program.called(ENABLE) if self.program else []
        sets = self._sets_provider()
        ok, remedy = True, ""
        if self._sends_nothing():
            ok, remedy = False, _TAKE_OUT
            detail = "runs not sampled are lost, as the program's own exporters do not get them"
        elif enabled:
            detail = f"{_SENT_WHOLE}, as {ENABLE} is called at {enabled[0].place}"
        elif sets:
            ok, remedy = False, f"call {ENABLE}(), which sends every run, or {_TAKE_OUT}"
            detail = f"runs not sampled are lost: {sets} sets a tracer provider, and nothing calls {ENABLE}()"
        else:
            detail = f"{_SENT_WHOLE}, unless the program sets a tracer provider and does not call {ENABLE}()"
        return Finding("setting", OTEL_TRACES_SAMPLER, ok, os.environ[OTEL_TRACES_SAMPLER], detail, remedy)


def _samples_some() -> bool:
    """Return whether the sampler that the environment names drops some traces, or may."""
    sampler = word(OTEL_TRACES_SAMPLER)
    if sampler.endswith("traceidratio"):
        try:
            return float(word(OTEL_TRACES_SAMPLER_ARG) or 1) < 1
        except ValueError:
            return False  # OpenTelemetry warns, and samples all
    return sampler in ("always_off", "parentbased_always_off")  # what it does not know, it takes for always_on


def _server(address: str) -> Finding:
    try:
        with closing(Remote(address)) as remote:
            if remote.is_there():
                return Finding("server", address, ok=True, state="answers")
    except SettingsError as error:
        return Finding("server", address, ok=False, state="no address", detail=str(error))
    remedy = f"start it with 'botanu serve', or set {_ENDPOINT} to its address"
    return Finding("server", address, ok=False, state="does not answer", remedy=remedy)
