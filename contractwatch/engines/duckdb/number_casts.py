"""Read columns of text as numbers where a query compares or adds them up as such.

A column of a text file that the contract does not list has no type: `amount > 5` means the number.
"""

from collections.abc import Collection

from sqlglot import exp

_COMPARED = (exp.EQ, exp.NEQ, exp.GT, exp.GTE, exp.LT, exp.LTE, exp.Between, exp.In)
_CALCULATED = (
    exp.Add,
    exp.Sub,
    exp.Mul,
    exp.Div,
    exp.IntDiv,
    exp.Mod,
    exp.Neg,
    exp.Sum,
    exp.Avg,
    exp.Abs,
)


def cast_to_numbers(root: exp.Expr, texts: Collection[str]) -> None:
    """Cast these columns in a parsed query where numbers are meant; any other cell ends it.

    Args:
        root: The query.
        texts: Names of columns that are text because nobody said otherwise.
    """
    for column in [one for one in root.find_all(exp.Column) if one.name in texts]:
        if _is_number(column):
            column.replace(exp.Cast(this=column.copy(), to=exp.DataType.build("double")))


def _is_number(column: exp.Column) -> bool:
    node: exp.Expr = column
    parent = node.parent
    while isinstance(parent, exp.Paren):
        node, parent = parent, parent.parent
    if isinstance(parent, _CALCULATED):
        return True
    if not isinstance(parent, _COMPARED):
        return False
    others = [one for one in parent.iter_expressions() if one is not node]
    return bool(others) and all(_is_numeric(one) for one in others)


def _is_numeric(node: exp.Expr) -> bool:
    bare = node.unnest()
    if isinstance(bare, exp.Neg):
        bare = bare.this
    return (isinstance(bare, exp.Literal) and not bare.is_string) or isinstance(bare, _CALCULATED)
