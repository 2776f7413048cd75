"""Calls twice over: as the spans that tell of them, and as the rows a provider's file has for them.

The rows are computed here from the calls and a price list of their own, written down by hand, so that nothing of
what is tested takes part in it.
"""

import csv
import io
from collections import defaultdict
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from decimal import Decimal

from support.otlp import span

MILLION = 1_000_000

PRICES = {
    "gpt-4o-2024-08-06": {"input": "2.5", "cached": "1.25", "output": "10"},
    "gpt-4o-mini-2024-07-18": {"input": "0.15", "cached": "0.075", "output": "0.6"},
    "gpt-4.1-2025-04-14": {"input": "2", "cached": "0.5", "output": "8"},
    "claude-sonnet-4-5-20250929": {
        "input": "3",
        "cached": "0.3",
        "written_5m": "3.75",
        "written_1h": "6",
        "output": "15",
    },
    "claude-haiku-4-5-20251001": {
        "input": "1",
        "cached": "0.1",
        "written_5m": "1.25",
        "written_1h": "2",
        "output": "5",
    },
}
"""US dollars for a million tokens, as the providers' price pages had them in June 2026."""

PARTS = ("input", "cached", "written_5m", "written_1h", "output")


@dataclass(frozen=True)
class Call:
    """A call: its tokens by what they are billed as, none of them twice. *billed* is the day on its bill."""

    model: str
    start: datetime
    input: int = 0
    cached: int = 0
    written_5m: int = 0
    written_1h: int = 0
    output: int = 0
    tier: str | None = None
    billed: date | None = None
    factor: Decimal = Decimal(1)

    @property
    def provider(self):
        return "anthropic" if self.model.startswith("claude") else "openai"

    @property
    def day(self):
        return self.billed or self.start.date()

    def amount(self, part):
        """What *part* costs; half in batch."""
        price = Decimal(PRICES[self.model].get(part, "0")) * (Decimal("0.5") if self.tier == "batch" else 1)
        return getattr(self, part) * price * self.factor / MILLION

    def but(self, **changes):
        return replace(self, **changes)


def at(day, hour=12, minute=0, month=6):
    return datetime(2026, month, day, hour, minute, tzinfo=UTC)


def span_of(call, **attributes):
    """The span that tells of *call*, as an instrumentation sends it: cached tokens are within the input."""
    counts = {
        "gen_ai.usage.input_tokens": call.input + call.cached + call.written_5m + call.written_1h,
        "gen_ai.usage.output_tokens": call.output,
        "gen_ai.usage.cache_read.input_tokens": call.cached,
        "botanu.usage.cache_write_5m_tokens": call.written_5m,
        "botanu.usage.cache_write_1h_tokens": call.written_1h,
        "openai.response.service_tier": call.tier,
    }
    return span(
        "chat",
        start=int(call.start.timestamp()) * 10**9,
        **{
            "gen_ai.operation.name": "chat",
            "gen_ai.provider.name": call.provider,
            "gen_ai.response.model": call.model,
            **{name: count for name, count in counts.items() if count},
            **attributes,
        },
    )


