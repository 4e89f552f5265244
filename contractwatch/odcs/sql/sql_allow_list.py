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
    exp.AtTimeZone,
    exp.Bracket,
    exp.Cube,
    exp.GroupingSets,
    exp.JSONPath,
    exp.JSONPathPart,
    exp.Lateral,
    exp.Rollup,
    exp.Slice,
    exp.Unnest,
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

CONDITION_FUNCTIONS = frozenset(
    """
    ABS CAST CEIL COALESCE CONCAT ENDS_WITH EXTRACT FLOOR LEFT LENGTH LOWER LTRIM MOD NULLIF
    REGEXP_LIKE REPLACE RIGHT ROUND RTRIM STARTS_WITH SUBSTRING TRIM TRY_CAST UPPER
    """.split()  # noqa: SIM905 - as a list it would be a page long
)
"""Functions that a condition on one row is written with, by their names in Polars' SQL."""

QUERY_FUNCTIONS = frozenset(
    """
    ABS ACOS ACOSH AGE ANY_VALUE APPROX_COUNT_DISTINCT APPROX_QUANTILE ARG_MAX ARG_MIN ARRAY
    ARRAY_AGG ARRAY_CONTAINS ARRAY_DISTINCT ARRAY_EXTRACT ARRAY_HAS ARRAY_LENGTH ARRAY_REVERSE
    ARRAY_SLICE ARRAY_SORT ARRAY_TO_STRING ARRAY_UNIQUE ASCII ASIN ASINH ATAN ATAN2 ATANH AVG
    BIT_AND BIT_COUNT BIT_LENGTH BIT_OR BIT_XOR BOOL_AND BOOL_OR CARDINALITY CAST CBRT CEIL CHR
    CENTURY COALESCE CONCAT CONCAT_WS CONTAINS CORR COS COSH COT COUNT COUNT_IF COVAR_POP
    COVAR_SAMP CUME_DIST DAMERAU_LEVENSHTEIN DATE DATE_ADD DATE_DIFF DATE_PART DATE_SUB DATE_TRUNC
    DATEDIFF DAY DAYNAME DAYOFMONTH DAYOFWEEK DAYOFYEAR DECADE DEGREES DENSE_RANK ELEMENT_AT
    ENDS_WITH ENTROPY EPOCH EPOCH_MS EPOCH_NS EPOCH_US EVEN EXISTS EXP EXTRACT FACTORIAL FIRST
    FIRST_VALUE FLATTEN FLOOR FMOD FSUM GCD GET_CURRENT_TIMESTAMP GREATEST GROUPING GROUPING_ID
    HAMMING HASH HEX HISTOGRAM HOUR IF IFNULL INSTR ISFINITE ISINF ISNAN ISODOW ISOYEAR JACCARD
    JARO_SIMILARITY JARO_WINKLER_SIMILARITY JSON JSON_ARRAY_LENGTH JSON_CONTAINS JSON_EXISTS
    JSON_EXTRACT JSON_EXTRACT_STRING JSON_KEYS JSON_TYPE JSON_VALID JSON_VALUE KAHAN_SUM KURTOSIS
    KURTOSIS_POP LAG LAST LAST_DAY LAST_VALUE LCM LEAD LEAST LEFT LEN LENGTH LEVENSHTEIN LGAMMA
    LIST LISTAGG LIST_AGGREGATE LIST_AVG LIST_CONCAT LIST_CONTAINS LIST_COUNT LIST_DISTINCT
    LIST_EXTRACT LIST_FIRST LIST_HAS_ALL LIST_HAS_ANY LIST_INTERSECT LIST_LAST LIST_MAX LIST_MEDIAN
    LIST_MIN LIST_POSITION LIST_REVERSE LIST_REVERSE_SORT LIST_SLICE LIST_SORT LIST_SUM
    LIST_TRANSFORM LIST_UNIQUE LIST_VALUE LN LOG LOG10 LOG2 LOWER LPAD LTRIM MAD MAKE_DATE
    MAKE_TIME MAKE_TIMESTAMP
    MAP_CONTAINS MAP_EXTRACT MAP_KEYS MAP_VALUES MAX MAX_BY MD5 MEAN MEDIAN MICROSECOND
    MILLISECOND MIN MINUTE MIN_BY MISMATCHES MOD MODE MONTH MONTHNAME NANOSECOND NEXTAFTER
    NFC_NORMALIZE NOW NTH_VALUE NTILE NULLIF OCTET_LENGTH ORD PERCENT_RANK PI POSITION POW POWER
    PREFIX PRODUCT QUANTILE QUANTILE_CONT QUANTILE_DISC QUARTER RADIANS RANK REGEXP_ESCAPE
    REGEXP_EXTRACT REGEXP_EXTRACT_ALL REGEXP_FULL_MATCH REGEXP_MATCHES REGEXP_REPLACE
    REGEXP_SPLIT_TO_ARRAY REGR_AVGX REGR_AVGY REGR_COUNT REGR_INTERCEPT REGR_R2 REGR_SLOPE REGR_SXX
    REGR_SXY REGR_SYY REPLACE REVERSE RIGHT ROUND ROUND_EVEN ROW ROW_NUMBER RPAD RTRIM SECOND SEM
    SHA1 SHA256 SIGN SIGNBIT SIN SINH SKEWNESS SPLIT_PART SQRT STARTS_WITH STDDEV STDDEV_POP
    STDDEV_SAMP STRFTIME STRING_AGG STRIP_ACCENTS STRLEN STRPOS STRPTIME STRUCT_EXTRACT STRUCT_PACK
    STR_SPLIT STR_SPLIT_REGEX SUBSTRING SUFFIX SUM TAN TANH TIMEZONE TIME_BUCKET TODAY TO_BASE64
    TO_DAYS TO_HOURS TO_JSON TO_MICROSECONDS TO_MILLISECONDS TO_MINUTES TO_MONTHS TO_SECONDS
    TO_TIMESTAMP TO_WEEKS TO_YEARS TRANSLATE TRIM TRUNC TRY_CAST TRY_STRPTIME TYPEOF UNHEX UNICODE
    UPPER URL_DECODE URL_ENCODE VAR_POP VARIANCE VAR_SAMP WEEK WEEKDAY WEEKOFYEAR XOR YEAR YEARWEEK
    """.split()  # noqa: SIM905 - as above
)
"""Functions that a query may call, by their names in DuckDB.

None reads or makes a table, a file or a setting, sleeps, writes, or is random; none makes a long
value of a short one (`repeat`, `range`, `list_resize`, `format`).
"""

