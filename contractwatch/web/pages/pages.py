"""Routes of the HTML pages; they are server-rendered and need no JavaScript."""

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from urllib.parse import quote, urlencode

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, Response
from jinja2 import Environment, PackageLoader, StrictUndefined

from contractwatch import __version__
from contractwatch.alerting.audience import delivery_words
from contractwatch.alerting.broken_promises import observed_words
from contractwatch.alerting.shared_reasons import NO_SHARED_REASONS, shared_reasons
from contractwatch.alerting.upstream import upstream_words
from contractwatch.alerting.words import number
from contractwatch.display import visible
from contractwatch.errors import UsageError
from contractwatch.model.base.objective import Objective
from contractwatch.model.record.check import Outcome
from contractwatch.model.record.incident import RESOLVED_SHOWN, Incident
from contractwatch.model.record.product import BudgetLine
from contractwatch.model.record.run import CheckResult
from contractwatch.slo.budget import Compliance, compliance_of
from contractwatch.slo.status import StatusWord
from contractwatch.web.pages.badge import badge_of, badge_of_nothing
from contractwatch.web.server.address import root
from contractwatch.web.server.site import Site
from contractwatch.web.snapshot_cache import ProductView
from contractwatch.web.views import words
from contractwatch.web.views.did_you_mean import near_names
from contractwatch.web.views.listing import (
    INCIDENT_STATES,
    PRODUCT_STATES,
    SEVERITIES,
    STATE_ORDER,
    ListQuery,
    filter_incidents,
    filter_products,
    list_query,
    page_of,
    teams_of,
)
from contractwatch.web.views.timeline import Bar, bar_of, timeline_window

_FASTEST_REFRESH = 5
_LONGEST_REFRESH_DIGITS = 5
_LONGEST_NAME = 200

OUTCOME_ORDER = (
    (Outcome.FAILED, "Broken"),
    (Outcome.ERROR, "No answer"),
    (Outcome.SKIPPED, "Not checked"),
    (Outcome.PASSED, "Kept"),
)

_OBJECTIVE_NAMES = {Objective.CONFORMANCE: "All promises"}


@dataclass(frozen=True, slots=True)
class Share:
    """Number of products in one state, and its piece of the bar, in percent."""

    word: StatusWord
    count: int
    left: float
    width: float


@dataclass(frozen=True, slots=True)
class ObjectiveLine:
    """One objective of a product, ready for its page."""

    name: str
    budget: BudgetLine
    compliance: Compliance
    bar: Bar


@dataclass(frozen=True, slots=True)
class CheckGroup:
    """The checks of one outcome."""

    outcome: Outcome
    title: str
    results: tuple[CheckResult, ...]

    def has(self, reason: str) -> bool:
        """Return whether one of the clauses has no answer for this reason."""
        return any(one.verdict.reason == reason for one in self.results)


class Pages:
    """Routes of the HTML pages."""

    def __init__(self, site: Site) -> None:
        self._site = site
        self._templates = environment()

    def router(self) -> APIRouter:
        """Return the routes; none of them is part of the API's description."""
        router = APIRouter(include_in_schema=False, default_response_class=HTMLResponse)
        router.add_api_route("/", self.products, methods=["GET"])
        router.add_api_route("/incidents", self.incidents, methods=["GET"])
        router.add_api_route("/products/{product:path}", self.product, methods=["GET"])
        router.add_api_route("/badge/{product:path}.svg", self.badge, methods=["GET"])
        return router

    def products(self, request: Request) -> HTMLResponse:
        """Show the products that are asked for, those that need a look first."""
        snapshot = self._site.snapshots.snapshot
        views = tuple(snapshot.views.values())
        return self._list(
            request,
            "products.html",
            lambda asked: filter_products(snapshot, asked),
            states=PRODUCT_STATES,
            total=len(views),
            shares=state_shares(views),
            problems=[str(problem) for problem in self._site.problems()],
            refresh=_refresh(request.query_params.get("refresh", "")),
            here="products",
        )

    def product(self, product: str) -> HTMLResponse:
        """Show one product: what it promised, what was seen, and for how long."""
        view = self._site.view(product)
        if view is None:
            return self.missing(product)
        lines = objective_lines(view)
        return self._page(
            "product.html",
            view=view,
            lines=lines,
            upstream=self._site.upstream(view),
            all_default=all(line.budget.budget.target.is_default for line in lines),
            shown=timeline_window(view.record.lines, end=view.as_of),
            groups=check_groups(view),
            causes=shared_reasons(view.record.last_run)
            if view.record.last_run
            else NO_SHARED_REASONS,
            incidents=_opened(view.record.incidents),
            told=receiver_words([view]),
            most_lost=max(part.points_lost for part in view.trust.parts),
            here="",
        )

    def incidents(self, request: Request) -> HTMLResponse:
        """Show the incidents that are asked for, and who was told."""
        snapshot = self._site.snapshots.snapshot
        return self._list(
            request,
            "incidents.html",
            lambda asked: filter_incidents(snapshot, asked),
            states=INCIDENT_STATES,
            told=receiver_words(snapshot.views.values()),
            resolved_shown=RESOLVED_SHOWN,
            here="incidents",
        )

    def _list(
        self,
        request: Request,
        template: str,
        find: Callable[[ListQuery], Sequence[object]],
        **context: object,
    ) -> HTMLResponse:
        """Show one page of a list, or say what is wrong with what was asked."""
        asked, wrong = list_query(request.query_params), ""
        try:
            page = page_of(find(asked), asked)
        except UsageError as error:
            page, wrong = page_of((), ListQuery()), str(error)
        return self._page(
            template,
            status_code=400 if wrong else 200,
            **context,
            page=page,
            asked=asked,
            wrong=wrong,
            query=urlencode({**asked.filters, "page": page.number}),
            teams=teams_of(self._site.snapshots.snapshot.views.values()),
            severities=SEVERITIES,
        )

    def badge(self, product: str) -> Response:
        """Show a product's state and score as a picture."""
        view = self._site.known(product)
        return Response(
            badge_of_nothing() if view is None else badge_of(view),
            media_type="image/svg+xml",
            headers={"Cache-Control": "max-age=30"},
            status_code=404 if view is None else 200,
        )

    def missing(self, product: str = "", path: str = "") -> HTMLResponse:
        """Show a 404 page with similar names."""
        near = near_names(product, self._site.snapshots.snapshot.views) if product else []
        asked = {"product": _cut(product), "path": _cut(path)}
        return self._page("missing.html", status_code=404, **asked, near=near, here="")

    def broken(self) -> HTMLResponse:
        """Show a 500 page without internal details."""
        return self._page("broken.html", status_code=500, here="")

    def _page(self, template: str, *, status_code: int = 200, **context: object) -> HTMLResponse:
        text = self._templates.get_template(template).render(
            **context,
            root=root(),
            now=self._site.snapshots.now(),
            taken_at=self._site.snapshots.snapshot.taken_at,
            version=__version__,
        )
        return HTMLResponse(text, status_code=status_code)


