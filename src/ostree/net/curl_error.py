"""What curl's error codes become: upstream's sentences and our error classes.

The table has the texts of ``curl_easy_strerror`` in libcurl up to 8.12, which upstream's messages
are known by.  Newer libraries word some of them otherwise ("Could not connect to server"), and
older bindings cannot ask for them at all, so the library at hand is not consulted.
"""

from __future__ import annotations

from ostree.errors import FetchError, FetchTimeoutError, StatusError, TransferError
from ostree.net.fetcher import displayed_url

TIMED_OUT = 28
RANGE_NOT_DELIVERED = 33
COULD_NOT_READ_FILE = 37
SIZE_EXCEEDED = 63
#: What is wrong with a URL, a certificate or our settings stays wrong however often one asks.
_LASTING = frozenset({1, 3, 47, 53, 54, 58, 59, 60, 66, 77, 82, 83, 90, 91, 98})

_TEXTS = {
    1: "Unsupported protocol",
    2: "Failed initialization",
    3: "URL using bad/illegal format or missing URL",
    4: (
        "A requested feature, protocol or option was not found built-in in this libcurl "
        "due to a build-time decision."
    ),
    5: "Couldn't resolve proxy name",
    6: "Couldn't resolve host name",
    7: "Couldn't connect to server",
    8: "Weird server reply",
    9: "Access denied to remote resource",
    16: "Error in the HTTP2 framing layer",
    18: "Transferred a partial file",
    23: "Failed writing received data to disk/application",
    26: "Failed to open/read local data from file/application",
    27: "Out of memory",
    28: "Timeout was reached",
    33: "Requested range was not delivered by the server",
    35: "SSL connect error",
    36: "Couldn't resume download",
    37: "Couldn't read a file:// file",
    42: "Operation was aborted by an application callback",
    43: "A libcurl function was given a bad argument",
    45: "Failed binding local connection end",
    47: "Number of redirects hit maximum amount",
    49: "Malformed option provided in a setopt",
    52: "Server returned nothing (no headers, no data)",
    53: "SSL crypto engine not found",
    54: "Can not set SSL crypto engine as default",
    55: "Failed sending data to the peer",
    56: "Failure when receiving data from the peer",
    58: "Problem with the local SSL certificate",
    59: "Couldn't use specified SSL cipher",
    60: "SSL peer certificate or SSH remote key was not OK",
    61: "Unrecognized or bad HTTP Content or Transfer-Encoding",
    63: "Maximum file size exceeded",
    64: "Requested SSL level failed",
    65: "Send failed since rewinding of the data stream failed",
    66: "Failed to initialise SSL crypto engine",
    67: "Login denied",
    77: "Problem with the SSL CA cert (path? access rights?)",
    80: "Failed to shut down the SSL connection",
    82: "Failed to load CRL file (path? access rights?, format?)",
    83: "Issuer check against peer certificate failed",
    89: "The max connection limit is reached",
    90: "SSL public key does not match pinned public key",
    91: "SSL server certificate status verification FAILED",
    92: "Stream error in the HTTP/2 framing layer",
    94: "An authentication function returned an error",
    95: "HTTP/3 error",
    96: "QUIC connection error",
    97: "proxy handshake error",
    98: "SSL Client Certificate required",
    99: "Unrecoverable error in select/poll",
}


def curl_error(url: str, code: int) -> TransferError:
    """The error of a transfer that ended with curl's ``code``.

    A ``file://`` URL without a file is a :class:`StatusError` of 404, and a whole body where its
    rest was asked for one of 416, so that callers have one way to learn of such things.
    """
    text = _TEXTS.get(code, "Unknown error")
    message = f"While fetching {displayed_url(url)}: [{code}] {text}"
    if code == TIMED_OUT:
        return FetchTimeoutError(message)
    if code == COULD_NOT_READ_FILE:
        return StatusError(message, status=404)
    if code == RANGE_NOT_DELIVERED:
        return StatusError(message, status=416)
    return FetchError(message, may_pass=code not in _LASTING)
