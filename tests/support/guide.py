"""The samples of the users' guide, as its page in the documentation has them."""

import re
from pathlib import Path

PAGE = Path(__file__).parents[2] / "docs" / "outcomes.md"


def samples(language):
    """Every fenced sample of *language*, by the heading it stands under; several are numbered from 0."""
    found = {}
    heading = ""
    for match in re.finditer(
        r"^#+ (?P<heading>[^\n]+)$|^```(?P<language>\w+)\n(?P<code>.*?)^```$",
        PAGE.read_text(),
        re.MULTILINE | re.DOTALL,
    ):
        if match["heading"]:
            heading = match["heading"].replace("`", "")
        elif match["language"] == language:
            found.setdefault(heading, []).append(match["code"])
    return {
        f"{name} {number}" if len(codes) > 1 else name: code
        for name, codes in found.items()
        for number, code in enumerate(codes)
    }


PYTHON = samples("python")
SQL = samples("sql")
