"""Open the record read-only, beside a running agent."""

from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from contractwatch.cli.record_access.record_messages import unknown_product_message
from contractwatch.errors import UsageError
from contractwatch.model.record.product import ProductRecord
from contractwatch.settings import environment, load_settings
from contractwatch.store.store import Store
from contractwatch.web.views.did_you_mean import near_names


@contextmanager
def open_record(config: Path | None) -> Generator[Store]:
    """Open the store that the settings name, to read only.

    Raises:
        SettingsError: If the settings are wrong.
        StoreError: If the store cannot be read.
    """
    store = Store.open(load_settings(config, environment()).store_url, read_only=True)
    try:
        yield store
    finally:
        store.close()


def require_record(store: Store, product: str) -> ProductRecord:
    """Return the record of a product that is served.

    Raises:
        UsageError: If there is none of that name; the message lists names like it.
    """
    served = store.products()
    record = store.record(product) if product in served else None
    if record is None:
        raise UsageError(unknown_product_message(product, near_names(product, served)))
    return record
