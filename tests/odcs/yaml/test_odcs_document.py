"""YAML keeps its lines, and the traps of YAML 1.1 are closed."""

import pytest

from contractwatch.errors import ContractError
from contractwatch.odcs.yaml.document import MAX_BYTES, has_comments, load_yaml


@pytest.mark.parametrize(
    ("written", "value"),
    [
        ("2022-10-03", "2022-10-03"),
        ("2022-05-12T09:30:10-08:00", "2022-05-12T09:30:10-08:00"),
        ("10:00", "10:00"),
        ("NO", "NO"),
        ("yes", "yes"),
        ("on", "on"),
        ("True", True),
        ("false", False),
        ("~", None),
        ("", None),
        ("12", 12),
        ("-0x1F", "-0x1F"),
        ("0x1F", 31),
        ("0o17", 15),
        ("017", 17),
        ("1_000", "1_000"),
        ("1e3", 1000.0),
        (".5", 0.5),
        ("1.0", 1.0),
        ("1.0.0", "1.0.0"),
        ("'12'", "12"),
        ("!!str 12", "12"),
        ("!!float 1.5", 1.5),
        ("=", "="),
        ("-.inf", float("-inf")),
    ],
)
def test_a_plain_scalar_means_what_yaml_1_2_says(written: str, value: object) -> None:
    assert load_yaml(f"key: {written}\n", "f").data["key"] == value


def test_doubtful_numbers_are_noted() -> None:
    notes = load_yaml("a: 017\nb: 1_000\nc: '1_000'\n", "f").notes
    assert [(note.line, note.path) for note in notes] == [(1, "a"), (2, "b")]


def test_every_place_knows_its_line() -> None:
    document = load_yaml("a:\n  - b: 1\n    c: {d: 2,\n      e: 3}\n  - x\n", "f")
    assert dict(document.lines) == {
        "a": 1,
        "a[0]": 2,
        "a[0].b": 2,
        "a[0].c": 3,
        "a[0].c.d": 3,
        "a[0].c.e": 4,
        "a[1]": 5,
    }
    assert document.line_of("a[0].c.nothing") == 3
    assert document.line_of("") == 1


def test_places_below_an_alias_have_the_line_of_the_alias() -> None:
    document = load_yaml("a: &x\n  b: 1\nc: *x\n", "f")
    assert document.data["c"] == {"b": 1}
    assert document.lines["c.b"] == 3


def test_merge_keys_fill_in_what_is_not_written() -> None:
    document = load_yaml("a: &x {b: 1, c: 2}\nd:\n  <<: *x\n  c: 3\n", "f")
    assert document.data["d"] == {"b": 1, "c": 3}
    assert document.lines["d.b"] == 3


def test_all_wrong_keys_are_reported_at_once() -> None:
    with pytest.raises(ContractError) as wrong:
        load_yaml("a: 1\na: 2\n3: x\nb: {c: 1, c: 2}\n", "f.yaml")
    assert [problem.line for problem in wrong.value.problems] == [2, 3, 4]


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"", "the file is empty"),
        (b"\xff\xfea\x00", "not UTF-8"),
        (b"a: 1\nb: \xe9\n", "f.yaml:2: the text is not UTF-8"),
        (b"a: 1\n\x07", "f.yaml:2: control character U+0007"),
        (b"- a\n", "not a mapping"),
        (b"a: 1\n---\nb: 2\n", "second document"),
        (b"a: [\n", "not valid YAML"),
        (b"a: !!python/name:os.system\n", "tag !!python/name:os.system is not allowed"),
        (b"a: !mine {b: 1}\n", "tag !mine is not allowed"),
        (b"a: !!int x\n", "tag !!int is not allowed"),
        (b"? [a]\n: 1\n", "a key that is no text"),
        (b"a: " + b"9" * 5000, "absurd length"),
        (b"? " + b"k" * 3000 + b"\n: 1\n", "a key of absurd length"),
        (b"[" * 100_000, "nested deeper than 64"),
        (b"{a: " * 100_000, "nested deeper than 64"),
        (b"- " * 100_000, "nested deeper than 64"),
        (b"a: " + b"[a]," * 1, "not valid YAML"),
        (b"x" * (MAX_BYTES + 1), "expected at most 5 MB"),
        (b"a: [" + b"1," * 300_000 + b"]", "more than 200,000 values"),
        (b"<<: 3\n", "needs a mapping"),
        (b"a: *b\n", "has no anchor"),
        (b"a: &b {c: *b}\n", "contains itself"),
    ],
)
def test_what_is_no_contract_is_refused_with_a_sentence(data: bytes, says: str) -> None:
    with pytest.raises(ContractError) as wrong:
        load_yaml(data, "f.yaml")
    assert says in str(wrong.value)


def test_a_bomb_of_aliases_is_refused_before_it_is_expanded() -> None:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n + 1}: &a{n + 1} [{', '.join([f'*a{n}'] * 10)}]" for n in range(30)]
    with pytest.raises(ContractError, match="aliases expanded"):
        load_yaml("\n".join(lines), "f")


def test_the_fingerprint_is_of_the_bytes() -> None:
    assert load_yaml(b"a: 1\n", "f").fingerprint != load_yaml(b"a:  1\n", "f").fingerprint


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("a: b\n", False),
        ("# c\na: b\n", True),
        ("a: b # c\n", True),
        ("a: b\n  # c\n", True),
        ("a: 'ticket #12'\n", False),
        ('a: "\u00e4 #12"\nb: |\n  # a title\n  text\n', False),
        ("a: |  # c\n  # a title\n", True),
        ("a: https://x.test/y#z\n", False),
        ("a: 'x #y'  # c\n", True),
        ("a: [1, # c\n  2]\n", True),
        ("a: >\n  # text\n# c\n", True),
    ],
)
def test_a_comment_is_distinguished_from_a_text_with_its_sign(text: str, found: bool) -> None:
    assert has_comments(text.encode()) is found
