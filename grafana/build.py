"""The two dashboards are code: run this file to rewrite `dashboards/*.json`.

`python grafana/build.py --check` writes nothing and exits 1 if a committed file is out of date.
"""

import json
import sys
import warnings
from collections.abc import Callable
from pathlib import Path

from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.models import common
from grafana_foundation_sdk.models import dashboard as models
from grafana_foundation_sdk.models.prometheus import PromQueryFormat
from panels import FLEET, PRODUCT, Kind, Panel, Steps

with warnings.catch_warnings():
    # the first schema is chosen: Grafana 10 and 11 do not read a file of the second
    warnings.simplefilter("ignore", DeprecationWarning)
    from grafana_foundation_sdk.builders import common as parts
    from grafana_foundation_sdk.builders import dashboard as dashboards
    from grafana_foundation_sdk.builders import prometheus, stat, table, timeseries

HERE = Path(__file__).parent
FLEET_UID = "contractwatch-fleet"
PRODUCT_UID = "contractwatch-product"
SOURCE = common.DataSourceRef(type_val="prometheus", uid="${datasource}")
UNTOLD = {"Time": True, "__name__": True, "instance": True, "job": True, "Value": False}

Drawn = stat.Panel | timeseries.Panel | table.Panel


def fleet() -> dashboards.Dashboard:
    """Return the dashboard of all products and of the agent itself."""
    what = "All data products, and the agent that watches them."
    board = _dashboard("contractwatch: fleet", FLEET_UID, what)
    return _filled(board.link(_link("One product", PRODUCT_UID)), FLEET)


def product() -> dashboards.Dashboard:
    """Return the dashboard of one product, chosen by its name."""
    board = _dashboard("contractwatch: product", PRODUCT_UID, "One product and its promises.")
    board = board.with_variable(_product_variable())
    return _filled(board.link(_link("Fleet", FLEET_UID)), PRODUCT)


DASHBOARDS: dict[str, Callable[[], dashboards.Dashboard]] = {
    "fleet.json": fleet,
    "product.json": product,
}


def rendered() -> dict[str, str]:
    """Return the text of each dashboard file by its name."""
    return {
        name: json.dumps(build().build(), cls=JSONEncoder, indent=2, sort_keys=True) + "\n"
        for name, build in DASHBOARDS.items()
    }


def main(arguments: list[str]) -> int:
    """Write the dashboards, or with `--check` only compare them; return the exit code."""
    stale = 0
    for name, text in rendered().items():
        path = HERE / "dashboards" / name
        if "--check" not in arguments:
            path.write_text(text, encoding="utf-8")
        elif not path.exists() or path.read_text(encoding="utf-8") != text:
            print(f"{name} is out of date: run python grafana/build.py", file=sys.stderr)
            stale = 1
    return stale


def _dashboard(title: str, uid: str, what: str) -> dashboards.Dashboard:
    source = dashboards.DatasourceVariable("datasource").label("Data source").type("prometheus")
    return (
        dashboards.Dashboard(title)
        .uid(uid)
        .description(what)
        .tags(["contractwatch", "data contracts"])
        .timezone("browser")
        .time("now-24h", "now")
        .refresh("1m")
        .tooltip(models.DashboardCursorSync.CROSSHAIR)
        .with_variable(source)
    )


def _filled(board: dashboards.Dashboard, panels: tuple[Panel, ...]) -> dashboards.Dashboard:
    for number, panel in enumerate(panels, start=1):
        x, y, width, height = panel.place
        drawn = (
            _DRAW[panel.kind](panel)
            .id(number)
            .title(panel.title)
            .description(panel.what)
            .datasource(SOURCE)
            .grid_pos(models.GridPos(x=x, y=y, w=width, h=height))
            .unit(panel.unit)
        )
        board = board.with_panel(drawn)
    return board


def _link(title: str, uid: str) -> dashboards.DashboardLink:
    return dashboards.DashboardLink(title).type(models.DashboardLinkType.LINK).url(f"/d/{uid}")


def _product_variable() -> dashboards.QueryVariable:
    values = "label_values(contractwatch_product_info, product)"
    return (
        dashboards.QueryVariable("product")
        .label("Product")
        .datasource(SOURCE)
        .query({"query": values, "refId": "products"})
        .definition(values)
        .refresh(models.VariableRefresh.ON_TIME_RANGE_CHANGED)
        .sort(models.VariableSort.ALPHABETICAL_ASC)
    )


def _target(panel: Panel, number: int = 0) -> prometheus.Dataquery:
    query, legend = panel.queries[number]
    target = prometheus.Dataquery().expr(query).ref_id("ABCDEF"[number]).datasource(SOURCE)
    target = target.range() if panel.kind is Kind.SERIES else target.instant()
    return target.legend_format(legend) if legend else target


def _thresholds(steps: Steps) -> dashboards.ThresholdsConfig:
    levels = [models.Threshold(value=value, color=color) for value, color in steps]
    return dashboards.ThresholdsConfig().mode(models.ThresholdsMode.ABSOLUTE).steps(levels)


def _stat(panel: Panel) -> stat.Panel:
    return (
        stat.Panel()
        .thresholds(_thresholds(panel.steps))
        .color_mode(common.BigValueColorMode.VALUE)
        .graph_mode(common.BigValueGraphMode.NONE)
        .reduce_options(parts.ReduceDataOptions().calcs(["lastNotNull"]))
        .with_target(_target(panel))
    )


def _name(panel: Panel) -> stat.Panel:
    return _stat(panel).text_mode(common.BigValueTextMode.NAME)


def _series(panel: Panel) -> timeseries.Panel:
    legend = (
        parts.VizLegendOptions()
        .display_mode(common.LegendDisplayMode.LIST)
        .placement(common.LegendPlacement.BOTTOM)
        .show_legend(show_legend=True)
    )
    drawn = timeseries.Panel().line_width(1).fill_opacity(8).legend(legend)
    for number in range(len(panel.queries)):
        drawn = drawn.with_target(_target(panel, number))
    return drawn


def _table(panel: Panel) -> table.Panel:
    organize = models.DataTransformerConfig(id_val="organize", options={"excludeByName": UNTOLD})
    return (
        table.Panel()
        .with_target(_target(panel).format(PromQueryFormat.TABLE))
        .with_transformation(organize)
    )


_DRAW: dict[Kind, Callable[[Panel], Drawn]] = {
    Kind.STAT: _stat,
    Kind.NAME: _name,
    Kind.SERIES: _series,
    Kind.TABLE: _table,
}


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
