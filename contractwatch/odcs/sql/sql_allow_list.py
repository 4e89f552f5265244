"""The allow-list of SQL: the kinds of expression that a contract's query may consist of."""

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
"""Nodes that a condition on one row may consist of."""

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
"""Nodes that a query may consist of."""

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

ALLOWED_FUNCTIONS = frozenset(
    """
    ABS ACOS ARRAY_AGG ARRAY_CONTAINS ARRAY_GET ARRAY_LENGTH ARRAY_LOWER ARRAY_MEAN ARRAY_REVERSE
    ARRAY_SUM ARRAY_TO_STRING ARRAY_UNIQUE ARRAY_UPPER ASIN ATAN ATAN2 AVG BIT_COUNT BIT_LENGTH
    CAST CBRT CEIL COALESCE CONCAT CONCAT_WS CORR COS COT COUNT COVAR_POP COVAR_SAMP CUME_DIST
    CURRENT_TIMESTAMP DATE DATE_TRUNC DATETIME DAY DEGREES DENSE_RANK ENDS_WITH EXISTS EXP EXTRACT
    FIRST FIRST_VALUE FLOOR GREATEST GROUP_CONCAT GROUPING HOUR INITCAP LAG LAST LAST_VALUE LEAD
    LEAST LEFT LENGTH LN LOG10 LOG1P LOG2 LOWER LPAD LTRIM MAX MEDIAN MIN MINUTE MONTH NORMALIZE
    NTH_VALUE NTILE NULLIF OCTET_LENGTH PERCENT_RANK PI POWER QUANTILE_CONT QUANTILE_DISC QUARTER
    RADIANS RANK REGEXP_LIKE REGEXP_REPLACE REPLACE REVERSE RIGHT ROUND ROW_NUMBER RPAD RTRIM
    SECOND SIGN SIN SPLIT_PART SQRT STARTS_WITH STDDEV STDDEV_SAMP STRFTIME STRING_TO_ARRAY STRPOS
    STRPTIME SUBSTRING SUM TAN TIME TIMESTAMP TRIM TRUNC TRY_CAST UPPER VARIANCE WEEK YEAR
    """.split()  # noqa: SIM905 - as a list it would be a page long
)
"""Functions that are run, by their names in Polars' SQL; none reads or makes a table."""

WORDS_BEFORE_PARENTHESES = frozenset(
    """
    ALL AND ANY AS BETWEEN BY CASE CUBE DISTINCT ELSE EXCEPT EXCLUDE EXISTS FILTER FROM GROUP HAVING
    ILIKE IN INTERSECT IS JOIN LIKE LIMIT NOT OFFSET ON OR OVER QUALIFY RENAME REPLACE ROLLUP SELECT
    THEN UNION USING WHEN WHERE WITH
    """.split()  # noqa: SIM905 - as above
)
"""Keywords that may precede a parenthesis without calling a function."""

WRITE_NODES = (exp.Create, exp.Delete, exp.Drop, exp.Insert, exp.Into, exp.Merge, exp.Update)
"""Nodes that would change data."""

FORBIDDEN_NODES = (
    exp.Explode,
    exp.ExplodingGenerateSeries,
    exp.GenerateSeries,
    exp.Kwarg,
    exp.Lambda,
    exp.Lateral,
    exp.Operator,
    exp.PropertyEQ,
    exp.UDTF,
)
"""What no query may hold, though its class is of the allowed kind."""

BOOLEAN_NODES = (
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
"""Nodes whose value is a boolean."""

CONSTRUCT_NAMES = {
    "jsonpath": "a path into JSON (->, ->>, json_extract)",
    "kwarg": "a named argument (=>)",
    "lambda": "a lambda (->)",
    "explode": "UNNEST",
    "explodinggenerateseries": "generate_series",
    "generateseries": "generate_series",
    "lock": "FOR UPDATE",
    "operator": "OPERATOR ( )",
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
"""What messages call a part of SQL, by its name in the parser."""
