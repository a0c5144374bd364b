"""People and programs before the portal: one host, one log-in or token each."""

from typing import Any
from urllib.parse import urlsplit

import httpx

from tests.system.installation import PASSWORD, Installation


class Desk:
    """Asks one place of an installation; what is refused fails with the answer."""

    def __init__(self, installation: Installation, place: str, token: str = "") -> None:
        # Python does not resolve *.localhost; the portal goes by the Host header.
        headers = {"Host": f"{place}.localhost:{installation.portal}"}
        headers |= {"Authorization": f"Bearer {token}"} if token else {}
        base = f"http://127.0.0.1:{installation.portal}"
        # A portal that is just being started again is asked once more.
        patient = httpx.HTTPTransport(retries=6, trust_env=False)
        self._http = httpx.Client(base_url=base, headers=headers, timeout=60, transport=patient)

    def log_in(self, email: str) -> "Desk":
        """Log in by the page that people use."""
        self.page("/account/login/")
        self.send("/account/login/", login=email, password=PASSWORD)
        return self

    def page(self, path: str, **query: Any) -> str:
        """Return a page's text."""
        return self._good(self._http.get(path, params=query or None)).text

    def file(self, path: str) -> bytes:
        """Return a file's bytes."""
        return self._good(self._http.get(path)).content

    def send(self, path: str, **fields: Any) -> str:
        """Send a form; return the path that the answer leads to."""
        fields["csrfmiddlewaretoken"] = self._http.cookies.get("csrf", "")
        answer = self._http.post(path, data=fields)
        assert answer.status_code == 302, f"{path}: {answer.status_code} {answer.text[:4000]}"
        return urlsplit(answer.headers["Location"]).path

    def ask(self, path: str, **query: Any) -> Any:
        """Return what the API has; lists whole, to their last page."""
        found = self._good(self._http.get(f"/api/v1/{path}", params=query)).json()
        if not isinstance(found, dict) or "results" not in found:
            return found
        rows = list(found["results"])
        while found["next"]:
            split = urlsplit(found["next"])
            found = self._good(self._http.get(f"{split.path}?{split.query}")).json()
            rows += found["results"]
        return rows

    def tell(self, path: str, **facts: Any) -> Any:
        """Write by the API, and return its answer."""
        return self._good(self._http.post(f"/api/v1/{path}", json=facts)).json()

    def post(self, path: str, body: bytes, **headers: str) -> int:
        """Send bytes as they are; return the status."""
        return self._http.post(path, content=body, headers=headers).status_code

    def _good(self, answer: httpx.Response) -> httpx.Response:
        where = answer.request.url
        assert answer.is_success, f"{answer.request.method} {where}: {answer.status_code} {answer.text[:4000]}"
        return answer
