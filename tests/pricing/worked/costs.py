"""Costs that are reported: by LiteLLM, by OpenRouter, in botanu's own words."""

from functools import partial

from worked.calls import CACHED_4O, PLAIN_4O, reported
from worked.case import NOBODY, Case, otel

_LITELLM = partial(Case, dialect="LiteLLM")
_ROUTER = partial(Case, dialect="OpenRouter", bills="openrouter")
_OWN = partial(Case, dialect="botanu")

_CALL_4O = otel("openai", "gpt-4o", input=1000, output=100)

LITELLM = (
    _LITELLM(
        name="litellm-reported-cost",
        attributes=_CALL_4O
        | {
            "litellm.call_id": "call-1",
            "litellm.cost.input": 0.0024,
            "litellm.cost.output": 0.0009,
            "litellm.cost.total": 0.0033,
        },
        **reported(PLAIN_4O, "0.0033"),
    ),
    _LITELLM(
        name="litellm-older-names",  # its total has the margin on top of the original cost
        attributes=_CALL_4O
        | {
            "gen_ai.cost.input_cost": 0.0025,
            "gen_ai.cost.output_cost": 0.001,
            "gen_ai.cost.original_cost": 0.0035,
            "gen_ai.cost.margin_percent": 0.1,
            "gen_ai.cost.total_cost": 0.00385,
        },
        **reported(PLAIN_4O, "0.00385"),
    ),
    _LITELLM(
        name="litellm-a-hit-of-its-own-cache-costs-nothing",
        attributes=_CALL_4O | {"litellm.cache_hit": True, "litellm.cost.total": 0.0},
        **reported(PLAIN_4O, "0"),
    ),
    _LITELLM(
        name="litellm-zero-without-a-hit-is-not-believed",
        attributes=_CALL_4O | {"litellm.cache_hit": False, "litellm.cost.total": 0.0},
        computed_cost="0.0035",
        **PLAIN_4O,
    ),
)

ROUTER = (
    _ROUTER(
        name="openrouter-reported-cost",
        attributes=otel("openrouter", "deepseek/deepseek-chat-v3.1", input=1000, output=100)
        | {"gen_ai.usage.cost": 0.00041},
        listed="openrouter/deepseek/deepseek-chat-v3.1",
        items={
            "reported_cost": (1, "0.00041"),
            "input_uncached_tokens": (1000, None, "0.27/M"),
            "output_text_tokens": (100, None, "1/M"),
        },
        cost="0.00041",
        cost_source="reported",
        computed_cost="0.00037",
    ),
    _ROUTER(
        name="a-reported-cost-prices-what-has-no-price",
        attributes=otel("openrouter", "acme/house-model-9", input=1000, output=100) | {"gen_ai.usage.cost": 0.00041},
        items={
            "reported_cost": (1, "0.00041"),
            "input_uncached_tokens": (1000, None),
            "output_text_tokens": (100, None),
        },
        cost="0.00041",
        cost_source="reported",
        computed_cost=None,
    ),
)


def _paid(name, amount, rounded, **more):
    """A span that reports a cost and nothing else."""
    return _OWN(
        name=name,
        bills=NOBODY,
        attributes={"botanu.cost.amount": amount},
        items={"reported_cost": (1, rounded)},
        cost=rounded,
        cost_source="reported",
        computed_cost=None,
        **more,
    )


_EUROS = {
    **PLAIN_4O,
    "items": {"input_uncached_tokens": (1000, None, "2.5/M"), "output_text_tokens": (100, None, "10/M")},
    "cost": None,
    "cost_source": None,
    "priced": False,
    "computed_cost": "0.0035",
}

COSTS = (
    _OWN(
        name="a-reported-cost-goes-before-the-computed-one",
        attributes=otel("openai", "gpt-4o", input=1000, read=600, output=100) | {"botanu.cost.amount": "0.0125"},
        **reported(CACHED_4O, "0.0125"),
    ),
    _OWN(
        name="a-reported-cost-in-euros-is-not-converted",
        attributes=_CALL_4O | {"botanu.cost.amount": "0.0125", "botanu.cost.currency": "EUR"},
        **_EUROS,
    ),
    Case(
        name="a-proposed-attribute-in-euros-is-not-converted",
        dialect="OpenTelemetry GenAI",
        attributes=_CALL_4O | {"gen_ai.usage.cost.amount": 0.0125, "gen_ai.usage.cost.currency": "EUR"},
        **_EUROS,
    ),
    Case(
        name="a-proposed-attribute-in-dollars",
        dialect="OpenTelemetry GenAI",
        attributes=_CALL_4O
        | {
            "gen_ai.usage.cost.amount": 0.0125,
            "gen_ai.usage.cost.currency": "USD",
            "gen_ai.usage.cost.source": "provider",
        },
        **reported(PLAIN_4O, "0.0125"),
    ),
    _paid("half-a-reported-nano-dollar-goes-down-to-the-even-one", "0.0000000125", "0.000000012"),
    _paid("half-a-reported-nano-dollar-goes-up-to-the-even-one", "0.0000000135", "0.000000014"),
)

CASES = (*LITELLM, *ROUTER, *COSTS)
