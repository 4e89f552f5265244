"""Read `contractwatch.inputs`: the products that a product is made of."""

from contractwatch.model.base.version_range import parse_range
from contractwatch.model.promises.upstream import Input
from contractwatch.odcs.product.schedules import positive_duration_at
from contractwatch.odcs.yaml.node import Findings, YamlNode


def read_inputs(root: YamlNode, findings: Findings) -> tuple[Input, ...]:
    """Read the inputs of a contract, in the order of the file; each contract once."""
    node = root.extension("inputs")
    found: dict[str, Input] = {}
    for entry in node.each() if node is not None else ():
        contract, versions = entry.text("contract"), entry.text("version")
        if not contract:
            continue
        if contract == root.text("id"):
            findings.warn(entry.at("contract"), "the contract is its own input; expected another")
            continue
        if parse_range(versions) is None:
            message = f"no range of versions: '{versions[:60]}'; expected such as '>=2.0.0 <3.0.0'"
            findings.error(entry.at("version"), message)
        if contract in found:
            findings.warn(entry.at("contract"), "the same input again; the first one counts")
            continue
        max_lag = positive_duration_at(entry, "maxLag", findings)
        found[contract] = Input(entry.clause, contract, versions, entry.texts("objects"), max_lag)
    return tuple(found.values())
