from dataclasses import replace

import pytest
from agent_values import contract_text

from contractwatch.model.base.clause import Clause
from contractwatch.model.base.server import Server
from contractwatch.odcs.load import parse_contract
from contractwatch.scan.servers import choose_server


def servers(*named: tuple[str, str]) -> tuple[Server, ...]:
    return tuple(
        Server(Clause(f"servers[{place}]", place), name, "local", environment=environment)
        for place, (name, environment) in enumerate(named)
    )


@pytest.mark.parametrize(
    ("found", "environment", "chosen", "is_guess"),
    [
        (servers(("a", "dev"), ("b", "prod")), "prod", "b", False),
        (servers(("a", "dev")), "prod", "a", False),
        (servers(("a", "dev"), ("b", "prod")), "", "a", True),
        (servers(("a", "dev"), ("b", "prod")), "test", "a", True),
        (servers(("a", "dev"), ("b", "prod"), ("c", "prod")), "prod", "b", True),
        ((), "prod", "", False),
    ],
)
def test_the_server_of_the_operators_environment_is_run(
    found: tuple[Server, ...], environment: str, chosen: str, is_guess: bool
) -> None:
    contract, _ = parse_contract(contract_text().encode(), "orders.odcs.yaml")
    server, warning = choose_server(replace(contract, servers=found), environment)

    assert (server.name, bool(warning)) == (chosen, is_guess)
