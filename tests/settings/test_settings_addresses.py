"""Tests of the validation of e-mail addresses in settings."""

from pathlib import Path

import pytest

from contractwatch.errors import SettingsError
from contractwatch.settings import Settings, load_settings

MAIL = """
[receivers.mail]
kind = "email"
smtp_host = "mail.example.com"
sender = "watch@example.com"
recipients = ["ana@example.com"]
"""


def settings(folder: Path, text: str, **environ: str) -> Settings:
    file = folder / "contractwatch.toml"
    file.write_text(text, encoding="utf-8")
    return load_settings(file, environ)


def problem(folder: Path, text: str, **environ: str) -> str:
    with pytest.raises(SettingsError) as caught:
        settings(folder, text, **environ)
    (only,) = caught.value.problems
    return only


def with_line(name: str, line: str) -> str:
    lines = [line if one.startswith(f"{name} =") else one for one in MAIL.splitlines()]
    return "\n".join(lines if line in lines else [*lines, line])


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ('["a@example.com, b@example.com"]', ["a@example.com", "b@example.com"]),
        ('["a@example.com; b@example.com;"]', ["a@example.com", "b@example.com"]),
        ('"a@example.com,b@example.com"', ["a@example.com", "b@example.com"]),
        ('["a@x.org", "A@X.org", "a@x.org"]', ["a@x.org"]),
        ('["Jörg <j@example.com>"]', ["Jörg <j@example.com>"]),
        (
            """['"Doe, Jane" <jane@example.com>, ben@example.com']""",
            ['"Doe, Jane" <jane@example.com>', "ben@example.com"],
        ),
        ('["a@bücher.example"]', ["a@xn--bcher-kva.example"]),
        ('["root@localhost", "ops@mail.corp.local"]', ["root@localhost", "ops@mail.corp.local"]),
        ('["jörg@example.com"]', ["jörg@example.com"]),
    ],
)
def test_addresses_are_taken_apart_and_read(tmp_path: Path, written: str, read: list[str]) -> None:
    found = settings(tmp_path, with_line("recipients", f"recipients = {written}"))
    assert list(found.receivers[0].recipients) == read


@pytest.mark.parametrize(
    "written",
    [
        "data-owners",
        "@example.com",
        "a@",
        "a b@example.com",
        "a@exa mple.com",
        "a@@example.com",
        "a@example..com",
        "a@-example.com",
        "Doe, Jane <jane@example.com>",
        "<a@example.com",
        "a@example.com>",
        "a@example.com b@example.com",
        "a@example.com\\r\\nBcc: evil@example.com",
        "mailto:a@example.com",
        "Name <>",
        "",
        " ",
        "=?utf-8?q?a?=@example.com",
    ],
)
def test_what_is_no_address_stops_the_start(tmp_path: Path, written: str) -> None:
    found = problem(tmp_path, with_line("recipients", f'recipients = ["{written}"]'))
    assert found.startswith("receivers.mail.recipients: ")
    assert "write name@example.org" in found


def test_one_bad_address_among_good_ones_stops_the_start(tmp_path: Path) -> None:
    line = 'recipients = ["ana@example.com", "data-owners", "ben@example.com"]'
    assert "'data-owners'" in problem(tmp_path, with_line("recipients", line))


@pytest.mark.parametrize(
    "line",
    [
        'sender = "nobody"',
        'sender = "a@example.com, b@example.com"',
        'smtp_host = "mail.example.com:587"',
        'smtp_host = "smtp://mail.example.com"',
        'smtp_host = "mail example.com"',
        'username = "watch"',
        'password = {env = "PASSWORD"}',
        "recipients = []",
        "recipients = [5]",
        "recipients = 5",
        "most_per_minute = -1",
        "most_per_minute = nan",
    ],
)
def test_a_setting_with_which_no_mail_could_be_sent_stops_the_start(
    tmp_path: Path, line: str
) -> None:
    found = problem(tmp_path, with_line(line.partition(" =")[0], line))
    assert found.startswith("receivers.mail")


def test_a_password_without_tls_stops_the_start(tmp_path: Path) -> None:
    login = 'username = "watch"\npassword = {env = "PASSWORD"}\nsmtp_starttls = false\n'
    assert "without TLS" in problem(tmp_path, MAIL + login)
    assert settings(tmp_path, f"{MAIL}{login}allow_private = true").receivers
    assert settings(tmp_path, f"{MAIL}{login}smtp_port = 465").receivers


@pytest.mark.parametrize(
    "url", ["hooks.example.com/x", "ftp://example.com", "https://", "http://a b/", "https://x:0/"]
)
def test_a_url_that_is_none_stops_the_start(tmp_path: Path, url: str) -> None:
    text = f'[receivers.hook]\nkind = "webhook"\nurl = "{url}"'
    assert "write a whole address" in problem(tmp_path, text)


def test_addresses_of_the_environment_are_checked_too(tmp_path: Path) -> None:
    name = "CONTRACTWATCH_RECEIVERS__MAIL__RECIPIENTS"
    found = settings(tmp_path, MAIL, **{name: '["a@x.org, b@x.org"]'})
    assert found.receivers[0].recipients == ("a@x.org", "b@x.org")
    assert "data-owners" in problem(tmp_path, MAIL, **{name: '["data-owners"]'})
