"""Bounded decompression: a small body must not become a large one, nor take long."""

import sys
import zlib
from collections.abc import Callable, Generator, Iterable, Iterator
from functools import partial

from collector.errors import BadPayload, TooLarge, UnsupportedEncoding

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

CHUNK_BYTES = 1 << 20
WINDOW_BYTES = 1 << 16
ZSTD_WINDOW_LOG = 23  # 8 MiB, what RFC 8878 recommends to support: a frame may ask for gigabytes
MOST_MEMBERS = 1024  # 16 MiB can hold 800,000 empty gzip members, which would take seconds

Take = Callable[[int], object]
Decoder = Callable[[memoryview], Generator[bytes, None, int]]


def find_decoder(encoding: str) -> Callable[[bytes, int, Take], bytes]:
    """Return the function that decodes a Content-Encoding: none, identity, gzip, deflate or zstd, in any case.

    It decodes every member of a stream of several. Its arguments are the body, the limit of the result in bytes, and
    a function that is called with the size of each piece that comes out, to reserve its memory. It raises TooLarge
    when more than the limit comes out or zstd asks for a window above 8 MiB, and BadPayload when the body is not in
    that encoding, truncated, or has a wrong checksum.

    Raises:
        UnsupportedEncoding: any other encoding, or more than one.
    """
    kind = encoding.strip().lower()
    if kind not in _DECODERS:
        raise UnsupportedEncoding(
            f"Content-Encoding {encoding[:100]!r} is not supported; use gzip, deflate, zstd or none"
        )
    return _DECODERS[kind]


def _identity(body: bytes, _limit_bytes: int, _take: Take) -> bytes:
    return body


def _gzip(body: bytes, limit_bytes: int, take: Take) -> bytes:
    try:
        return _collect(_members(body, partial(_inflate, wbits=31)), limit_bytes, take)
    except zlib.error as error:
        raise BadPayload(f"the body is not valid gzip ({error})") from error


def _deflate(body: bytes, limit_bytes: int, take: Take) -> bytes:
    """Decode the zlib format that the name means by its standard, or the raw stream that some send under it."""
    try:
        return _collect(_single(body, partial(_inflate, wbits=15)), limit_bytes, take)
    except zlib.error as not_zlib:
        try:
            return _collect(_single(body, partial(_inflate, wbits=-15)), limit_bytes, take)
        except zlib.error:
            raise BadPayload(f"the body is not valid deflate ({not_zlib})") from not_zlib


def _zstd(body: bytes, limit_bytes: int, take: Take) -> bytes:
    try:
        return _collect(_members(body, _unzstd), limit_bytes, take)
    except zstd.ZstdError as error:
        if "too much memory" in str(error):
            raise TooLarge(f"the zstd body needs a window above {1 << ZSTD_WINDOW_LOG} bytes") from error
        raise BadPayload(f"the body is not valid zstd ({error})") from error


_DECODERS = {"": _identity, "identity": _identity, "gzip": _gzip, "x-gzip": _gzip, "deflate": _deflate, "zstd": _zstd}


def _collect(pieces: Iterable[bytes], limit_bytes: int, take: Take) -> bytes:
    found, total = [], 0
    for piece in pieces:
        total += len(piece)
        if total > limit_bytes:
            raise TooLarge(f"the body is larger than {limit_bytes} bytes after decompression; send smaller batches")
        take(len(piece))
        found.append(piece)
    return b"".join(found)


def _members(body: bytes, decode: Decoder) -> Iterator[bytes]:
    """Yield the pieces of every member; an empty body has none and is no stream."""
    view, position = memoryview(body), 0
    for _ in range(MOST_MEMBERS):
        position += yield from decode(view[position:])
        if position == len(view):
            return
    raise BadPayload(f"the compressed body consists of more than {MOST_MEMBERS} members; send one")


def _single(body: bytes, decode: Decoder) -> Iterator[bytes]:
    used = yield from decode(memoryview(body))
    if used != len(body):
        raise BadPayload(f"{len(body) - used} bytes follow the compressed body")


def _inflate(view: memoryview, wbits: int) -> Generator[bytes, None, int]:
    """Yield the pieces of one zlib stream and return how many bytes of *view* it took.

    The input goes in by small windows because the decoder copies what it did not use.
    """
    decoder = zlib.decompressobj(wbits)
    rest: memoryview | bytes = b""
    position = 0
    while not decoder.eof:
        if not rest:
            rest = view[position : position + WINDOW_BYTES]
            position += len(rest)
        piece = decoder.decompress(rest, CHUNK_BYTES)
        rest = decoder.unconsumed_tail
        if not (piece or rest or decoder.eof or position < len(view)):
            raise BadPayload("the compressed body ends too early")
        yield piece
    return position - len(decoder.unused_data)


def _unzstd(view: memoryview) -> Generator[bytes, None, int]:
    """Yield the pieces of one zstd frame and return how many bytes of *view* it took."""
    decoder = zstd.ZstdDecompressor(options={zstd.DecompressionParameter.window_log_max: ZSTD_WINDOW_LOG})
    position = 0
    while not decoder.eof:
        window = view[position : position + WINDOW_BYTES] if decoder.needs_input else view[:0]
        if decoder.needs_input and not window:
            raise BadPayload("the compressed body ends too early")
        position += len(window)
        yield decoder.decompress(window, CHUNK_BYTES)
    return position - len(decoder.unused_data)
