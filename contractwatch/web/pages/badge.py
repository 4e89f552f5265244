"""Render the SVG badge of a product: its state and trust score."""

from html import escape

from contractwatch.slo.status import StatusWord
from contractwatch.web.snapshot_cache import ProductView

_LEFT = "data contract"
_CHARACTER = 6.7
_PADDING = 9
_MARK = 14

_COLORS = {
    StatusWord.KEPT: "#2c7a57",
    StatusWord.AT_RISK: "#96610b",
    StatusWord.BREACHED: "#b3322a",
    StatusWord.UNKNOWN: "#566074",
}
_MARKS = {
    StatusWord.KEPT: '<path d="M1 6l3 3 6-7" fill="none" stroke="#fff" stroke-width="1.8"/>',
    StatusWord.AT_RISK: (
        '<path d="M5.5 1L10.5 10H.5z" fill="none" stroke="#fff" stroke-width="1.5"/>'
        '<path d="M5.5 4.2v2.6M5.5 8.1v.6" stroke="#fff" stroke-width="1.3"/>'
    ),
    StatusWord.BREACHED: '<path d="M2 2l7 7M9 2l-7 7" stroke="#fff" stroke-width="1.8"/>',
    StatusWord.UNKNOWN: (
        '<circle cx="5.5" cy="5.5" r="4.2" fill="none" stroke="#fff" stroke-width="1.5" '
        'stroke-dasharray="2 1.6"/>'
    ),
}


def badge_of(view: ProductView) -> str:
    """Return the badge: the state in word, shape and colour, and the score or "new"."""
    word = view.status.word
    return _svg(f"{word.value} · trust {view.trust.badge}", _COLORS[word], _MARKS[word])


def badge_of_nothing() -> str:
    """Return the badge of a name that no product has."""
    unknown = StatusWord.UNKNOWN
    return _svg("no such product", _COLORS[unknown], _MARKS[unknown])


def _svg(right: str, color: str, mark: str) -> str:
    left_text, right_text = round(len(_LEFT) * _CHARACTER), round(len(right) * _CHARACTER)
    left = left_text + 2 * _PADDING
    width = left + _MARK + right_text + 2 * _PADDING
    title = escape(f"{_LEFT}: {right}")
    start = left + _PADDING + _MARK
    font = "Verdana,DejaVu Sans,Geneva,sans-serif"
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="22" role="img" '
        f'aria-label="{title}"><title>{title}</title>'
        f'<clipPath id="r"><rect width="{width}" height="22" rx="4"/></clipPath>'
        f'<g clip-path="url(#r)"><rect width="{left}" height="22" fill="#2f3640"/>'
        f'<rect x="{left}" width="{width - left}" height="22" fill="{color}"/></g>'
        f'<g fill="#fff" font-family="{font}" font-size="11">'
        f'<text x="{_PADDING}" y="15" textLength="{left_text}">{_LEFT}</text>'
        f'<g transform="translate({left + _PADDING} 5.5)">{mark}</g>'
        f'<text x="{start}" y="15" textLength="{right_text}">{escape(right)}</text></g></svg>'
    )