def written(header, rows):
    """A CSV file of *rows*, of which each is a mapping."""
    text = io.StringIO()
    writer = csv.DictWriter(text, header.split(","), lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()


def _summed(calls, key):
    groups = defaultdict(list)
    for call in calls:
        groups[key(call)].append(call)
    return sorted(groups.items(), key=lambda item: tuple(map(str, item[0])))


OPENAI_USAGE = (
    "start_time,end_time,start_time_iso,end_time_iso,project_id,num_model_requests,user_id,api_key_id,model,batch,"
    "service_tier,input_tokens,output_tokens,input_cached_tokens,input_uncached_tokens,input_text_tokens,"
    "output_text_tokens,input_cached_text_tokens,input_audio_tokens,input_cached_audio_tokens,output_audio_tokens,"
    "input_image_tokens,input_cached_image_tokens,output_image_tokens"
)


def openai_usage(calls):
    """OpenAI's usage export of *calls*."""
    rows = []
    for (day, model, tier), members in _summed(calls, lambda call: (call.day, call.model, call.tier)):
        sums = {part: sum(getattr(call, part) for call in members) for part in PARTS}
        start = int(datetime.combine(day, datetime.min.time(), UTC).timestamp())
        none = {name: "0.0" for name in OPENAI_USAGE.split(",") if name.endswith("_tokens")}
        rows.append(
            none
            | {
                "start_time": start,
                "end_time": start + 86_400,
                "start_time_iso": f"{day}T00:00:00+00:00",
                "num_model_requests": f"{len(members)}.0",
                "model": model,
                "batch": "TRUE" if tier == "batch" else "FALSE",
                "service_tier": "default" if tier in (None, "batch") else tier,
                "input_tokens": f"{sums['input'] + sums['cached']}.0",
                "input_uncached_tokens": f"{sums['input']}.0",
                "input_text_tokens": f"{sums['input']}.0",
                "input_cached_tokens": f"{sums['cached']}.0",
                "input_cached_text_tokens": f"{sums['cached']}.0",
                "output_tokens": f"{sums['output']}.0",
                "output_text_tokens": f"{sums['output']}.0",
            }
        )
    return written(OPENAI_USAGE, rows)


OPENAI_COSTS = (
    "start_time,end_time,start_time_iso,end_time_iso,amount_value,amount_currency,quantity,quantity_unit,line_item,"
    "project_id,organization_id,organization_name"
)
_LINE_ITEMS = {"input": "input", "cached": "cached input", "output": "output"}


def openai_costs(calls, *, quantities=True, line_items=True):
    """OpenAI's costs export of *calls*, by line item, or in one amount a day."""
    parts = [(call, part) for call in calls for part in _LINE_ITEMS if getattr(call, part)]
    key = (lambda item: (item[0].day, item[0].model, item[1])) if line_items else (lambda item: (item[0].day,))
    rows = []
    for (day, *names), members in _summed(parts, key):
        rows.append(
            {
                "start_time": int(datetime.combine(day, datetime.min.time(), UTC).timestamp()),
                "start_time_iso": f"{day}T00:00:00+00:00",
                "amount_value": f"{sum(call.amount(part) for call, part in members):.20f}",
                "amount_currency": "usd",
                "line_item": f"{names[0]}, {_LINE_ITEMS[names[1]]}" if line_items else "",
                "quantity": sum(getattr(call, part) for call, part in members) if quantities and line_items else "",
            }
        )
    return written(OPENAI_COSTS, rows)


ANTHROPIC_USAGE = (
    "usage_date_utc,model_version,api_key,workspace,usage_type,context_window,usage_input_tokens_no_cache,"
    "usage_input_tokens_cache_write_5m,usage_input_tokens_cache_write_1h,usage_input_tokens_cache_read,"
    "usage_output_tokens,web_search_count,inference_geo,speed"
)


def anthropic_usage(calls):
    """Anthropic's usage export of *calls*."""
    rows = []
    for (day, model, tier), members in _summed(calls, lambda call: (call.day, call.model, call.tier)):
        sums = {part: sum(getattr(call, part) for call in members) for part in PARTS}
        rows.append(
            {
                "usage_date_utc": day,
                "model_version": model,
                "api_key": "shop",
                "workspace": "Default",
                "usage_type": tier or "standard",
                "context_window": "≤ 200k",
                "usage_input_tokens_no_cache": sums["input"],
                "usage_input_tokens_cache_write_5m": sums["written_5m"],
                "usage_input_tokens_cache_write_1h": sums["written_1h"],
                "usage_input_tokens_cache_read": sums["cached"],
                "usage_output_tokens": sums["output"],
                "web_search_count": 0,
                "inference_geo": "global",
            }
        )
    return written(ANTHROPIC_USAGE, rows)


ANTHROPIC_COSTS = (
    "usage_date_utc,model,workspace,api_key,usage_type,context_window,token_type,cost_usd,list_price_usd,cost_type,"
    "inference_geo,speed"
)
_TOKEN_TYPES = {
    "input": "input_no_cache",
    "cached": "input_cache_read",
    "written_5m": "input_cache_write_5m",
    "written_1h": "input_cache_write_1h",
    "output": "output",
}
_DISPLAYED = {"claude-sonnet-4-5-20250929": "Claude Sonnet 4.5", "claude-haiku-4-5-20251001": "Claude Haiku 4.5"}


def anthropic_costs(calls):
    """Anthropic's cost export of *calls*: models by their display names, amounts in whole cents, no quantities."""
    parts = [(call, part) for call in calls for part in PARTS if getattr(call, part)]
    return written(
        ANTHROPIC_COSTS,
        [
            {
                "usage_date_utc": day,
                "model": _DISPLAYED[model],
                "workspace": "Default",
                "api_key": "shop",
                "usage_type": tier or "message",
                "context_window": "≤ 200k",
                "token_type": _TOKEN_TYPES[part],
                "cost_usd": f"{sum(call.amount(part) for call, part in members):.2f}",
                "cost_type": "token",
            }
            for (day, model, part, tier), members in _summed(
                parts, lambda item: (item[0].day, item[0].model, item[1], item[0].tier)
            )
        ],
    )


FOCUS = (
    "BilledCost,BillingAccountId,BillingCurrency,BillingPeriodStart,ChargeCategory,ChargeClass,ChargeDescription,"
    "ChargePeriodEnd,ChargePeriodStart,ConsumedQuantity,ConsumedUnit,EffectiveCost,ProviderName,ResourceId,"
    "ResourceType,ServiceCategory,ServiceName,SkuId,SkuMeter"
)
_METERS = {
    "input": "Input Tokens",
    "cached": "Cache Read Tokens",
    "written_5m": "Cache Write Tokens (5m)",
    "written_1h": "Cache Write Tokens (1h)",
    "output": "Output Tokens",
}
_PROVIDERS = {"openai": "OpenAI", "anthropic": "Anthropic"}


def focus_row(day, provider, **cells):
    return {
        "BillingCurrency": "USD",
        "ChargeCategory": "Usage",
        "ChargePeriodStart": f"{day}T00:00:00Z",
        "ProviderName": provider,
        "ServiceCategory": "AI and Machine Learning",
        "ServiceName": f"{provider} API",
        **cells,
    }


def focus_rows(calls):
    """The rows of a FOCUS file for *calls*."""
    parts = [(call, part) for call in calls for part in PARTS if getattr(call, part)]
    return [
        focus_row(
            day,
            _PROVIDERS[members[0][0].provider],
            BilledCost=f"{sum(call.amount(part) for call, part in members):.12f}",
            ConsumedQuantity=sum(getattr(call, part) for call, part in members),
            ConsumedUnit="Tokens",
            ResourceId=model,
            ResourceType="Model",
            SkuId=f"{model}/{part}{f'/{tier}' if tier else ''}",
            SkuMeter=_METERS[part] + (" Batch" if tier == "batch" else ""),
        )
        for (day, model, part, tier), members in _summed(
            parts, lambda item: (item[0].day, item[0].model, item[1], item[0].tier)
        )
    ]


def focus(calls, *more):
    """A FOCUS file for *calls*, with *more* rows."""
    return written(FOCUS, [*focus_rows(calls), *more])
