"""aiohttp's errors said in the words of the standard library, so that both doors explain them in one place."""

import http.client

import aiohttp


def translate(error: Exception) -> Exception:
    """The underlying error of a connection that failed, or the nearest standard one."""
    match error:
        case TimeoutError():
            return error
        case aiohttp.ClientConnectorCertificateError():
            return error.certificate_error
        case aiohttp.ClientConnectorError():
            return error.os_error
        case aiohttp.ServerDisconnectedError() | aiohttp.ClientPayloadError():
            return ConnectionResetError("the connection ended early")
        case aiohttp.ClientResponseError():
            return http.client.HTTPException("the answer is not HTTP")
        case OSError():
            return error
        case aiohttp.ClientConnectionError():
            return ConnectionResetError("the connection ended early")
    return error