OTHER_NAMES = {
    "ARRAY_GET": "LIST_EXTRACT",
    "ARRAY_LOWER": "LIST_MIN",
    "ARRAY_MEAN": "LIST_AVG",
    "ARRAY_SUM": "LIST_SUM",
    "ARRAY_UPPER": "LIST_MAX",
    "NORMALIZE": "NFC_NORMALIZE",
}
"""Functions that DuckDB has under another name."""

DATABASE_FUNCTIONS = frozenset(
    """
    ABS ACOS AGE ASIN ATAN ATAN2 AVG BIT_LENGTH BOOL_AND BOOL_OR BTRIM CAST CBRT CEIL CEILING
    CHARACTER_LENGTH CHAR_LENGTH COALESCE CONCAT CONCAT_WS CORR COS COT COUNT COVAR_POP COVAR_SAMP
    CUME_DIST CURDATE CURRENT_DATE CURRENT_TIMESTAMP DATE DATEDIFF DATE_ADD DATE_DIFF DATE_FORMAT
    DATE_PART DATE_SUB DATE_TRUNC DAY DAYNAME DAYOFMONTH DAYOFWEEK DAYOFYEAR DEGREES DENSE_RANK
    EPOCH EXP EXTRACT FIRST_VALUE FLOOR FROM_UNIXTIME GREATEST HOUR IF IFNULL INITCAP ISNULL LAG
    LAST_DAY LAST_VALUE LEAD LEAST LEFT LENGTH LN LOCATE LOG LOG10 LOG2 LOWER LPAD LTRIM MAX MEDIAN
    MIN MINUTE MOD MODE MONTH NOW NTH_VALUE NTILE NULLIF OCTET_LENGTH PERCENTILE_CONT
    PERCENTILE_DISC PERCENT_RANK PI POSITION POW POWER QUANTILE_CONT QUANTILE_DISC QUARTER RADIANS
    RANK REGEXP_INSTR REGEXP_LIKE REGEXP_MATCHES REGEXP_REPLACE REPLACE REVERSE RIGHT ROUND
    ROW_NUMBER RPAD RTRIM SECOND SIGN SIN SPLIT_PART SQRT STARTS_WITH STDDEV STDDEV_POP STDDEV_SAMP
    STRFTIME STRPOS STR_TO_DATE SUBSTR SUBSTRING SUBSTRING_INDEX SUM TAN TIMESTAMPDIFF TO_CHAR
    TO_DATE TO_TIMESTAMP TRANSLATE TRIM TRUNC TRUNCATE TRY_CAST UNIX_TIMESTAMP UPPER VARIANCE
    VAR_POP VAR_SAMP WEEK WEEKDAY YEAR
    """.split()  # noqa: SIM905 - as above
)
"""Functions that a database may be asked to run: pure, and none makes much out of little."""

