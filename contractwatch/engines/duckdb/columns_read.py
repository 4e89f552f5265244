"""Find the columns of a table that a query may read, so that no other is read from the files."""

from collections.abc import Collection

from sqlglot import exp


def columns_read(root: exp.Expr, columns: Collection[str]) -> list[str]:
    """Return the columns that a query may read, in the order of the table.

    Names are compared in either case, as SQL does; of several that differ in case alone those that
    the query spells are taken. A star, a natural join or a row as a value need all.

    Args:
        root: The parsed query.
        columns: All columns of the table.
    """
    spelt = {one.name for one in root.find_all(exp.Identifier)}
    if _needs_all(root):
        return list(columns)
    lower = {name.lower() for name in spelt - set(columns)}
    exact = {name.lower() for name in columns if name in spelt}
    return [
        name
        for name in columns
        if name in spelt or (name.lower() in lower and name.lower() not in exact)
    ]


def same_but_for_case(columns: Collection[str]) -> tuple[str, str] | None:
    """Return two columns that SQL cannot tell apart, or None."""
    seen: dict[str, str] = {}
    for name in columns:
        other = seen.setdefault(name.lower(), name)
        if other != name:
            return other, name
    return None


def _needs_all(root: exp.Expr) -> bool:
    if any(not isinstance(star.parent, exp.Count) for star in root.find_all(exp.Star)):
        return True
    if any(join.args.get("method") == "NATURAL" for join in root.find_all(exp.Join)):
        return True
    named = (exp.Table, exp.Subquery, exp.CTE)
    rows = {one.alias_or_name.lower() for kind in named for one in root.find_all(kind)}
    return any(not one.table and one.name.lower() in rows for one in root.find_all(exp.Column))
