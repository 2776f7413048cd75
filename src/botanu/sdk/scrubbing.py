"""Secrets and personal data out of texts, before they leave the program.

Each is known by its form: a key by its prefix, a password by the name before it, a card number by its check digit. A
password in the middle of a sentence has no form, and stays. So this is the net, not the rule: the rule is that prompts
and arguments stay in the program unless ``capture_content`` asks for them.
"""

import itertools
import re
from binascii import a2b_base64
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache, lru_cache
from string import ascii_uppercase

REMEMBERED_MAX = 512
"""How many names, or combinations of names, are remembered as looked at."""

REDACTED = "[redacted secret]"
"""What stands for a secret that only the name before it shows."""

PASSES_MAX = 4
"""How often a text is searched, as a mark can bring to light what the secret hid; one still not clean is left out."""


@dataclass(frozen=True, slots=True)
class _Form:
    """How something that must not leave looks: what stands *before* and *after* it stays.

    The expressions take one step per character: a run of characters is entered at its start alone, and not given back.
    Where a form is more than an expression can tell, *length* says how many characters of a match are it; none, if 0.
    """

    kind: str
    text: str
    before: str = ""
    after: str = ""
    length: Callable[[str], int] = len


def _credentials_length(text: str) -> int:
    """Return the length of *text* where it is what HTTP's Basic scheme carries: name, colon and password, in base64."""
    try:
        return len(text) if ":" in a2b_base64(text, strict_mode=True).decode() else 0
    except ValueError:
        return 0


def _card_length(text: str) -> int:
    """Return the length of *text* where its last digit is the one that ISO/IEC 7812-1 computes from the others."""
    digits = [int(digit) for digit in reversed(text) if digit.isdecimal()]
    doubled = [digit * 2 - 9 * (digit > 4) for digit in digits[1::2]]  # noqa: PLR2004 - the sum of the digits of the double
    return 0 if (sum(digits[::2]) + sum(doubled)) % 10 else len(text)


_IBAN_LENGTH_MIN = 15
_LETTERS = {ord(letter): str(number) for number, letter in enumerate(ascii_uppercase, 10)}


def _iban_length(text: str) -> int:
    """Return the length of the account number that *text* begins with; words may follow it."""
    ends = [place for place, character in enumerate(text) if character == " "]
    for end in (len(text), *reversed(ends)):
        number = text[:end].replace(" ", "")
        if len(number) >= _IBAN_LENGTH_MIN and int((number[4:] + number[:4]).translate(_LETTERS)) % 97 == 1:
            return end
    return 0


_WORD_END = "(?![A-Za-z0-9])"

_SIGN = r"""\\{0,4}+["']?+\s{0,4}+(?>=>|:=|={1,3}|:)\s{0,4}+\\{0,4}+["']?+(?i:(?:bearer|basic|token)\s{1,4}+)?+"""
"""Between the name of a secret and the secret: quotes, a sign, the name of a scheme."""

_VALUE = r"""(?:(?<=\\")[^"\\\n]++|(?<=")(?:[^"\\\n]|\\.)++|(?<=')(?:[^'\\\n]|\\.)++|[^\s"'&]++)"""
"""A secret with a name before it: as far as the quotes go, or the next space."""

_ORDINARY = (
    r"(?!\[redacted |(?i:and|empty|expired|false|incorrect|invalid|is|mismatch|missing|must|none|not|null|or|rejected"
    r"|required|revoked|too|true|undefined|unknown|was|wrong)\b)"
)
"""What follows the name of a secret and is none: our own mark, and the words that messages go on with."""


def _after(*names: str) -> str:
    """Return an expression for a place right after one of *names*, with a space, a sign or nothing between words."""
    spelled = itertools.chain.from_iterable((name.replace(" ", "[ _-]"), name.replace(" ", "")) for name in names)
    return f"(?i:{'|'.join(f'(?<={name})' for name in dict.fromkeys(spelled))})"


_PASSWORDS = _after("password", "passwd", "passphrase", "pwd", "secret", "secret key", "private key")
_KEYS = _after("api key", "access key", "token", "authorization")

_API_KEYS = (
    r"sk-(?:(?=[\w-]{0,40}?\d)[\w-]{16,}+|[\w-]{40,}+)",  # OpenAI, Anthropic, OpenRouter, DeepSeek, Langfuse
    r"AIza[\w-]{30,}+",  # Google
    r"(?:AKIA|ASIA)[A-Z0-9]{16}(?![A-Za-z0-9])",  # AWS
    r"gh[opsur]_[A-Za-z0-9]{20,}+",  # GitHub
    r"github_pat_\w{20,}+",
    r"glpat-[\w-]{16,}+",  # GitLab
    r"xox[a-z]-[\w-]{10,}+",  # Slack
    r"[rs]k_(?:live|test)_\w{10,}+",  # Stripe
    r"(?:gsk|hf|npm|r8)_[A-Za-z0-9]{20,}+",  # Groq, Hugging Face, npm, Replicate
    r"(?:pplx|xai)-[A-Za-z0-9]{20,}+",  # Perplexity, xAI
)

_ANYWHERE = (
    _Form(
        "a private key",
        r"-----BEGIN [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----(?s:.*?)(?:-----END [A-Z0-9 ]{0,50}-----|\Z)",
    ),
    _Form("a credential", r"""[^\s/?#"<>]+""", before="://", after="(?=@)"),
)

