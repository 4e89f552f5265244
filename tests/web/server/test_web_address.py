"""Tests of hosts, path prefixes, HEAD and ETags."""

import re
import socket
from collections.abc import Callable

import httpx
import pytest

from contractwatch.settings import load_settings
from contractwatch.web.server.address import Address, address_of

ROUTES = [
    "/",
    "/incidents",
    "/products/finance/orders",
    "/badge/finance/orders.svg",
    "/static/style.css",
    "/metrics",
    "/metrics/products",
    "/healthz",
    "/readyz",
    "/openapi.json",
    "/api/v1/products",
    "/api/v1/incidents",
    "/api/v1/products/finance/orders",
    "/api/v1/products/finance/orders/trust",
    "/api/v1/products/finance/orders/gate",
    "/products/nobody",
    "/api/v1/nothing",
]
MINE = address_of(
    "https://data.example.com/watch", host="0.0.0.0", allowed_hosts=["*.corp.example"], proxies=()
)


@pytest.mark.parametrize("path", ROUTES)
def test_head_is_answered_as_get_without_a_body(client: httpx.Client, path: str) -> None:
    got, head = client.get(path), client.head(path)
    assert head.status_code == got.status_code
    assert head.content == b""
    assert head.headers["content-type"] == got.headers["content-type"]


@pytest.mark.parametrize(
    "host", ["evil", "evil.example:80", "data.example.com.evil", "6.6.6.6", "corp.example", "[::2]"]
)
@pytest.mark.parametrize("path", ["/", "/incidents/", "/api/v1/products", "/healthz"])
def test_another_host_is_refused_and_never_repeated(
    client_of: Callable[..., httpx.Client], host: str, path: str
) -> None:
    answer = client_of(address=MINE).get(path, headers={"Host": host})
    assert answer.status_code == 400
    assert "allowed_hosts" in answer.text
    assert host not in answer.text + str(answer.headers)


@pytest.mark.parametrize(
    "host",
    [
        "data.example.com",
        "DATA.example.com.",
        "data.example.com:443",
        "a.corp.example",
        "localhost:1",
        "127.0.0.1",
        "[::1]:80",
    ],
)
def test_its_own_hosts_are_answered(client_of: Callable[..., httpx.Client], host: str) -> None:
    assert client_of(address=MINE).get("/", headers={"Host": host}).status_code == 200


@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1:80@evil.example",
        "localhost:@evil.example",
        "localhost:80:90",
        "localhost:port",
        "localhost:123456",
        "localhost/evil.example",
        "localhost?evil.example",
        "localhost#evil.example",
        "localhost evil.example",
        "localhost,evil.example",
        "evil.example@localhost",
        "[::1]evil.example",
        "[::1].evil.example:80",
        "[::1",
        "[]",
        ":80",
        ".",
        "data.example.com\\.evil",
        "x/y.corp.example",
    ],
)
@pytest.mark.parametrize("address", [MINE, Address()])
def test_a_host_that_is_more_than_a_name_and_a_port_is_refused(
    client_of: Callable[..., httpx.Client], host: str, address: Address
) -> None:
    answer = client_of(address=address).get("/", headers={"Host": host})
    assert answer.status_code == 400
    assert host not in answer.text


@pytest.mark.parametrize(
    "path",
    [
        "/incidents/",
        "/products/finance/orders/",
        "//evil.example/",
        "/static/",
        "/api/v1/products/",
        "/static",
        "//evil.example//",
    ],
)
def test_nothing_is_redirected_whatever_host_is_named(client: httpx.Client, path: str) -> None:
    headers = {"Host": "evil", "X-Forwarded-Host": "evil", "Forwarded": "host=evil"}
    answer = client.get(str(client.base_url) + path, headers=headers, follow_redirects=False)
    assert answer.status_code in {200, 404}
    assert "location" not in answer.headers


def test_an_address_with_a_slash_at_its_end_is_the_same_page(client: httpx.Client) -> None:
    assert "<h1>Incidents" in client.get("/incidents/").text
    assert client.get("/api/v1/products/finance/orders/").json()["product"] == "finance/orders"


def links(text: str) -> list[str]:
    return re.findall(r'(?:href|action|src)="(/[^"]*)"', text)


@pytest.mark.parametrize(
    "path", ["/", "/incidents", "/products/finance/orders", "/products/nobody"]
)
@pytest.mark.parametrize("in_front", ["", "/watch"])
def test_every_link_carries_the_path_of_the_base_url_whether_or_not_the_proxy_takes_it_away(
    client_of: Callable[..., httpx.Client], path: str, in_front: str
) -> None:
    client = client_of(address=Address(root="/watch"))
    page = client.get(in_front + path)
    found = links(page.text)
    assert found
    assert all(link.startswith("/watch/") for link in found)
    for link in set(found):
        assert client.get(link).status_code in {200, page.status_code}
        assert client.get(link.removeprefix("/watch")).status_code == client.get(link).status_code


@pytest.mark.parametrize(
    ("proxies", "given", "root"),
    [
        (("127.0.0.0/8",), "/team/cw", "/team/cw"),
        (("127.0.0.1",), "/team/cw/", "/team/cw"),
        ((), "/team/cw", "/watch"),
        (("10.0.0.0/8",), "/team/cw", "/watch"),
        (("127.0.0.1",), "//evil.example", "/watch"),
        (("127.0.0.1",), "https://evil.example", "/watch"),
        (("127.0.0.1",), '/"><script>', "/watch"),
        (("127.0.0.1",), "/" + "a" * 300, "/watch"),
    ],
)
def test_a_prefix_is_believed_of_a_trusted_proxy_only(
    client_of: Callable[..., httpx.Client], proxies: tuple[str, ...], given: str, root: str
) -> None:
    client = client_of(address=Address(root="/watch", proxies=proxies))
    # who asks is the peer of the connection, whatever a header says
    headers = {"X-Forwarded-Prefix": given, "X-Forwarded-For": "127.0.0.1"}
    found = links(client.get("/", headers=headers).text)
    assert found
    assert all(link.startswith(f"{root}/") for link in found)


def test_an_answer_that_the_client_has_is_not_sent_again(client: httpx.Client) -> None:
    for path in ("/", "/incidents", "/api/v1/products", "/badge/finance/orders.svg"):
        first = client.get(path)
        again = client.get(path, headers={"If-None-Match": f'"x", {first.headers["etag"]}'})
        assert (again.status_code, again.content) == (304, b"")
        assert again.headers["etag"] == first.headers["etag"]
        assert client.get(path, headers={"If-None-Match": '"x"'}).status_code == 200
    assert "etag" not in client.get("/products/nobody").headers


def test_pages_are_sent_compressed_to_who_takes_it(client: httpx.Client) -> None:
    for path in ("/", "/products/finance/orders", "/api/v1/products", "/static/style.css"):
        assert client.get(path).headers["content-encoding"] == "gzip"
        plain = client.get(path, headers={"Accept-Encoding": "identity"})
        assert "content-encoding" not in plain.headers


def test_http_without_a_host_is_answered(client: httpx.Client) -> None:
    with socket.create_connection((client.base_url.host, client.base_url.port)) as raw:
        raw.sendall(b"GET /healthz HTTP/1.0\r\n\r\n")
        assert raw.recv(4096).startswith(b"HTTP/1.1 200")


def test_a_proxy_that_is_no_address_is_refused_by_the_settings(tmp_path) -> None:
    config = tmp_path / "contractwatch.toml"
    config.write_text('trusted_proxies = ["proxy.local"]')
    with pytest.raises(Exception, match="expected an address or a network"):
        load_settings(config, {})
