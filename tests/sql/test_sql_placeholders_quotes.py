"""Placeholders are quoted as names of the dialect that the query is written in."""

import pytest

from contractwatch.model.contract.contract import Contract
from contractwatch.odcs.load import parse_contract

CONTRACT = """\
apiVersion: v3.1.0
kind: DataContract
id: orders-1
name: orders
version: 1.0.0
status: active
domain: sales
servers:
{servers}
schema:
  - name: orders
    properties:
      - name: select
        logicalType: integer
        quality:
          - type: sql
            query: "SELECT MAX({{property}}) FROM {{object}}"
            mustBeGreaterThan: 0
{more}
"""
MYSQL = "  - {server: m, type: mysql, host: h, port: 3306, database: shop}\n"
POSTGRES = "  - {server: p, type: postgres, host: h, port: 5432, database: shop, schema: public}\n"
FILES = "  - {server: f, type: local, path: orders.csv, format: csv}\n"
DIALECT = "            customProperties: [{property: contractwatch.dialect, value: mysql}]"


def contract(servers: str, more: str = "") -> Contract:
    text = CONTRACT.format(servers=servers, more=more)
    return parse_contract(text.encode(), "orders.yaml")[0]


@pytest.mark.parametrize(
    ("servers", "quote"),
    [(MYSQL, "`"), (POSTGRES, '"'), (FILES + MYSQL, "`"), (FILES + POSTGRES, '"')],
)
def test_a_database_gets_names_in_its_own_quotes(servers: str, quote: str) -> None:
    (rule,) = contract(servers).tables[0].queries
    assert rule.written == f"SELECT MAX({quote}select{quote}) FROM {quote}orders{quote}"


def test_names_for_databases_that_quote_differently_are_skipped_with_the_reason() -> None:
    found = contract(MYSQL + POSTGRES)
    assert not found.tables[0].queries
    assert any("quote names differently" in one.reason for one in found.skipped)


def test_a_rule_in_a_dialect_of_backticks_reads_the_column_and_not_its_name() -> None:
    (rule,) = contract(FILES, DIALECT).tables[0].queries
    assert 'MAX("select")' in rule.query
