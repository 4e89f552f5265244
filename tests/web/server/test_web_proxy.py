"""Tests of links behind a real reverse proxy, with and without a path prefix."""

import re
import subprocess
import time
from collections.abc import Callable, Iterator
from html import unescape
from pathlib import Path
from urllib.parse import urljoin, urlsplit

import httpx
import pytest

from contractwatch.demo.agent_process import free_port
from contractwatch.web.server.address import Address
from tests.programs import needs

CONFIG = """\
daemon off; pid {folder}/pid; error_log {folder}/errors; worker_processes 1; events {{}}
http {{
  access_log off;
  client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy;
  fastcgi_temp_path {folder}/f; uwsgi_temp_path {folder}/u; scgi_temp_path {folder}/s;
  server {{
    listen 127.0.0.1:{port};
    location /data/cw/ {{
      proxy_pass {agent}{end}; proxy_set_header Host $http_host;
    }}
  }}
}}
"""


@pytest.fixture
def proxy_of(tmp_path: Path) -> Iterator[Callable[[str, str], str]]:
    """Start nginx before an agent; return the address of its first page."""
    started: list[subprocess.Popen[bytes]] = []

    def start(agent: str, end: str) -> str:
        port = free_port()
        file = tmp_path / "nginx.conf"
        file.write_text(CONFIG.format(folder=tmp_path, port=port, agent=agent, end=end))
        words = [needs("nginx"), "-p", str(tmp_path), "-e", str(tmp_path / "errors")]
        started.append(subprocess.Popen([*words, "-c", str(file)]))
        return f"http://127.0.0.1:{port}/data/cw/"

    yield start
    for one in started:
        one.terminate()
        one.wait(timeout=10)


def _first(client: httpx.Client, url: str) -> httpx.Response:
    end = time.monotonic() + 20
    while True:
        try:
            return client.get(url)
        except httpx.ConnectError:
            if time.monotonic() > end:
                raise
            time.sleep(0.05)


@pytest.mark.slow
@pytest.mark.parametrize("end", ["/", ""], ids=["taken away", "left"])
def test_every_link_behind_nginx_is_followed(
    end: str,
    client_of: Callable[..., httpx.Client],
    proxy_of: Callable[[str, str], str],
) -> None:
    agent = str(client_of(address=Address(root="/data/cw")).base_url).rstrip("/")
    home = proxy_of(agent, end)
    todo, seen, dead = [home], set[str](), list[str]()

    with httpx.Client(trust_env=False, verify=False) as client:
        _first(client, home)
        while todo:
            url = todo.pop()
            if url in seen:
                continue
            seen.add(url)
            page = client.get(url)
            if page.status_code != 200 or not urlsplit(url).path.startswith("/data/cw/"):
                dead.append(f"{url}: {page.status_code}")
            if "html" in page.headers["content-type"]:
                found = re.findall(r'(?:href|src|action)="([^"]+)"', page.text)
                todo += [urljoin(url, unescape(link)).split("#")[0] for link in found]

    assert dead == []
    assert len(seen) > 15
