"""Choose the server of a contract that is run."""

from contractwatch.model.base.clause import Clause
from contractwatch.model.base.server import Server
from contractwatch.model.contract.contract import Contract


def choose_server(contract: Contract, environment: str) -> tuple[Server, str]:
    """Return the server that is run, and a warning if the choice was a guess.

    It is the one of the operator's environment, else the only one, else the first that is written.
    A contract without servers gets one that has no name and no kind.
    """
    servers = contract.servers
    if not servers:
        return Server(Clause("servers", 0), name="", kind=""), ""
    fitting = [one for one in servers if environment and one.environment == environment]
    if len(fitting) == 1 or len(servers) == 1:
        return (fitting or servers)[0], ""
    chosen = (fitting or servers)[0]
    which = f"environment {environment!r}" if environment else "no environment in the settings"
    return chosen, (
        f"{contract.file}: {len(fitting)} of {len(servers)} servers fit ({which}); "
        f"the first, {chosen.name!r}, is run; set `environment` in contractwatch.toml"
    )