_AFTER_A_NAME = (
    _Form("a secret", f"{_ORDINARY}{_VALUE}", before=f"{_PASSWORDS}{_SIGN}"),
    _Form("a secret", rf"{_ORDINARY}(?!\d+\b){_VALUE}", before=rf"""{_KEYS}\\{{0,4}}+["']?+=["']?+"""),
    _Form(
        "a secret",
        rf"""{_ORDINARY}(?:(?<=["'])|(?=\S{{0,40}}?\d)(?=\S{{0,40}}?[A-Za-z])(?=\S{{6}})|(?=\S{{24}})){_VALUE}""",
        before=f"{_KEYS}{_SIGN}",
    ),
)

_AT_A_WORD = (
    _Form(
        "an e-mail address",
        r"[\w.%+-]++(?:'[\w.%+-]++)?@(?:[\w-]{1,63}+\.){1,8}[^\W\d_]{2,}+[\w-]*+",
        before=r"(?<![\w.%+-])",
    ),
    _Form(
        "a credential",
        r"(?=[\w.~+/-]{0,100}?\d|[\w.~+/-]{24})[\w.~+/-]{8,}+=*+",
        before=r"(?i:bearer)\s{1,4}",
    ),
    _Form("a credential", r"[A-Za-z0-9+/]{8,}+=*+", before=r"(?i:basic)\s{1,4}", length=_credentials_length),
    _Form("a JSON web token", r"eyJ[\w-]{8,}+(?:\.[\w-]*+){1,4}", before=r"(?<![\w-])"),
    _Form("an API key", "|".join(_API_KEYS)),
    _Form(
        "a card number",
        r"[2-6]\d{3}(?:\d{9,15}|(?P<gap>[ -])(?:\d{4}(?P=gap)\d{4}(?P=gap)\d{4}|\d{6}(?P=gap)\d{4,5}))",
        before=r"(?<!\d\.)",
        after=rf"{_WORD_END}(?!\.\d)",
        length=_card_length,
    ),
    _Form(
        "an IBAN",
        "[A-Z]{2}[0-9]{2}(?: ?[A-Z0-9]{4}){2,7}(?: ?[A-Z0-9]{1,3})?",
        after=_WORD_END,
        length=_iban_length,
    ),
)

_FORMS = (*_ANYWHERE, *_AFTER_A_NAME, *_AT_A_WORD)

_PLACES = (
    ("", _ANYWHERE),
    (r"[DEHNTYdehnty](?=[\\\"'\s:=])", _AFTER_A_NAME),
    ("(?<![A-Za-z0-9])", _AT_A_WORD),
)
"""Where forms are looked for: few places in a text need a closer look than one at a character or two."""


@cache
def _any_form() -> re.Pattern[str]:
    """Return one expression for all forms, each a group with its number; made on first use, as that takes a while."""
    number = itertools.count()
    places = [
        prefix
        + "(?:"
        + "|".join(f"{form.before}(?P<form{next(number)}>{form.text}){form.after}" for form in forms)
        + ")"
        for prefix, forms in _PLACES
    ]
    return re.compile("|".join(places))


def scrub_text(text: str) -> str:
    """Return *text* with each secret and each piece of personal data replaced by ``[redacted <kind>]``.

    Takes time in proportion to the length. What has been scrubbed stays as it is when scrubbed again.
    """
    return scrubbed(text)[0]


def scrubbed(text: str) -> tuple[str, tuple[str, ...]]:
    """Return *text* scrubbed, and the kinds of what was found: ``an e-mail address``, ``an API key``."""
    kinds: dict[str, None] = {}
    for _ in range(PASSES_MAX):
        before, text = text, _without_forms(text, kinds)
        if text == before:
            return text, tuple(kinds)
    return _mark("a text"), tuple(kinds)


def scrubbed_start(text: str, length_max: int) -> tuple[str, tuple[str, ...], bool]:
    """Return at most *length_max* characters of *text* scrubbed, the kinds, and whether there was more."""
    window = text[: 2 * length_max]  # so that a secret at the cut is seen whole
    cleaned, kinds = scrubbed(window)
    return cleaned[:length_max], kinds, len(window) < len(text) or len(cleaned) > length_max


def is_secret(name: str, value: object) -> bool:
    """Return whether *value*, a text or a number, is a secret because of its *name*, such as ``password``."""
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return False
    return _names_a_secret(name, '"x"' if isinstance(value, str) else "1")


@lru_cache(REMEMBERED_MAX)
def _names_a_secret(name: str, example: str) -> bool:
    assignment = f"{name}={example}"
    return scrub_text(assignment) != assignment


def _without_forms(text: str, kinds: dict[str, None]) -> str:
    """Return *text* with a mark for each form in it, and note their *kinds*."""
    search = _any_form().search
    found = search(text)
    if found is None:
        return text
    kept: list[str] = []
    done = 0
    while found is not None:
        group = found.lastgroup or ""
        form, start = _FORMS[int(group.removeprefix("form"))], found.start(group)
        length = form.length(found[group])
        if length:
            kinds[form.kind] = None
            kept += text[done:start], _mark(form.kind)
            done = start + length
        found = search(text, done if length else start + 1)
    return "".join((*kept, text[done:]))


def _mark(kind: str) -> str:
    return f"[redacted {kind.partition(' ')[2]}]"
