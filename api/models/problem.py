from api.models.base import Model


class Problem(Model):
    """RFC 9457 problem document, the body of every error."""

    type: str = "about:blank"
    title: str
    status: int
    detail: str = ""
