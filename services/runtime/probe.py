"""`python -m services.runtime.probe URL`: is the service there? For health checks of containers, which have no curl."""

import sys
from http.client import HTTPConnection, HTTPException
from urllib.parse import urlsplit

TIMEOUT = 2.0  # seconds


def probe(url: str) -> str:
    """Ask an http URL; empty when it answers 200, else what it answered instead (the reasons of /livez or /readyz)."""
    parts = urlsplit(url)
    if parts.scheme != "http" or not parts.hostname:
        return f"{url!r} is not an http URL: http://127.0.0.1:9103/livez"
    connection = HTTPConnection(parts.hostname, parts.port, timeout=TIMEOUT)
    try:
        connection.request("GET", parts.path or "/")
        answer = connection.getresponse()
        body = answer.read().decode(errors="replace").strip()
    except (OSError, HTTPException) as error:
        return f"{url}: {error}"
    finally:
        connection.close()
    return "" if answer.status == 200 else f"{url} answered {answer.status}: {body}"


def main() -> None:
    """Ends with 1, and says why, when it is not."""
    if len(sys.argv) != 2:
        sys.exit("usage: python -m services.runtime.probe http://127.0.0.1:9103/livez")
    if trouble := probe(sys.argv[1]):
        sys.exit(trouble)


if __name__ == "__main__":
    main()