TYPE_WORDS = frozenset(
    """
    BIGINT BINARY CHAR CHARACTER DATETIME DECIMAL DOUBLE FLOAT NUMERIC TEXT TIME TIMESTAMP
    TIMESTAMPTZ VARBINARY VARCHAR VARYING
    """.split()  # noqa: SIM905 - as above
)
"""Names of types that may precede their digits in parentheses."""

CATALOG_PREFIXES = ("duckdb_", "information_schema", "pg_", "pragma_", "sqlite_")
"""Beginnings of the names of the engine's own tables."""

REFUSED_WORDS = frozenset(
    """
    CURRENT_CATALOG CURRENT_DATABASE CURRENT_ROLE CURRENT_SCHEMA CURRENT_USER SESSION_USER
    USER
    """.split()  # noqa: SIM905 - as above
)
"""Words that call a function without parentheses, and tell of the engine."""

WORDS_BEFORE_PARENTHESES = frozenset(
    """
    ALL AND ANY AS BETWEEN BY CASE CUBE DISTINCT ELSE ESCAPE EXCEPT EXCLUDE EXISTS FILTER FROM
    GROUP HAVING ILIKE IN INTERSECT IS JOIN LATERAL LIKE LIMIT MATERIALIZED NOT OFFSET ON OR OVER
    QUALIFY RENAME REPLACE ROLLUP SELECT SETS THEN UNION UNNEST USING WHEN WHERE WITH
    """.split()  # noqa: SIM905 - as above
)
"""Keywords that may precede a parenthesis without calling a function."""

WRITE_NODES = (exp.Create, exp.Delete, exp.Drop, exp.Insert, exp.Into, exp.Merge, exp.Update)
"""Nodes that would change data."""

FORBIDDEN_NODES = (
    exp.ExplodingGenerateSeries,
    exp.GenerateSeries,
    exp.Kwarg,
    exp.Lambda,
    exp.Operator,
    exp.SimilarTo,
)
"""What no query may hold, though its class is of the allowed kind."""

FORBIDDEN_IN_CONDITIONS = (
    *FORBIDDEN_NODES,
    exp.Explode,
    exp.Lateral,
    exp.PropertyEQ,
    exp.UDTF,
)
"""What no condition on one row may hold, though its class is of the allowed kind."""

FORBIDDEN_IN_DATABASES = (
    *FORBIDDEN_IN_CONDITIONS,
    exp.Bracket,
    exp.JSONPath,
    exp.Lock,
    exp.Slice,
    exp.Unnest,
)
"""What no query of a database may hold, though its class is of the allowed kind."""

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
    "similarto": "SIMILAR TO (write LIKE or ~)",
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
