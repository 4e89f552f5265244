"""Who is told: names of the contract, addresses of the operator."""

from datetime import timedelta

from alerting_values import contract, receiver, support

from contractwatch.alerting.route import (
    announcement_receivers,
    grace_for,
    receivers_for,
    routing_problem,
)
from contractwatch.model.base.clause import Severity
from contractwatch.model.base.receiver import ReceiverKind
from contractwatch.model.contract.contract import AlertPolicy, Route, Status

ERROR, WARNING = Severity.ERROR, Severity.WARNING
POST = (receiver("chat", "#Orders-Alerts"), receiver("oncall"), receiver("fallback"))


def route(to: str, *severities: Severity, grace: timedelta | None = None) -> Route:
    return Route(to, frozenset(severities), grace)


def test_the_first_route_that_matches_decides() -> None:
    alerts = AlertPolicy(routes=(route("oncall", ERROR), route("chat")))
    known = contract(support("oncall"), support("chat"), alerts=alerts)
    assert receivers_for(known, ERROR, POST, ("fallback",)) == (("oncall",), ())
    assert receivers_for(known, WARNING, POST, ("fallback",)) == (("chat",), ())


def test_a_receiver_answers_to_the_id_or_the_channel_in_any_case_and_without_the_hash() -> None:
    alerts = AlertPolicy(routes=(route("team"),))
    known = contract(support("team", channel="orders-ALERTS"), alerts=alerts)
    assert receivers_for(known, ERROR, POST, ()) == (("chat",), ())


def test_without_routes_notifications_are_told_before_issues() -> None:
    both = contract(support("oncall", scope="issues"), support("chat", scope="notifications"))
    assert receivers_for(both, ERROR, POST, ())[0] == ("chat",)
    issues = contract(support("oncall", scope="issues"), support("chat", scope="interactive"))
    assert receivers_for(issues, ERROR, POST, ())[0] == ("oncall",)


def test_a_name_that_nobody_answers_to_falls_back_and_is_a_problem() -> None:
    known = contract(support("pager", scope="issues"))
    chosen, (problem,) = receivers_for(known, ERROR, POST, ("fallback",))
    assert chosen == ("fallback",)
    assert problem == (
        "orders.odcs.yaml:70: support[0]: no receiver answers to 'pager'; "
        "add one of that name or alias to contractwatch.toml"
    )


def test_a_contract_that_names_nobody_is_told_to_the_default() -> None:
    assert receivers_for(contract(), ERROR, POST, ("fallback",)) == (("fallback",), ())


def test_a_route_to_no_support_entry_may_name_a_receiver() -> None:
    alerts = AlertPolicy(routes=(route("oncall"),))
    assert receivers_for(contract(alerts=alerts), ERROR, POST, ()) == (("oncall",), ())


def test_a_draft_pages_nobody_but_the_log() -> None:
    log = receiver("console", kind=ReceiverKind.LOG)
    for status in (Status.DRAFT, Status.PROPOSED):
        draft = contract(support("oncall", scope="issues"), status=status)
        assert receivers_for(draft, ERROR, (*POST, log), ("fallback",))[0] == ("console",)
        assert receivers_for(draft, ERROR, POST, ("fallback",))[0] == ()


def test_a_route_without_a_grace_has_the_policys() -> None:
    hour = timedelta(hours=1)
    policy = AlertPolicy(grace=hour, routes=(route("a", ERROR, grace=timedelta(0)), route("b")))
    assert (grace_for(policy, ERROR), grace_for(policy, WARNING)) == (timedelta(0), hour)


def test_what_is_wrong_with_a_routing_is_one_sentence() -> None:
    known = contract(support("pager", scope="issues"), support("chit", scope="issues"))
    assert routing_problem(known, POST, ("fallback",)) == (
        "orders.odcs.yaml:70: support[0]: no receiver answers to 'pager' or 'chit'; "
        "add one of that name or alias to contractwatch.toml"
    )
    assert routing_problem(known, POST, ()) == (
        "orders.odcs.yaml:70: support[0]: no receiver answers to 'pager' or 'chit', "
        "so nobody is told of a broken promise; "
        "add one of that name or alias to contractwatch.toml"
    )


