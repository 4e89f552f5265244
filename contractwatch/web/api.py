"""Every page has a twin that a program reads."""

import hashlib
import json
from collections.abc import Iterable
from typing import Annotated

from fastapi import APIRouter, Depends, Query
from fastapi.responses import JSONResponse

from contractwatch.errors import UsageError
from contractwatch.model.incident import Incident
from contractwatch.slo.gate import decide, to_body
from contractwatch.web import bodies
from contractwatch.web.board import Snapshot
from contractwatch.web.nearby import near_names
from contractwatch.web.parameters import only_known
from contractwatch.web.policy import policy_of, score_of
from contractwatch.web.site import Site

_VOLATILE = ("decided_at", "expires_at")


class Api:
    """The routes under `/api/v1`."""

    def __init__(self, site: Site) -> None:
        self._site = site

    def router(self) -> APIRouter:
        """Return the routes; those that end in a word come before the product itself."""
        router = APIRouter(
            prefix="/api/v1",
            default_response_class=JSONResponse,
            dependencies=[Depends(only_known)],
        )
        router.add_api_route("/products", self.products, methods=["GET"])
        router.add_api_route("/incidents", self.incidents, methods=["GET"])
        router.add_api_route("/products/{product:path}/trust", self.trust, methods=["GET"])
        router.add_api_route("/products/{product:path}/gate", self.gate, methods=["GET"])
        router.add_api_route("/products/{product:path}", self.product, methods=["GET"])
        return router

    def products(self) -> JSONResponse:
        """List all products with state, budget, trust, coverage and last run."""
        snapshot = self._site.board.snapshot
        listed = [bodies.product_body(view) for _, view in sorted(snapshot.views.items())]
        problems = [str(problem) for problem in self._site.problems()]
        return JSONResponse(
            {
                "version": bodies.BODY_VERSION,
                "as_of": bodies.iso_or_none(snapshot.taken_at),
                "products": listed,
                "problems": problems,
            }
        )

    def product(self, product: str) -> JSONResponse:
        """Show one product: objectives, trust, incidents, every clause, runs."""
        view = self._site.view(product)
        if view is None:
            return self._unknown(product)
        return JSONResponse(bodies.detail_body(view, self._site.upstream(view)))

    def trust(self, product: str) -> JSONResponse:
        """Show the trust score of a product and its exact explanation."""
        view = self._site.view(product)
        if view is None:
            return self.product(f"{product}/trust")  # a product may be called so
        return JSONResponse(bodies.trust_body(view))

    def gate(
        self,
        product: str,
        require: Annotated[str, Query(description="objectives, separated by commas")] = "",
        min_score: Annotated[str | None, Query(description="a number, 0 to 100")] = None,
        max_evaluation_age: Annotated[str, Query(description="such as 2h or PT2H")] = "",
        on_unknown: Annotated[str, Query(description="fail or pass")] = "fail",
    ) -> JSONResponse:
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
            return JSONResponse({"error": str(error)}, status_code=400)
        body = to_body(decide(view.record, policy, now=self._site.board.now()))
        return JSONResponse(body, headers={"ETag": _etag(body), "Cache-Control": "no-cache"})

    def incidents(self) -> JSONResponse:
        """List all incidents that were told, open ones first, newest first."""
        snapshot = self._snapshot()
        listed = [
            bodies.incident_body(one, snapshot.views[one.product].record.tellings)
            for one in all_incidents(snapshot)
        ]
        return JSONResponse({"version": bodies.BODY_VERSION, "incidents": listed})

    def _snapshot(self) -> Snapshot:
        return self._site.board.snapshot

    def _unknown(self, product: str) -> JSONResponse:
        near = near_names(product, self._snapshot().views)
        body = {"error": f"no product is called {product!r}", "near": near}
        return JSONResponse(body, status_code=404)


def all_incidents(snapshot: Snapshot) -> list[Incident]:
    """Return the incidents that were opened once, the open ones first, newest first."""
    told: Iterable[Incident] = (
        incident
        for view in snapshot.views.values()
        for incident in view.record.incidents
        if incident.opened_at is not None
    )
    newest_first = sorted(told, key=lambda incident: incident.since, reverse=True)
    return sorted(newest_first, key=lambda incident: incident.resolved_at is not None)


def _etag(body: dict[str, object]) -> str:
    """Return a mark that changes when the decision or its reasons do."""
    steady = {name: value for name, value in body.items() if name not in _VOLATILE}
    digest = hashlib.sha256(json.dumps(steady, sort_keys=True).encode()).hexdigest()
    return f'"{digest[:16]}"'
