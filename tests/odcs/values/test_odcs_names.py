"""Names of products, domains and tables are visible, unambiguous and safe in an address."""

import unicodedata

import pytest

from contractwatch.display import visible
from contractwatch.errors import MOST_PROBLEMS, ContractError
from contractwatch.odcs.load import parse_contract
from contractwatch.odcs.values.names import character_problem
from contractwatch.odcs.yaml.node import MAX_COMPARISONS

TEXT = """\
apiVersion: v3.1.0
kind: DataContract
id: "{id}"
name: "{name}"
domain: "{domain}"
version: 1.0.0
status: active
schema:
  - name: "{table}"
    properties: [{{name: "{column}", logicalType: integer}}]
"""


def problems(**names: str) -> list[str]:
    given = {"id": "x", "name": "orders", "domain": "shop", "table": "t", "column": "a"} | names
    try:
        parse_contract(TEXT.format(**given).encode(), "c.yaml")
    except ContractError as error:
        return [str(problem) for problem in error.problems]
    return []


HIDDEN = [
    (r"ord\u202eers", "\\u202e (turns the direction of the text)"),
    (r"ord\u2066ers", "\\u2066 (turns the direction of the text)"),
    (r"ord\u200bers", "\\u200b (a format character)"),
    (r"ord\ufeffers", "\\ufeff (a format character)"),
    (r"ord\u200ders", "\\u200d (a format character)"),
    (r"ord\u00aders", "\\xad (a format character)"),
    (r"ord\x1b[31mers", "\\x1b (a control character)"),
    (r"ord\x9bers", "\\x9b (a control character)"),
    (r"ord\ners", "\\x0a (a control character)"),
    (r"ord\ters", "\\x09 (a control character)"),
    (r"ord\u00a0ers", "\\xa0 (a blank that is no ordinary space)"),
    (r"ord\u3000ers", "\\u3000 (a blank that is no ordinary space)"),
    (r"ord\u2028ers", "\\u2028 (a line break)"),
    (r"ord\u3164ers", "\\u3164 (leaves no mark)"),
    (r"ord\u2800ers", "\\u2800 (leaves no mark)"),
    (r"ord\ufe0fers", "\\ufe0f (leaves no mark)"),
    (r"ord\u034fers", "\\u034f (leaves no mark)"),
    (r"ord\U000E0041ers", "\\U000e0041 (a format character)"),
    (r"ord\U000E0100ers", "\\U000e0100 (leaves no mark)"),
    (r"ord\ue000ers", "\\ue000 (a character without a meaning)"),
]


@pytest.mark.parametrize("what", ["name", "domain", "table"])
@pytest.mark.parametrize(("written", "told"), HIDDEN)
def test_a_name_with_a_character_that_is_not_seen_is_refused_and_the_character_is_reported(
    what: str, written: str, told: str
) -> None:
    found = [line for line in problems(**{what: written}) if "cannot be used" in line]

    assert len(found) == 1
    assert told in found[0]
    assert found[0].isprintable()
    assert not set(found[0]) & set("\u3164\u2800\ufe0f\u034f\U000e0100")


@pytest.mark.parametrize(
    ("what", "written", "told"),
    [
        ("name", "orders/gate", "write what is before it into 'domain'"),
        ("name", "a/b", "write what is before it into 'domain'"),
        ("name", "/", "write what is before it into 'domain'"),
        ("name", ".", "a folder in an address"),
        ("name", "..", "a folder in an address"),
        ("name", "gate", "the end of an address"),
        ("name", "Trust", "the end of an address"),
        ("name", r"o\u0308rders", "composed form"),
        ("name", r"\u0301orders", "begins with the mark \\u0301"),
        ("name", r"\u212b", "composed form"),
        ("domain", "..", "a folder in an address"),
        ("domain", "shop/..", "a folder in an address"),
        ("domain", "./shop", "a folder in an address"),
        ("domain", "/shop", "a part of it is empty"),
        ("domain", "shop/", "a part of it is empty"),
        ("domain", "shop//eu", "a part of it is empty"),
        ("domain", "shop / eu", "a blank is next to"),
        ("table", "..", "a folder"),
    ],
)
def test_a_name_that_reads_as_something_else_is_refused(what: str, written: str, told: str) -> None:
    (found,) = problems(**{what: written})

    assert told in found