def test_a_contract_that_names_nobody_is_told_so_once() -> None:
    assert routing_problem(contract(), POST, ()) == (
        "orders.odcs.yaml: nobody is told of a broken promise; "
        "name a receiver in `support`, or set default receivers in contractwatch.toml"
    )


def test_only_the_severity_that_reaches_nobody_is_named() -> None:
    alerts = AlertPolicy(routes=(route("oncall", ERROR),))
    problem = routing_problem(contract(alerts=alerts), POST, ())
    assert "nobody is told of a broken warning promise" in problem


def test_a_scope_that_nobody_is_told_by_is_named() -> None:
    known = contract(support("oncall", scope="notification"))
    assert routing_problem(known, POST, ()) == (
        "orders.odcs.yaml:70: support[0]: scope 'notification' is told nothing, "
        "so nobody is told of a broken promise; "
        "expected the scope 'notifications' or 'issues', or default receivers in contractwatch.toml"
    )
    assert routing_problem(known, POST, ("fallback",)) == ""


def test_nobody_has_to_be_told_of_a_draft() -> None:
    assert routing_problem(contract(status=Status.DRAFT), POST, ()) == ""


def test_every_entry_of_the_scope_and_every_receiver_that_answers_is_told() -> None:
    known = contract(
        support("oncall", scope="Notifications"),
        support("nobody", scope="notifications"),
        support("chat", channel="#Orders-Alerts", scope="notifications"),
        support("fallback", scope="issues"),
    )
    twins = (*POST, receiver("second", "ONCALL"))
    chosen, (problem,) = receivers_for(known, ERROR, twins, ("fallback",))
    assert chosen == ("oncall", "second", "chat")
    assert "no receiver answers to 'nobody'" in problem


def test_a_route_finds_a_support_entry_by_its_id_before_its_channel() -> None:
    alerts = AlertPolicy(routes=(route("#Team "),))
    by_channel = support("oncall", channel="team")
    by_id = support(" team", channel="chat")
    both = contract(by_channel, by_id, alerts=alerts)
    assert receivers_for(both, ERROR, POST, ())[0] == ("chat",)
    assert receivers_for(contract(by_channel, alerts=alerts), ERROR, POST, ())[0] == ("oncall",)


def test_only_case_space_and_the_hash_of_a_name_do_not_matter() -> None:
    for written in ("xchat", "chat#", "Xchat", "@chat", "cha"):
        named = contract(support(written, scope="issues"))
        assert receivers_for(named, ERROR, POST, ())[0] == ()
    for written in (" chat ", "##CHAT", "# chat".replace(" ", "")):
        named = contract(support(written, scope="issues"))
        assert receivers_for(named, ERROR, POST, ())[0] == ("chat",)


def test_nobody_is_told_twice_by_default() -> None:
    assert receivers_for(contract(), ERROR, POST, ("oncall", "chat", "oncall"))[0] == (
        "oncall",
        "chat",
    )


def test_a_name_that_only_one_severity_needs_is_missed_too() -> None:
    for severity in (ERROR, WARNING):
        alerts = AlertPolicy(routes=(route("nobody", severity), route("chat")))
        assert routing_problem(contract(alerts=alerts), POST, ()) == (
            "orders.odcs.yaml: contractwatch.alerts: no receiver answers to 'nobody', "
            f"so nobody is told of a broken {severity.value} promise; "
            "add one of that name or alias to contractwatch.toml"
        )


def test_an_end_is_announced_as_information_and_wakes_nobody() -> None:
    pager = receiver("pager", kind=ReceiverKind.PAGERDUTY)
    known = (*POST, pager)
    assert announcement_receivers(contract(), known, ("pager", "chat")) == ("chat",)
    info = Route("chat", frozenset({Severity.INFO}))
    routed = contract(alerts=AlertPolicy(routes=(route("oncall", ERROR, WARNING), info)))
    assert announcement_receivers(routed, known, ("fallback",)) == ("chat",)
