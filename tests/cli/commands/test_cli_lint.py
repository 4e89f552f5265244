from pathlib import Path

from cli_values import call, publish


def test_a_right_contract_is_0(tmp_path: Path) -> None:
    ended = call("lint", publish(tmp_path))
    assert (ended.code, ended.out, ended.err) == (0, "1 contract: 0 errors, 0 warnings\n", "")


def test_every_problem_is_told_in_the_order_of_the_file(tmp_path: Path) -> None:
    broken = publish(
        tmp_path,
        edit=lambda text: text.replace("logicalType: integer", "logicalType: int").replace(
            "metric: nullValues", "metric: nullCount"
        ),
    )
    ended = call("lint", broken)
    *told, counts = ended.out.splitlines()
    problems = [line for line in told if line.startswith(f"{broken}:") and ": `test`" not in line]
    assert ended.code == 1
    lines = [int(problem.removeprefix(f"{broken}:").split(":")[0]) for problem in problems]
    assert lines == sorted(lines)
    assert len(lines) >= 2
    assert counts == f"1 contract: {len(lines)} errors, 0 warnings"


def test_a_folder_is_searched_for_contracts_by_name_and_by_kind(tmp_path: Path) -> None:
    publish(tmp_path / "a")
    named = publish(tmp_path / "b", edit=lambda text: text.replace("sales", "shops"))
    named.rename(named.with_name("renamed.yml"))
    (tmp_path / "values.yaml").write_text("kind: Other\n")
    assert call("lint", tmp_path).out.startswith("2 contracts:")


def test_a_file_named_twice_is_read_once(tmp_path: Path) -> None:
    path = publish(tmp_path)
    assert call("lint", path, tmp_path, path).out.startswith("1 contract:")


def test_two_contracts_of_one_product_are_an_error_as_for_the_agent(tmp_path: Path) -> None:
    first, second = publish(tmp_path / "a"), publish(tmp_path / "b")
    ended = call("lint", tmp_path)
    problem, counts = ended.out.splitlines()
    taken = f"the product 'sales/orders' is promised by {first} already"
    assert problem == f"{second}: name: {taken}; give one of them another name or domain"
    assert (ended.code, counts) == (1, "2 contracts: 1 error, 0 warnings")


def test_a_retired_contract_leaves_its_product_to_another(tmp_path: Path) -> None:
    publish(tmp_path / "a", edit=lambda text: text.replace("status: active", "status: retired"))
    publish(tmp_path / "b")
    assert call("lint", tmp_path).code == 0


def test_a_place_that_is_not_there_or_holds_no_contract_is_64(tmp_path: Path) -> None:
    missing, empty = tmp_path / "missing.yaml", tmp_path / "empty"
    empty.mkdir()
    ended = call("lint", missing)
    assert (ended.code, ended.err) == (64, f"{missing}: no such file or folder\n")
    ended = call("lint", empty)
    assert ended.code == 64
    assert ended.err.startswith(f"{empty}: no contract in this folder")
