"""A JSON response that escapes invisible characters."""

from typing import Any

from fastapi.responses import JSONResponse

from contractwatch.display import escape_json


class EscapedJSONResponse(JSONResponse):
    """JSON in which what is not visible stands as an escape: the values are exactly the same."""

    def render(self, content: Any) -> bytes:
        """Return the body."""
        return escape_json(super().render(content).decode()).encode()
