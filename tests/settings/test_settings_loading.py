from collections.abc import Callable
from pathlib import Path

import pytest

from contractwatch.agent.secrets import read_secret
from contractwatch.cli import main
from contractwatch.errors import ChannelError, SettingsError
from contractwatch.model.base.receiver import Receiver, ReceiverKind, SecretRef, SecretSource
from contractwatch.settings import Settings, load_settings


def toml(folder: Path, text: str) -> Path:
    file = folder / "contractwatch.toml"
    file.write_text(text)
    return file


def problems(folder: Path, text: str, **environ: str) -> tuple[str, ...]:
    with pytest.raises(SettingsError) as caught:
        load_settings(toml(folder, text), environ)
    return caught.value.problems


def test_every_setting_has_a_default(tmp_path: Path) -> None:
    settings = load_settings(toml(tmp_path, ""), {})

    assert settings.contracts == (tmp_path / "contracts",)
    assert settings.roots == (tmp_path,)
    assert settings.store_url == f"sqlite:///{tmp_path}/contractwatch.db"
    assert settings.base_url == f"http://127.0.0.1:{settings.port}"
    assert settings.default_interval_seconds == 900
    assert (settings.export_level, settings.export_max_series) == (1, 150_000)
    assert settings.receivers == ()


def test_paths_start_at_the_folder_of_the_file(tmp_path: Path) -> None:
    text = 'contracts = ["a", "/b"]\nroots = ["data"]\nstore_url = "sqlite:///record.db"'

    settings = load_settings(toml(tmp_path, text), {})

    assert settings.contracts == (tmp_path / "a", Path("/b"))
    assert settings.roots == (tmp_path / "data",)
    assert settings.store_url == f"sqlite:///{tmp_path}/record.db"


def test_the_environment_wins_over_the_file_level_by_level(tmp_path: Path) -> None:
    text = 'port = 1\n[receivers.ops]\nkind = "webhook"\nurl = "https://example.org/a"'

    settings = load_settings(
        toml(tmp_path, text),
        {
            "CONTRACTWATCH_PORT": "2",
            "CONTRACTWATCH_RECEIVERS__OPS__URL": "https://example.org/b",
            "CONTRACTWATCH_ALERTS__DEFAULT": '["ops"]',
            "OTHER_PORT": "3",
        },
    )

    assert settings.port == 2
    assert [receiver.url for receiver in settings.receivers] == ["https://example.org/b"]
    assert settings.default_receivers == ("ops",)


def test_a_receiver_is_read_whole_and_its_secrets_stay_where_they_are(tmp_path: Path) -> None:
    text = """
[receivers.chat]
kind = "slack"
url = {env = "CONTRACTWATCH_CHAT_URL"}
aliases = ["orders-chat"]
[receivers.hook]
kind = "webhook"
url = "https://example.org/hook"
keys = [{file = "new.key"}, {file = "/old.key"}]
allow_private = true
"""
    settings = load_settings(toml(tmp_path, text), {"CONTRACTWATCH_CHAT_URL": "a secret"})

    assert settings.receivers == (
        Receiver(
            name="chat",
            kind=ReceiverKind.SLACK,
            url_ref=SecretRef(SecretSource.ENVIRONMENT, "CONTRACTWATCH_CHAT_URL"),
            aliases=("orders-chat",),
        ),
        Receiver(
            name="hook",
            kind=ReceiverKind.WEBHOOK,
            url="https://example.org/hook",
            key_refs=(
                SecretRef(SecretSource.FILE, str(tmp_path / "new.key")),
                SecretRef(SecretSource.FILE, "/old.key"),
            ),
            allow_private=True,
        ),
    )
    assert "a secret" not in repr(settings)


def test_all_problems_are_said_at_once(tmp_path: Path) -> None:
    text = """
contract = ["x"]
port = "many"
[alerts]
default = ["opps"]
[receivers.ops]
kind = "log"
timeout = 3
[receivers.mail]
kind = "email"
sender = "a@example.org"
"""
    found = problems(tmp_path, text, CONTRACTWATCH_WORKERS="0", CONTRACTWATCH_PROT="1")

    assert found == (
        "CONTRACTWATCH_PROT: no setting has this name; did you mean CONTRACTWATCH_PORT?",
        "alerts.default: there is no receiver 'opps'; did you mean 'ops'?",
        "port: input should be a valid integer, unable to parse string as an integer",
        "workers: input should be greater than or equal to 1",
        "receivers.ops.timeout: no setting has this name; did you mean 'timeout_seconds'?",
        "receivers.mail: a receiver of kind email needs smtp_host, recipients",
        "contract: no setting has this name; did you mean 'contracts'?",
    )


