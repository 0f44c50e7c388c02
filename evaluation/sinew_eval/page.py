"""One self-contained HTML page: style and pictures inside, nothing fetched, nothing run."""

from __future__ import annotations

from functools import cache
from html import escape
from importlib.resources import files

Sheet = tuple[str, str]  # package, file
BASE: Sheet = ("sinew_eval", "report.css")  # of every page

# Nothing may be fetched and nothing may run, whatever an instruction contains.
POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; media-src data:"


def render_page(title: str, body: str, *sheets: Sheet) -> str:
    """Return the page of a body, which is HTML, in the common style and that of further sheets."""
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        f'<meta http-equiv="Content-Security-Policy" content="{POLICY}">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        '<meta name="color-scheme" content="light dark"><link rel="icon" href="data:,">'
        f"<title>{escape(title)}</title><style>{_style((BASE, *sheets))}</style></head>\n"
        f"<body>{body}</body></html>\n"
    )


@cache
def _style(sheets: tuple[Sheet, ...]) -> str:
    return "".join((files(package) / name).read_text("utf-8") for package, name in sheets)
