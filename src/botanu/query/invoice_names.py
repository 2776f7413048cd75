"""What texts on invoices name: a model, a meter, a tier of service; and which names are of one model.

Providers write all three into one text: ``gpt-4o-2024-08-06, cached input``, ``USE1-Claude3Sonnet-input-tokens``,
``gpt-4o-mini-0718-Batch-Outp-glbl Tokens``. Words we know as meters, tiers and places are taken off its ends; what
remains in the middle is the model.
"""

import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass

from botanu.pricing.meters import METERS, RESTS

STANDARD = "standard"
"""The tier of what is served like everything else; spans leave it out."""

TIERS: Mapping[str, str] = {
    "standard": STANDARD,
    "std": STANDARD,
    "default": STANDARD,
    "auto": STANDARD,
    "on_demand": STANDARD,
    "batch": "batch",
    "flex": "flex",
    "priority": "priority",
    "pp": "priority",
    "fast": "fast",
}
"""Words for tiers, as providers write them; ``pp`` is Azure's priority processing."""

_METER_PATTERNS = (
    (r"\bweb search", "web_searches"),
    (r"\bcode execution", "code_executions"),
    (r"\b(no cache|uncached)\b", "input_uncached_tokens"),
    (r"(?=.*\b(cached?|cd)\b)(?=.*\b(writes?|creation|wr)\b)(?=.*\b1h\b)", "cache_write_1h_tokens"),
    (r"(?=.*\b(cached?|cd)\b)(?=.*\b(writes?|creation|wr)\b)", "cache_write_tokens"),
    (r"(?=.*\b(cached?|cchd|cd)\b)(?=.*\b(audio|aud)\b)", "cache_audio_read_tokens"),
    (r"(?=.*\b(cached?|cchd|cd)\b)(?=.*\b(image|img)\b)", "cache_image_read_tokens"),
    (r"\b(cached?|cchd|cd)\b", "cache_read_tokens"),
    (r"(?=.*\b(audio|aud)\b)(?=.*\b(output|outp|out|opt)\b)", "output_audio_tokens"),
    (r"(?=.*\b(image|img)\b)(?=.*\b(output|outp|out|opt)\b)", "output_image_tokens"),
    (r"(?=.*\b(audio|aud)\b)(?=.*\b(input|inp)\b)", "input_audio_tokens"),
    (r"(?=.*\b(image|img)\b)(?=.*\b(input|inp)\b)", "input_image_tokens"),
    (r"\b(output|outp|outpt|out|opt|completions?)\b", "output_tokens"),
    (r"\b(input|inp|inpt|prompts?)\b", "input_uncached_tokens"),
)
# The first that fits decides, so those with more words stand first. What is only called input is the uncached part:
# where the cached part has a line of its own, it is not billed again.

_METER_NAMES = frozenset({*(meter.name for meter in METERS), *RESTS})

_ENDING = re.compile(
    "input|inpt?|output|outpt?|out|cached?|cchd|uncached|creation|read|writes?|wr|hit|tokens?|count|ephemeral|1h|5m|1[mk]|"
    "glbl|global|regnl|regional|region|dzone|dz|geo|cross|mantle|standard|std|default|on_demand|batch|flex|priority|pp"
)
"""Words at the end of a model's name that are not part of it, however they are joined to it."""

_LOOSE_ENDING = re.compile(
    "text|txt|audio|aud|image|img|video|cd|opt|gl|data|zone|long|short|context|longco|shortco|web|search|tools?|calls?|"
    "usage|fast|no"
)
"""Words that are no part of a model's name unless a hyphen joins them to it: ``grok-4-fast`` is a model."""

_WORD = re.compile(r"(?P<joint>[\s,|:_()\-]*)(?P<word>[^\s,|:_()\-]+)")
_PLACE = re.compile(r"[A-Z]{2,4}\d")
_RANGE = re.compile(r"\d+-\d+[km]", re.IGNORECASE)
_CAMEL = re.compile(r"(?<=[a-z])(?=[A-Z])")
_OTHER = re.compile(r"[^a-z0-9]+")


