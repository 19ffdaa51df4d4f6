"""The least a WSGI server can do: a few bytes, no framework."""

BODY = b"hello"


def application(environ, start_response):
    start_response("200 OK", [("Content-Type", "text/plain"), ("Content-Length", str(len(BODY)))])
    return [BODY]
