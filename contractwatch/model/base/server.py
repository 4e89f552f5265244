"""Server of a contract: where the data is and how it is read."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from contractwatch.model.base.clause import Clause

SEPARATORS: Mapping[str, str] = {",": '","', ";": '";"', "|": '"|"', "\t": r'"\t"'}
"""What may stand between the columns of text files, and how a contract writes it."""


class DataFormat(StrEnum):
    """File formats that are read."""

    PARQUET = "parquet"
    CSV = "csv"
    JSON = "json"
    ARROW = "arrow"
    AVRO = "avro"
    DELTA = "delta"
    ICEBERG = "iceberg"

    @property
    def is_text(self) -> bool:
        """Whether a file states no types, so that its cells are parsed to the declared ones."""
        return self in {DataFormat.CSV, DataFormat.JSON}


@dataclass(frozen=True, slots=True)
class ReadPolicy:
    """How the files of a server are read (`contractwatch.read`).

    `decimal` and `thousands` are the marks in the numbers of CSV cells; without the latter, none.
    """

    separator: str = ","
    null_values: tuple[str, ...] = ("",)
    encoding: str = "utf8"
    hive_partitioning: bool | None = None
    timezone: str = "Etc/UTC"
    lenient_types: bool = False
    decimal: str = "."
    thousands: str = ""


@dataclass(frozen=True, slots=True)
class Server:
    """Server of a contract; `kind` is the ODCS type, such as `local`, `s3` or `postgres`.

    `path` is the location of an object store, too, and `endpoint` the address of one that is not
    the provider's own. `json_array` says whether JSON is one array or one object a line; None where
    the contract does not, so that each file's first letter decides.
    `unsupported` says why its data checks are skipped; empty when it is opened.
    `host`, `port`, `database` and `schema` are those of a database, as text while they may hold
    variables; empty where the contract names none.
    """

    clause: Clause
    name: str
    kind: str
    environment: str = ""
    path: str = ""
    data_format: DataFormat | None = None
    json_array: bool | None = None
    read: ReadPolicy = ReadPolicy()
    unsupported: str = ""
    endpoint: str = ""
    host: str = ""
    port: str = ""
    database: str = ""
    schema: str = ""
