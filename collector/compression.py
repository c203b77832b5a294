"""Bounded decompression: a small body must not become a large one."""

import zlib

from collector.errors import BadPayload, TooLarge, UnsupportedEncoding

CHUNK_BYTES = 1 << 20


def decompress(body: bytes, encoding: str, *, limit_bytes: int) -> bytes:
    """Return *body* decoded by its Content-Encoding: "", "identity" or "gzip" (all members of a multi-member stream).

    Raises:
        UnsupportedEncoding: any other encoding.
        TooLarge: more than *limit_bytes* come out; decoding stopped there.
        BadPayload: not gzip, truncated, or a wrong checksum.
    """
    kind = encoding.strip().lower()
    if kind in {"", "identity"}:
        return body
    if kind != "gzip":
        raise UnsupportedEncoding(f"Content-Encoding {encoding!r} is not supported; use gzip or none")
    return _gunzip(body, limit_bytes)


def _gunzip(body: bytes, limit_bytes: int) -> bytes:
    out = bytearray()
    rest = body
    while rest:
        member = zlib.decompressobj(wbits=31)
        try:
            while not member.eof:
                chunk = member.decompress(rest, CHUNK_BYTES)
                out += chunk
                if len(out) > limit_bytes:
                    raise TooLarge(
                        f"the body is larger than {limit_bytes} bytes after decompression; send smaller batches"
                    )
                rest = member.unconsumed_tail
                if not chunk and not rest and not member.eof:
                    raise BadPayload("the gzip body ends too early")
        except zlib.error as error:
            raise BadPayload(f"the body is not valid gzip ({error})") from error
        rest = member.unused_data
    return bytes(out)
