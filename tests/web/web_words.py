"""Extract the visible text of a page."""

import re
from html.parser import HTMLParser

import httpx


class Words(HTMLParser):
    """Collects the text of a page, and checks that every tag is closed."""

    VOID = frozenset({"meta", "link", "input", "br"})

    def __init__(self) -> None:
        super().__init__()
        self.text: list[str] = []
        self.open: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        pass

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text.append(data)


def words_of(answer: httpx.Response) -> str:
    reader = Words()
    reader.feed(answer.text)
    assert reader.open == []
    return re.sub(r"\s+", " ", " ".join(reader.text).replace("\N{NO-BREAK SPACE}", " "))