@pytest.mark.parametrize(
    "line",
    [
        'key = "hunter2"',
        'keys = ["hunter2"]',
        'password = "hunter2"',
        'url = "https://me:hunter2@example.org/"',
    ],
)
def test_a_written_secret_is_refused_and_not_repeated(tmp_path: Path, line: str) -> None:
    text = f'[receivers.ops]\nkind = "webhook"\n{line}\n'

    found = problems(tmp_path, text)

    assert 'say where it is kept: {env = "NAME"} or {file = "path"}' in found[0]
    assert "hunter2" not in "".join(found)


def test_a_written_secret_in_the_environment_is_refused_too(tmp_path: Path) -> None:
    text = '[receivers.ops]\nkind = "webhook"\nurl = "https://example.org"'

    found = problems(tmp_path, text, CONTRACTWATCH_RECEIVERS__OPS__PASSWORD="hunter2")

    assert found[0].startswith("receivers.ops.password: a secret is never written")
    assert "hunter2" not in found[0]


def test_the_address_of_a_slack_webhook_is_a_secret(tmp_path: Path) -> None:
    text = '[receivers.chat]\nkind = "slack"\nurl = "https://hooks.example.org/T0/B0/x"'

    assert "the address of a Slack webhook is a secret" in problems(tmp_path, text)[0]


def test_a_list_that_is_not_json_in_the_environment_is_said_in_words(tmp_path: Path) -> None:
    found = problems(tmp_path, "", CONTRACTWATCH_CONTRACTS="contracts")

    assert found == (
        'one of CONTRACTWATCH_CONTRACTS: a list is written as JSON, such as ["contracts"]',
    )


def test_a_file_that_is_named_and_not_there_is_a_problem(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="there is no such file"):
        load_settings(tmp_path / "none.toml", {})


def test_a_file_that_cannot_be_read_is_told_in_words_and_not_by_a_class(tmp_path: Path) -> None:
    (tmp_path / "utf16.toml").write_bytes("port = 1".encode("utf-16"))
    with pytest.raises(SettingsError, match="cannot be read: it is no text in UTF-8"):
        load_settings(tmp_path / "utf16.toml", {})
    with pytest.raises(SettingsError, match="cannot be read: is a directory"):
        load_settings(tmp_path, {})
    with pytest.raises(ChannelError, match="cannot be read: no such file or directory"):
        read_secret(SecretRef(SecretSource.FILE, "/nowhere/at/all"))


def test_a_file_that_is_not_toml_names_the_place(tmp_path: Path) -> None:
    assert "is not TOML" in problems(tmp_path, "port = = 3")[0]
    assert "line 1" in problems(tmp_path, "port = = 3")[0]


def test_a_secret_is_read_at_the_moment_of_use(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "key"
    file.write_text(" one \n")
    in_file = SecretRef(SecretSource.FILE, str(file))
    assert read_secret(in_file) == "one"
    file.write_text("two\n")
    assert read_secret(in_file) == "two"

    monkeypatch.setenv("SOME_KEY", "three")
    assert read_secret(SecretRef(SecretSource.ENVIRONMENT, "SOME_KEY")) == "three"


@pytest.mark.parametrize(
    "ref",
    [
        SecretRef(SecretSource.ENVIRONMENT, "CONTRACTWATCH_NOT_SET_ANYWHERE"),
        SecretRef(SecretSource.FILE, "/nowhere/at/all"),
    ],
)
def test_a_secret_that_is_not_there_is_a_fault_of_the_settings(ref: SecretRef) -> None:
    with pytest.raises(ChannelError) as caught:
        read_secret(ref)

    assert (caught.value.reason, caught.value.retryable) == ("config", True)


def test_settings_whose_file_is_gone_since_the_start_are_not_read_as_an_empty_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    reloads: list[Callable[[], Settings]] = []

    def agent(settings: Settings, *, reload: Callable[[], Settings]) -> int:
        reloads.append(reload)
        return 0

    monkeypatch.setattr("contractwatch.cli.commands.run.run", agent)
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SystemExit, match="0"):
        main(["run"])
    file = tmp_path / "contractwatch.toml"
    file.write_text("[receivers.log]\nkind = 'log'\n")
    with pytest.raises(SystemExit, match="0"):
        main(["run"])
    assert [one.name for one in reloads[1]().receivers] == ["log"]
    file.unlink()

    with pytest.raises(SettingsError, match=r"contractwatch\.toml: there is no such file"):
        reloads[1]()
    assert reloads[0]().receivers == ()
