"""Tests of withdrawing a product while a run of it is saved."""

import threading

from contractwatch.agent.catalog.active_products import ActiveProducts

SECONDS = 30.0


def test_to_dismiss_a_product_waits_for_what_is_saved_of_it_and_for_nothing_else() -> None:
    served = ActiveProducts()
    dismissed = threading.Event()

    def dismiss() -> None:
        served.remove("shop/orders")
        dismissed.set()

    thread = threading.Thread(target=dismiss)
    with served.saving("shop/orders") as is_served, served.saving("shop/other"):
        assert is_served
        thread.start()
        while "shop/orders" not in served._gone:
            threading.Event().wait(0.001)
        assert not dismissed.is_set()
    thread.join(SECONDS)
    assert dismissed.is_set()


def test_a_dismissed_product_is_not_saved_until_it_is_welcome_again() -> None:
    served = ActiveProducts()
    served.remove("shop/orders")
    with served.saving("shop/orders") as is_served:
        assert not is_served
    served.add("shop/orders")
    with served.saving("shop/orders") as is_served:
        assert is_served
