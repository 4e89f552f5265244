"""What every test of object stores knows: one bucket, and as whom it is asked."""

from collections.abc import Callable

from contractwatch.model.reach import Identity, Reach

BUCKET = "lake"
CREDENTIALS = {"AWS_ACCESS_KEY_ID": "an-id", "AWS_SECRET_ACCESS_KEY": "a-secret-key"}
ANY = Reach(endpoints=None, identity=Identity.NAMED)

Put = Callable[[str, bytes], None]