@pytest.mark.parametrize(
    "names",
    [
        {"name": "Bestellungen für Köln"},
        {"name": "注文", "domain": "販売"},
        {"name": "заказы.v2"},
        {"name": "orders...", "domain": "sales/eu-west/1"},
        {"name": "a.b", "table": "dbo.orders"},
        {"name": "50% & more? #1"},
        {"name": "हिन्दी"},
        {"domain": "gate"},
        {"column": r"id\u200b"},
    ],
)
def test_names_of_any_language_are_fine_and_columns_are_called_as_in_the_data(
    names: dict[str, str],
) -> None:
    assert problems(**names) == []


def test_an_id_that_stands_for_a_name_follows_the_rule_of_names() -> None:
    text = TEXT.format(id="a/b", name="", domain="d", table="t", column="c")

    with pytest.raises(ContractError) as refused:
        parse_contract(text.encode(), "c.yaml")

    assert any("name 'a/b' cannot be used" in str(one) for one in refused.value.problems)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain", "plain"),
        ("a\x1b[2Jb", "a\\x1b[2Jb"),
        ("a\rb\x07", "a\\x0db\\x07"),
        ("two\nlines", "two\nlines"),
        ("\u202egnp.exe", "\\u202egnp.exe"),
        ("\U000e0041", "\\U000e0041"),
        ("\ud800", "\\ud800"),
        ("für 中文", "für 中文"),
    ],
)
def test_what_is_not_seen_is_shown_as_an_escape(text: str, shown: str) -> None:
    assert visible(text) == shown


def test_suggestions_for_one_document_cost_a_bounded_number_of_comparisons(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    compared = 0

    def close_matches(_word: str, known: object, **_: object) -> list[str]:
        nonlocal compared
        compared += len(list(known))  # type: ignore[call-overload]
        return []

    monkeypatch.setattr("difflib.get_close_matches", close_matches)
    rules = "".join(
        f"    - {{id: r{i}, metric: duplicateValues, mustBe: 0,"
        f" arguments: {{properties: [x{i}]}}}}\n"
        for i in range(300)
    )
    columns = "".join(f"    - {{name: column_{i}}}\n" for i in range(300))
    text = TEXT.format(id="x", name="n", domain="d", table="t", column="c")
    text += f"  - name: wide\n    quality:\n{rules}    properties:\n{columns}"
    with pytest.raises(ContractError) as problems_of:
        parse_contract(text.encode(), "c.yaml")

    assert len(problems_of.value.problems) == MOST_PROBLEMS + 1
    assert 0 < compared <= MAX_COMPARISONS


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("x" * 201, "it has 201 characters; expected 200 at most"),
        ("x" + "\u0323\u0301" * 500_000, "it has 1,000,001 characters"),
        ("x" + "\u0338" * 20, "one letter has more than"),
        ("\u05e9" + "\u05c1\u05bc\u05b8\u05bd\u0591" * 2, "one letter has more than"),
    ],
)
def test_a_name_that_cannot_be_read_is_refused_in_no_time(name: str, said: str) -> None:
    assert said in character_problem(name)


@pytest.mark.parametrize(
    "name", ["x" * 200, "\u05e9\u05c1\u05bc\u05b8", "\u0e17\u0e35\u0e48", "e\u0338\u0323"]
)
def test_a_name_of_a_living_script_keeps_its_marks(name: str) -> None:
    assert character_problem(unicodedata.normalize("NFC", name)) == ""
