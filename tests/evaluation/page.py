"""Reads a report as a browser would: balanced tags, what it refers to, its text."""

from html.parser import HTMLParser

VOID = {"meta", "link", "img", "line", "path", "rect", "circle"}


class Page(HTMLParser):
    """Collects what a page refers to and whether its tags are balanced."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.references: list[str] = []
        self.tags: list[str] = []
        self.text: list[str] = []
        self.open: list[str] = []
        self.feed(text)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.references += [value or "" for key, value in attrs if key in ("src", "href", "poster", "data")]
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag not in VOID:  # an SVG element that closes itself
            assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text.append(data)
