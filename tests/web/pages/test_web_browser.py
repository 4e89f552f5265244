"""Tests of the pages in a real browser: console errors, and overflow on a phone."""

import json
import re
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

from tests.programs import needs

FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-dev-shm-usage",
    "--hide-scrollbars",
    "--enable-logging=stderr",
    "--virtual-time-budget=4000",
)
PAGES = ("/", "/products/finance/orders", "/incidents")


MEASURE = """<script>
const hidden = '.sr, .defs, thead, title';
const over = [...document.querySelectorAll('body *')].filter(one =>
  one.getBoundingClientRect().right > innerWidth + 1 && !one.closest(hidden));
const told = [innerWidth, document.documentElement.scrollWidth,
  over.slice(0, 5).map(one => one.outerHTML.slice(0, 80))];
parent.postMessage(JSON.stringify(told), '*');
</script>"""
FRAME = """<iframe src="page.html" width="390" height="844" frameborder="0"></iframe><script>
addEventListener('message', event => {
  document.body.textContent = 'MEASURED' + event.data + 'END';
});
</script>"""


def browse(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [needs("chromium"), *FLAGS, f"--user-data-dir={folder / 'profile'}", *words],
        capture_output=True,
        text=True,
        timeout=90,
        check=False,
    )


@pytest.mark.slow
@pytest.mark.parametrize("path", PAGES)
def test_a_page_loads_in_a_browser_without_a_complaint(
    path: str, client: httpx.Client, tmp_path: Path
) -> None:
    loaded = browse(tmp_path, "--dump-dom", f"{str(client.base_url).rstrip('/')}{path}")
    assert loaded.returncode == 0
    assert "finance/orders" in loaded.stdout
    assert [line for line in loaded.stderr.splitlines() if "CONSOLE" in line] == []


@pytest.mark.slow
@pytest.mark.parametrize("path", PAGES)
def test_nothing_runs_over_the_edge_of_a_phone(
    path: str, client: httpx.Client, tmp_path: Path
) -> None:
    """The page is shown in a frame of 390 px, with a script that measures; our own allow none."""
    page = client.get(path).text
    style = client.get("/static/style.css").text
    page = re.sub(r"<link [^>]*>", "", page)
    page = page.replace("</head>", f"<style>{style}</style></head>")
    (tmp_path / "page.html").write_text(page.replace("</body>", f"{MEASURE}</body>"))
    frame = tmp_path / "frame.html"
    frame.write_text(FRAME)
    loaded = browse(tmp_path, "--dump-dom", frame.as_uri())
    found = re.search(r"MEASURED(.*)END", loaded.stdout, re.S)
    assert found is not None, loaded.stdout[:500]
    assert json.loads(found[1].replace("&lt;", "<").replace("&gt;", ">")) == [390, 390, []]


def test_a_missing_program_fails_only_where_all_are_required(tmp_path: Path) -> None:
    asking = tmp_path / "test_asking.py"
    asking.write_text(
        "from tests.programs import needs\n\n\ndef test_it():\n    needs('no-such-program')\n"
    )
    command = [sys.executable, "-m", "pytest", "-n0", "-q", "-p", "no:cacheprovider", asking]
    said = {
        require: subprocess.run(
            command,
            cwd=Path(__file__).parents[3],
            env={"PATH": "/usr/bin:/bin", "CONTRACTWATCH_TEST_REQUIRE": require},
            capture_output=True,
            text=True,
            check=False,
        ).stdout
        for require in ("", "all")
    }
    assert "1 skipped" in said[""]
    assert "1 failed" in said["all"]
