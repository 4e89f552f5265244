"""SQL of a contract consists of these parts and of no others."""

from sqlglot import exp

ROW_NODES = (
    exp.Between,
    exp.Binary,
    exp.Boolean,
    exp.Case,
    exp.Cast,
    exp.Column,
    exp.Connector,
    exp.DataType,
    exp.DataTypeParam,
    exp.Identifier,
    exp.If,
    exp.In,
    exp.Interval,
    exp.Literal,
    exp.Null,
    exp.Paren,
    exp.Tuple,
    exp.Unary,
    exp.Var,
)
"""What a condition on one row may consist of."""

QUERY_NODES = (
    *ROW_NODES,
    exp.Alias,
    exp.All,
    exp.Any,
    exp.CTE,
    exp.Distinct,
    exp.Exists,
    exp.Filter,
    exp.From,
    exp.Func,
    exp.Group,
    exp.Having,
    exp.IgnoreNulls,
    exp.Join,
    exp.Limit,
    exp.Offset,
    exp.Order,
    exp.Ordered,
    exp.Qualify,
    exp.Select,
    exp.SetOperation,
    exp.Star,
    exp.Subquery,
    exp.Table,
    exp.TableAlias,
    exp.Where,
    exp.Window,
    exp.WindowSpec,
    exp.With,
    exp.WithinGroup,
)
"""What a query may consist of."""

ROW_FUNCTIONS = (
    exp.Abs,
    exp.And,
    exp.Ceil,
    exp.Coalesce,
    exp.Concat,
    exp.EndsWith,
    exp.Extract,
    exp.Floor,
    exp.Left,
    exp.Length,
    exp.Lower,
    exp.Mod,
    exp.Nullif,
    exp.Or,
    exp.RegexpILike,
    exp.RegexpLike,
    exp.Replace,
    exp.Right,
    exp.Round,
    exp.StartsWith,
    exp.Substring,
    exp.Trim,
    exp.Upper,
)
"""Functions that a condition on one row may call."""

CHANGES = (exp.Create, exp.Delete, exp.Drop, exp.Insert, exp.Into, exp.Merge, exp.Update)
"""What would change something."""

FORBIDDEN = (exp.Kwarg, exp.Lambda, exp.Lateral, exp.PropertyEQ, exp.UDTF)
"""What no query may hold, though its class is of the allowed kind."""

TRUTHS = (
    exp.Boolean,
    exp.Column,
    exp.Connector,
    exp.EndsWith,
    exp.Not,
    exp.Predicate,
    exp.RegexpILike,
    exp.RegexpLike,
    exp.StartsWith,
)
"""What is true or false."""

CONSTRUCTS = {
    "jsonpath": "a path into JSON (->, ->>, json_extract)",
    "kwarg": "a named argument (=>)",
    "lambda": "a lambda (->)",
    "lock": "FOR UPDATE",
    "fetch": "FETCH (write LIMIT)",
    "propertyeq": "an assignment (:=)",
    "attimezone": "AT TIME ZONE",
    "bracket": "a subscript [ ]",
    "tablesample": "TABLESAMPLE",
    "parameter": "a parameter",
    "placeholder": "a placeholder",
    "groupingsets": "GROUPING SETS",
    "intervalspan": "INTERVAL ... TO",
    "columndef": "a list of columns with types",
}
"""Parts of SQL whose name in the parser says little, by that name."""
