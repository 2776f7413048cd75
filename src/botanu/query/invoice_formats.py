"""The invoice files that can be read: for each format, which columns hold what.

A file's header decides its format. Columns that no format names are left alone, so a file may have more of them, and
may lack those that its format does not need.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from botanu.query.invoice_names import TIERS

Quantity = tuple[str, ...]
"""A column that holds a quantity; behind it those to take off it (``-name``) or to add to it (``+name``)."""


@dataclass(frozen=True, slots=True)
class Format:
    """One kind of file, told by the columns *header*. Of several columns for one thing the first that is filled counts.

    A row has either a quantity of each of several meters, in the columns that *quantities* gives for a meter (the
    first of which the row has counts), or it is about one meter, which the *texts* name, and with it perhaps the model.
    """

    name: str
    sources: tuple[str, ...]
    header: frozenset[str]
    days: tuple[str, ...]
    provider: str | None = None
    providers: tuple[str, ...] = ()
    models: tuple[str, ...] = ()
    tiers: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    quantities: Mapping[str, tuple[Quantity, ...]] = field(default_factory=dict)
    texts: tuple[str, ...] = ()
    quantity: str | None = None
    unit: str | None = None
    amount: str | None = None
    currencies: tuple[str, ...] = ()
    currency: str | None = None
    category: str | None = None
    service: str | None = None
    resource: str | None = None


USAGE = "usage"
"""What FOCUS calls a charge for something used; all other charges are no usage."""

AI_SERVICES = frozenset({"ai and machine learning", "other", ""})
"""FOCUS's service categories that calls of models may be billed under: models of a marketplace are ``Other``."""

OPENAI_USAGE = Format(
    name="OpenAI usage export",
    sources=(
        "https://developers.openai.com/api/docs/api-reference/usage (the fields, and which includes which)",
        "https://github.com/xavierjflanagan/Guardian (openai-usage-and-cost-report-2025-10-12.md: header and rows)",
    ),
    header=frozenset({"start_time", "model", "num_model_requests", "input_tokens"}),
    provider="openai",
    days=("start_time_iso", "start_time"),
    models=("model",),
    tiers={"batch": {"true": "batch"}, "service_tier": TIERS},
    quantities={
        "input_uncached_tokens": (
            ("input_uncached_tokens", "-input_audio_tokens", "-input_image_tokens"),
            (
                "input_tokens",
                "-input_cached_tokens",
                "-input_cache_write_tokens",
                "-input_cache_write_12h_tokens",
                "-input_audio_tokens",
                "-input_image_tokens",
            ),
        ),
        "cache_read_tokens": (("input_cached_tokens", "-input_cached_audio_tokens", "-input_cached_image_tokens"),),
        "cache_write_tokens": (("input_cache_write_tokens", "+input_cache_write_12h_tokens"),),
        "input_audio_tokens": (("input_audio_tokens",),),
        "input_image_tokens": (("input_image_tokens",),),
        "cache_audio_read_tokens": (("input_cached_audio_tokens",),),
        "cache_image_read_tokens": (("input_cached_image_tokens",),),
        "output_tokens": (("output_tokens", "-output_audio_tokens", "-output_image_tokens"),),
        "output_audio_tokens": (("output_audio_tokens",),),
        "output_image_tokens": (("output_image_tokens",),),
        "requests": (("num_model_requests",),),
    },
)

OPENAI_COSTS = Format(
    name="OpenAI costs export",
    sources=(
        "https://developers.openai.com/api/docs/api-reference/usage (costs: amount, line_item, quantity)",
        "https://github.com/xavierjflanagan/Guardian (openai-usage-and-cost-report-2025-10-12.md: header and rows)",
    ),
    header=frozenset({"start_time", "amount_value", "amount_currency"}),
    provider="openai",
    days=("start_time_iso", "start_time"),
    texts=("line_item",),
    quantity="quantity",
    amount="amount_value",
    currencies=("amount_currency",),
)

