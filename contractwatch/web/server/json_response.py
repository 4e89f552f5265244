"""A JSON response that escapes invisible characters."""

from typing import Any

from fastapi.responses import JSONResponse

from contractwatch.display import escape_json


class EscapedJSONResponse(JSONResponse):
    """JSON response with escapes for invisible characters; the values are unchanged."""

    def render(self, content: Any) -> bytes:
        """Return the body."""
        return escape_json(super().render(content).decode()).encode()
