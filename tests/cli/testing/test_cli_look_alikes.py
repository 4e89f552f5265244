"""Tests of the lint error for product names that look alike."""

from pathlib import Path

import pytest
from cli_values import call

TEXT = """\
apiVersion: v3.1.0
kind: DataContract
id: {id}
name: "{name}"
domain: "{domain}"
version: 1.0.0
status: active
schema: [{{name: t, properties: [{{name: a, logicalType: integer}}]}}]
"""


def lint(folder: Path, *products: tuple[str, str]) -> tuple[int, str]:
    for number, (domain, name) in enumerate(products):
        text = TEXT.format(id=f"c{number}", name=name, domain=domain)
        (folder / f"{number}.odcs.yaml").write_text(text, encoding="utf-8")
    ended = call("lint", folder)
    return ended.code, ended.out


@pytest.mark.parametrize(
    ("second", "told"),
    [
        (("shop", "\u043erders"), "it has U+043E where the other has U+006F"),  # Cyrillic o
        (("shop", "ord\u0435rs"), "U+0435"),  # Cyrillic e
        (("shop", "\u03bfrders"), "U+03BF"),  # Greek omicron
        (("shop", "\uff4frders"), "U+FF4F"),  # full width
        (("shop", "0rders"), "U+0030"),
        (("\u0455hop", "refunds"), "the domain"),  # Cyrillic s
    ],
)
def test_a_look_alike_of_another_product_is_an_error(
    tmp_path: Path, second: tuple[str, str], told: str
) -> None:
    code, out = lint(tmp_path, ("shop", "orders"), second)

    assert code == 1
    assert "looks like" in out
    assert told in out
    assert "0.odcs.yaml" in out


@pytest.mark.parametrize(
    "second",
    [("shop", "orders2"), ("shop", "órders"), ("sales", "orders"), ("shop", "заказы")],
)
def test_names_that_a_reader_tells_apart_are_fine(tmp_path: Path, second: tuple[str, str]) -> None:
    code, out = lint(tmp_path, ("shop", "orders"), second)

    assert (code, "looks like" in out) == (0, False)


def test_names_that_differ_by_case_alone_are_a_warning(tmp_path: Path) -> None:
    code, out = lint(tmp_path, ("shop", "orders"), ("shop", "Orders"))

    assert code == 0
    assert "looks like" in out
