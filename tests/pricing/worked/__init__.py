"""Calls worked by hand: what each costs, from the documents alone.

Quantities are split as the documents of each dialect define them, prices are what the provider lists, amounts are
products written out. Nothing here was computed by what it tests.
"""

from worked import (
    caches,
    clouds,
    costs,
    frameworks,
    instrumentations,
    kinds,
    langfuse,
    names,
    openinference,
    tiers,
    times,
    usage,
    vercel,
)
from worked.case import NOBODY, PRICE_PAGES, SOURCES, UNSAID, Case

CASES = (
    *caches.CASES,
    *kinds.CASES,
    *tiers.CASES,
    *times.CASES,
    *clouds.CASES,
    *names.CASES,
    *instrumentations.CASES,
    *openinference.CASES,
    *vercel.CASES,
    *frameworks.CASES,
    *langfuse.CASES,
    *costs.CASES,
    *usage.CASES,
)
"""Every case."""

__all__ = ["CASES", "NOBODY", "PRICE_PAGES", "SOURCES", "UNSAID", "Case"]