@dataclass(frozen=True, slots=True)
class Named:
    """What a text names; ``None`` for what it does not."""

    model: str | None
    meter: str | None
    tier: str | None


def named_in(text: str) -> Named:
    """Return the model, the meter and the tier that *text* names.

    Worked example: ``priority | gpt-5.6-sol, cached input`` names ``gpt-5.6-sol``, ``cache_read_tokens``, ``priority``.
    """
    model = _model_in(text)
    rest = text.replace(model, " ", 1) if model else text
    return Named(model, meter_in(rest), tier_in(rest))


def meter_in(text: str) -> str | None:
    """Return the meter that *text*, without a model's name, is about."""
    if text.strip() in _METER_NAMES:
        return text.strip()
    plain = _plain(text)
    return next((meter for pattern, meter in _METER_PATTERNS if re.search(pattern, plain)), None)


def tier_in(text: str) -> str | None:
    """Return the tier that *text*, without a model's name, is about."""
    return next((TIERS[word] for word in _plain(text).split() if word in TIERS), None)


def _plain(text: str) -> str:
    return _OTHER.sub(" ", _CAMEL.sub(" ", text).lower()).strip()


def _model_in(text: str) -> str | None:
    """Return the part of *text* that is a model's name: the last of its segments between slashes that has one."""
    found = (_stripped(segment) for segment in reversed(text.split("/")) if not _RANGE.fullmatch(segment.strip()))
    return next((name for name in found if re.search(r"\d", name) and re.search("[A-Za-z]", name)), None)


def _stripped(segment: str) -> str:
    words = [*_WORD.finditer(segment)]
    while words and _ends(words[-1], first=len(words) == 1):
        words.pop()
    while words and _begins(words[0]["word"]):
        words.pop(0)
    return segment[words[0].start("word") : words[-1].end()] if words else ""


def _ends(match: re.Match[str], *, first: bool) -> bool:
    words = _CAMEL.sub(" ", match["word"]).lower().split()
    loose = first or match["joint"] != "-"
    return all(_ENDING.fullmatch(word) or (loose and _LOOSE_ENDING.fullmatch(word)) for word in words)


def _begins(word: str) -> bool:
    return bool(_ENDING.fullmatch(word.lower()) or word.lower() in TIERS or _PLACE.fullmatch(word))


_VARIANT = re.compile(r"(@?-?\d{4}-?\d{2}-?\d{2}|[ -]\d{4}|-00\d|-v\d+|-v\d+:\d+|-latest|(?<=\d)-0)$")


def stem(model: str) -> str:
    """Return what the names of one model have in common: its letters and digits, without whose it is and its date.

    ``gpt-4o``, ``gpt-4o-2024-08-06``, ``gpt 4o 0806`` and ``openai/gpt-4o`` have one stem, and so have
    ``Claude Haiku 4.5``, ``claude-haiku-4-5-20251001`` and ``us.anthropic.claude-haiku-4-5-20251001-v1:0``.
    """
    name = re.sub(r"^([a-z-]+\.)+(?=[a-z])", "", model.strip().lower().rpartition("/")[2])
    while (shorter := _VARIANT.sub("", name)) != name:
        name = shorter
    return _OTHER.sub("", name)


def aliases(invoiced: Collection[str], booked: Collection[str]) -> dict[str, str]:
    """Return the name that each model of one provider is compared under, for the names on both sides.

    Names that both sides know stay as they are. Where each side has a name of one stem that the other has not, they are
    an alias and a dated name of one model, which has the invoice's name; of several on the invoice, the shortest.
    """
    names = {name: name for name in (*invoiced, *booked)}
    for members in _by_stem(names):
        theirs, ours = members & {*invoiced}, members & {*booked}
        if theirs - ours and ours - theirs:
            common = theirs if len(theirs) == 1 else members
            names |= dict.fromkeys(members, min(common, key=lambda name: (len(name), name)))
    return names


def _by_stem(names: Collection[str]) -> Iterator[set[str]]:
    stems: dict[str, set[str]] = {}
    for name in names:
        stems.setdefault(stem(name), set()).add(name)
    yield from stems.values()