ANTHROPIC_USAGE = Format(
    name="Anthropic usage export",
    sources=(
        "https://support.claude.com/en/articles/9534590-cost-and-usage-reporting-in-the-claude-console (where it is)",
        "https://github.com/0error-ob/ai-eng-audit (its tests of billing files: header and rows)",
    ),
    header=frozenset({"usage_date_utc", "model_version", "usage_input_tokens_no_cache", "usage_output_tokens"}),
    provider="anthropic",
    days=("usage_date_utc",),
    models=("model_version",),
    tiers={"usage_type": TIERS, "speed": TIERS},
    quantities={
        "input_uncached_tokens": (("usage_input_tokens_no_cache",),),
        "cache_read_tokens": (("usage_input_tokens_cache_read",),),
        "cache_write_5m_tokens": (("usage_input_tokens_cache_write_5m",), ("usage_input_tokens_cache_write",)),
        "cache_write_1h_tokens": (("usage_input_tokens_cache_write_1h",),),
        "output_tokens": (("usage_output_tokens",),),
        "web_searches": (("web_search_count",),),
    },
)

ANTHROPIC_COSTS = Format(
    name="Anthropic cost export",
    sources=(
        "https://support.claude.com/en/articles/9534590-cost-and-usage-reporting-in-the-claude-console (where it is)",
        "https://github.com/axigatelabs/axigate-finops (internal/importers/anthropic: header and rows, in whole cents)",
    ),
    header=frozenset({"usage_date_utc", "model", "token_type", "cost_usd"}),
    provider="anthropic",
    days=("usage_date_utc",),
    models=("model",),
    tiers={"usage_type": TIERS, "speed": TIERS},
    texts=("token_type", "cost_type"),
    amount="cost_usd",
    currency="USD",
)

FOCUS = Format(
    name="FOCUS cost and usage",
    sources=(
        "https://focus.finops.org/focus-specification/v1-2 (the columns; 1.0 and 1.1 lack some of those not needed)",
        "https://learn.microsoft.com/en-us/cloud-computing/finops/focus/metadata (Azure's, x_SkuMeterName)",
        "https://docs.aws.amazon.com/bedrock/latest/userguide/cost-mgmt-understanding-cur-data.html (usage types)",
        "https://github.com/BerriAI/litellm (litellm/integrations/focus: a gateway's rows)",
    ),
    header=frozenset({"BilledCost", "BillingCurrency", "ChargeCategory", "ChargePeriodStart"}),
    days=("ChargePeriodStart",),
    providers=("ServiceProviderName", "ProviderName", "InvoiceIssuerName", "PublisherName", "ServiceName"),
    models=("x_Model", "x_ModelName", "x_ModelId", "x_AIModel"),
    tiers={"x_ServiceTier": TIERS},
    texts=("x_Meter", "SkuMeter", "x_SkuMeterName", "x_UsageType", "SkuId", "SkuPriceId", "ChargeDescription"),
    quantity="ConsumedQuantity",
    unit="ConsumedUnit",
    amount="BilledCost",
    currencies=("BillingCurrency",),
    category="ChargeCategory",
    service="ServiceCategory",
    resource="ResourceId",
)

FORMATS = (OPENAI_USAGE, OPENAI_COSTS, ANTHROPIC_USAGE, ANTHROPIC_COSTS, FOCUS)
"""The formats, in the order a header is compared with them."""

BILLERS: Mapping[str, str] = {
    "aws": "aws",
    "amazon": "aws",
    "amazon web services": "aws",
    "amazon web services, inc.": "aws",
    "anthropic, pbc": "anthropic",
    "google cloud": "google",
    "microsoft": "azure",
    "microsoft azure": "azure",
    "azure openai": "azure",
    "openai api": "openai",
    "openai, llc": "openai",
    "mistral ai": "mistral",
}
"""How bills name a provider, where spans and prices use another name; the rest is found as a provider's name is."""