@cache
def environment() -> Environment:
    """Return the templates with everything escaped, and with the words that they use.

    They are compiled when they are first used, and once for all applications of a process.
    """
    templates = Environment(
        loader=PackageLoader("contractwatch.web"),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=_escaped,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    filters: dict[str, Callable[..., str]] = {
        "ago": words.ago,
        "clock_time": words.clock_time,
        "count_of": words.count_of,
        "duration": words.duration_words,
        "iso": words.iso,
        "judged": words.judged_words,
        "trouble": upstream_words,
        "number": number,
        "observed": observed_words,
        "percent": words.percent,
        "product_url": product_url,
        "quoted": quote,
        "span": span_words,
    }
    templates.filters.update(filters)
    return templates


def _escaped(value: object) -> object:
    """Return words with escapes for what is invisible; markup of our own is left alone."""
    return visible(value, keep="\n\t\u00a0\u202f") if type(value) is str else value


def product_url(product: str) -> str:
    """Return the address of a product's page."""
    return f"{root()}/products/{quote(product)}"


def span_words(since: datetime, until: datetime) -> str:
    """Return how long it is from one instant to another."""
    return words.duration_words((until - since).total_seconds())


def state_shares(views: Sequence[ProductView]) -> tuple[Share, ...]:
    """Return the states of the fleet as pieces of a bar, kept first; no piece for none."""
    counts = Counter(view.status.word for view in views)
    found: list[Share] = []
    left = 0.0
    for word in reversed(STATE_ORDER):
        if counts[word]:
            width = counts[word] / len(views) * 100
            found.append(Share(word, counts[word], round(left, 3), round(width, 3)))
            left += width
    return tuple(found)


def objective_lines(view: ProductView) -> tuple[ObjectiveLine, ...]:
    """Return the objectives of a product, the composite first."""
    start = timeline_window(view.record.lines, end=view.as_of).start
    lines = [
        ObjectiveLine(
            name=_OBJECTIVE_NAMES.get(budget.standing.objective, budget.standing.objective.value),
            budget=budget,
            compliance=compliance_of(line, budget.budget.target, now=view.as_of),
            bar=bar_of(line, start=start, end=view.as_of),
        )
        for line, budget in zip(view.record.lines, view.budgets, strict=True)
    ]
    lines.sort(key=lambda line: line.budget.standing.objective is not Objective.CONFORMANCE)
    return tuple(lines)


def check_groups(view: ProductView) -> tuple[CheckGroup, ...]:
    """Return every clause of the last run, those that need a look first; no empty group."""
    run = view.record.last_run
    results = run.results if run else ()
    found = (
        CheckGroup(outcome, title, tuple(one for one in results if one.outcome is outcome))
        for outcome, title in OUTCOME_ORDER
    )
    return tuple(group for group in found if group.results)


def _refresh(text: str) -> int:
    """Return every how many seconds a page is to load itself anew; 0 for never."""
    is_number = text.isascii() and text.isdigit() and len(text) <= _LONGEST_REFRESH_DIGITS
    return max(int(text), _FASTEST_REFRESH) if is_number and int(text) else 0


def _cut(asked: str) -> str:
    return (
        asked if len(asked) <= _LONGEST_NAME else f"{asked[:_LONGEST_NAME]}\N{HORIZONTAL ELLIPSIS}"
    )


def receiver_words(views: Iterable[ProductView]) -> dict[str, str]:
    """Return in words who was notified of each incident."""
    return {
        one.incident_id: delivery_words(one.incident_id, view.record.deliveries)
        for view in views
        for one in view.record.incidents
    }


def _opened(incidents: Sequence[Incident]) -> list[Incident]:
    told = [incident for incident in incidents if incident.opened_at is not None]
    told.sort(key=lambda incident: incident.since, reverse=True)
    return sorted(told, key=lambda incident: incident.resolved_at is not None)
