"""Routes of the JSON API; every page has one."""

import hashlib
import json
from collections.abc import Sequence
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query

from contractwatch.errors import UsageError
from contractwatch.slo.gate import decide, to_body
from contractwatch.web.api import bodies
from contractwatch.web.api.policy import policy_of, score_of
from contractwatch.web.server.address import root
from contractwatch.web.server.json_response import EscapedJSONResponse
from contractwatch.web.server.site import Site
from contractwatch.web.snapshot_cache import RecordSnapshot
from contractwatch.web.views.did_you_mean import near_names
from contractwatch.web.views.listing import (
    INCIDENT_STATES,
    PRODUCT_STATES,
    ROWS,
    SEVERITIES,
    ListQuery,
    filter_incidents,
    filter_products,
    page_of,
)
from contractwatch.web.views.parameters import require_known_parameters

_Q = Annotated[str, Query(description="words of the product, the team or the owners")]
_Team = Annotated[str, Query(description="the whole name of a team or an owner")]
_ProductState = Annotated[str, Query(description=f"one of {', '.join(PRODUCT_STATES)}")]
_IncidentState = Annotated[str, Query(description=f"one of {', '.join(INCIDENT_STATES)}")]
_Severity = Annotated[str, Query(description=f"of an incident: {' or '.join(SEVERITIES)}")]
_Page = Annotated[str, Query(description=f"from 1, of {ROWS} each; all in one without it")]

_VOLATILE = ("decided_at", "expires_at")


class Api:
    """The routes under `/api/v1`."""

    def __init__(self, site: Site) -> None:
        self._site = site

    def router(self) -> APIRouter:
        """Return the routes; those that end in a word come before the product itself."""
        router = APIRouter(
            prefix="/api/v1",
            default_response_class=EscapedJSONResponse,
            dependencies=[Depends(require_known_parameters)],
        )
        router.add_api_route("/products", self.products, methods=["GET"])
        router.add_api_route("/incidents", self.incidents, methods=["GET"])
        router.add_api_route("/products/{product:path}/trust", self.trust, methods=["GET"])
        router.add_api_route("/products/{product:path}/gate", self.gate, methods=["GET"])
        router.add_api_route("/products/{product:path}", self.product, methods=["GET"])
        return router

    def products(
        self,
        q: _Q = "",
        state: _ProductState = "",
        team: _Team = "",
        severity: _Severity = "",
        page: _Page = "",
    ) -> EscapedJSONResponse:
        """List products with state, budget, trust, coverage and last run.

        All of them by name, or a page of those that need a look first.
        """
        snapshot = self._snapshot()
        asked = ListQuery(q, state, team, severity, page)
        try:
            listed = _listed("products", filter_products(snapshot, asked), asked)
        except UsageError as error:
            return EscapedJSONResponse({"error": str(error)}, status_code=400)
        views = listed.pop("rows")
        views = views if page else sorted(views, key=lambda view: view.product)
        problems = [str(problem) for problem in self._site.problems()]
        return EscapedJSONResponse(
            {
                "version": bodies.BODY_VERSION,
                "as_of": bodies.iso_or_none(snapshot.taken_at),
                **listed,
                "products": [bodies.product_body(view) for view in views],
                "problems": problems,
            }
        )

    def product(self, product: str) -> EscapedJSONResponse:
        """Show one product: objectives, trust, incidents, every clause, runs."""
        view = self._site.view(product)
        if view is None:
            return self._unknown(product)
        return EscapedJSONResponse(bodies.detail_body(view, self._site.upstream(view)))

    def trust(self, product: str) -> EscapedJSONResponse:
        """Show the trust score of a product and its exact explanation."""
        view = self._site.view(product)
        if view is None:
            return self.product(f"{product}/trust")  # a product may be called so
        return EscapedJSONResponse(bodies.trust_body(view))

    def gate(
        self,
        product: str,
        require: Annotated[str, Query(description="objectives, separated by commas")] = "",
        min_score: Annotated[str | None, Query(description="a number, 0 to 100")] = None,
        max_evaluation_age: Annotated[str, Query(description="such as 2h or PT2H")] = "",
        on_unknown: Annotated[str, Query(description="fail or pass")] = "fail",
    ) -> EscapedJSONResponse:
        """Decide whether a product may be used: always 200 with a decision in the body."""
        view = self._site.view(product)
        if view is None:
            return self.product(f"{product}/gate")  # a product may be called so
        try:
            policy = policy_of(
                require=require,
                min_score=None if min_score is None else score_of(min_score),
                max_evaluation_age=max_evaluation_age,
                on_unknown=on_unknown,
            )
        except UsageError as error:
            return EscapedJSONResponse({"error": str(error)}, status_code=400)
        body = to_body(decide(view.record, policy, now=self._site.snapshots.now()))
        return EscapedJSONResponse(body, headers={"ETag": _etag(body), "Cache-Control": "no-cache"})

    def incidents(
        self,
        q: _Q = "",
        state: _IncidentState = "",
        team: _Team = "",
        severity: _Severity = "",
        page: _Page = "",
    ) -> EscapedJSONResponse:
        """List the incidents that were told, open ones first, newest first."""
        snapshot = self._snapshot()
        asked = ListQuery(q, state, team, severity, page)
        try:
            listed = _listed("incidents", filter_incidents(snapshot, asked), asked)
        except UsageError as error:
            return EscapedJSONResponse({"error": str(error)}, status_code=400)
        shown = [
            bodies.incident_body(one, snapshot.views[one.product].record.deliveries)
            for one in listed.pop("rows")
        ]
        return EscapedJSONResponse({"version": bodies.BODY_VERSION, **listed, "incidents": shown})

    def _snapshot(self) -> RecordSnapshot:
        return self._site.snapshots.snapshot

    def _unknown(self, product: str) -> EscapedJSONResponse:
        near = near_names(product, self._snapshot().views)
        body = {"error": f"no product is called {product!r}", "near": near}
        return EscapedJSONResponse(body, status_code=404)


def _listed(name: str, rows: Sequence[Any], asked: ListQuery) -> dict[str, Any]:
    """Return the rows of the page that is asked for, all if none is, and where the others are."""
    if not asked.page:
        return {"rows": rows, "found": len(rows), "pages": 1, "previous": None, "next": None}
    page = page_of(rows, asked)
    base = f"{root()}/api/v1/{name}?"
    return {
        "rows": page.rows,
        "found": page.found,
        "pages": page.pages,
        "previous": base + page.previous if page.previous else None,
        "next": base + page.next if page.next else None,
    }


def _etag(body: dict[str, object]) -> str:
    """Return a mark that changes when the decision or its reasons do."""
    steady = {name: value for name, value in body.items() if name not in _VOLATILE}
    digest = hashlib.sha256(json.dumps(steady, sort_keys=True).encode()).hexdigest()
    return f'"{digest[:16]}"'
