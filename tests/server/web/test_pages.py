"""The page as HTML, without a browser."""

import html
import re
from datetime import UTC, datetime, timedelta
from html.parser import HTMLParser

import pytest
from support.otlp import body, llm, run_spans

PROTOBUF = {"content-type": "application/x-protobuf"}


class Texts(HTMLParser):
    """The texts of a page's table, row by row."""

    def __init__(self, page):
        super().__init__()
        self.rows, self._cell = [], None
        self.feed(page)

    def handle_starttag(self, tag, attributes):
        if tag == "tr":
            self.rows.append([])
        elif tag in ("td", "th"):
            self._cell = ""

    def handle_endtag(self, tag):
        if tag in ("td", "th"):
            self.rows[-1].append(self._cell.strip())
            self._cell = None

    def handle_data(self, data):
        if self._cell is not None:
            self._cell += data


def send(server, *spans):
    assert server.post("/v1/traces", content=body(*spans), headers=PROTOBUF).status_code == 200


def test_the_overview_shows_the_report(server):
    send(server, *run_spans(run_id="r-1", status="success", calls=[llm(input=1000)]))
    send(server, *run_spans(run_id="r-2", event_id="e-2", status="failed", calls=[llm("private", "in-house", input=1)]))

    page = server.get("/").text

    assert Texts(page).rows == [
        [
            "workflow",
            "events",
            "runs",
            "successes",
            "success rate",
            "cost",
            "cost per run",
            "cost per outcome",
            "value",
            "ROI",
        ],
        ["work", "2", "2", "1", "50.0%", "$0.0025", "$0.0025", "$0.0025", "–", "–"],
        ["all", "2", "2", "1", "50.0%", "$0.0025", "$0.0025", "$0.0025", "–", "–"],
    ]
    assert "(1 without a price, not in the cost)" in page


def test_an_empty_store_says_what_to_do_next(empty_server):
    page = empty_server.get("/").text

    assert "pip install botanu" in page
    assert f"BOTANU_ENDPOINT={str(empty_server.base_url).rstrip('/')}" in page


def test_an_empty_window_names_the_latest_run_and_leads_to_it(server):
    long_ago = datetime.now(UTC) - timedelta(days=40)
    send(server, *run_spans(run_id="r-1", start=int(long_ago.timestamp() * 1e9), status="success"))

    page = server.get("/").text

    assert "No runs in the last 28 days" in page
    assert f"The latest run started {long_ago:%Y-%m-%d %H:%M} UTC" in page
    assert '<a href="/?window=91d">show 91 days</a>' in page
    assert "pip install" not in page


def test_the_page_says_which_runs_and_what_gives_them_a_value(server):
    now = datetime.now(UTC)
    send(server, *run_spans(run_id="r-1", status="success", value_type="orders", value_amount=1))

    page = server.get("/?window=7d").text
    assert f"Runs that started from {now - timedelta(days=7):%Y-%m-%d}" in page
    assert "No value is set for orders: &#39;botanu values set orders AMOUNT&#39; gives value and ROI." in page

    server.post("/v1/values", json={"value_type": "orders", "amount": 2})
    assert "No value is set" not in server.get("/?window=7d").text


def test_the_code_to_copy_is_code(empty_server):
    (block,) = re.findall(r"<pre><code>(.*?)</code></pre>", empty_server.get("/").text, re.DOTALL)
    exec(html.unescape(block), {})


def test_a_window_that_is_none_is_named_and_the_page_is_shown(empty_server):
    response = empty_server.get("/?window=<script>alert(1)</script>")

    assert response.status_code == 200
    assert "&lt;script&gt;" in response.text
    assert "<script>alert" not in response.text


def test_hostile_names_are_text(server):
    send(server, *run_spans(run_id="r-1", workflow='"><img src=x onerror=alert(1)>', status="success"))

    page = server.get("/").text

    assert "<img" not in page
    assert '"><img src=x onerror=alert(1)>' in [row[0] for row in Texts(page).rows]


@pytest.mark.parametrize("path", ["/", "/?window=all"])
def test_every_page_carries_the_policy_and_nothing_inline(empty_server, path):
    response = empty_server.get(path)

    assert response.headers["content-security-policy"].startswith("default-src 'none'")
    assert response.headers["x-content-type-options"] == "nosniff"
    assert not re.search(r"<script|<style|\sstyle=|\son\w+=|https?://(?!127\.0\.0\.1)", response.text)


def test_what_the_page_refers_to_is_there(empty_server):
    page = empty_server.get("/").text
    for path in re.findall(r'(?:href|src)="(/static/[^"]+)"', page):
        assert empty_server.get(path).status_code == 200, path
    assert empty_server.get("/static/../settings.py").status_code == 404
    assert empty_server.get("/static/..%2f..%2fsettings.py").status_code == 404
