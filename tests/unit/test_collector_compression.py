"""Bounded decompression."""

import gzip
import time
import tracemalloc
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collector.compression import decompress
from collector.errors import BadPayload, TooLarge, UnsupportedEncoding

LIMIT = 4 << 20


@pytest.mark.parametrize("encoding", ["", "identity", "Identity", " identity "])
def test_no_encoding_returns_the_body(encoding):
    assert decompress(b"as it is", encoding, limit_bytes=LIMIT) == b"as it is"


@pytest.mark.parametrize("encoding", ["gzip", "GZIP", " gzip"])
def test_gzip_is_named_in_any_case(encoding):
    assert decompress(gzip.compress(b"body"), encoding, limit_bytes=LIMIT) == b"body"


@given(members=st.lists(st.binary(max_size=2000), min_size=1, max_size=5))
def test_every_member_of_a_stream_is_decoded(members):
    stream = b"".join(gzip.compress(member, 1) for member in members)
    assert decompress(stream, "gzip", limit_bytes=LIMIT) == b"".join(members)


def test_an_empty_gzip_body_is_an_empty_body():
    assert decompress(gzip.compress(b""), "gzip", limit_bytes=LIMIT) == b""
    assert decompress(b"", "gzip", limit_bytes=LIMIT) == b""


@pytest.mark.parametrize("size", [LIMIT - 1, LIMIT, LIMIT + 1])
def test_the_limit_holds_to_the_byte(size):
    body = gzip.compress(bytes(size), 1)
    if size <= LIMIT:
        assert len(decompress(body, "gzip", limit_bytes=LIMIT)) == size
    else:
        with pytest.raises(TooLarge):
            decompress(body, "gzip", limit_bytes=LIMIT)


def test_a_bomb_is_refused_before_it_goes_off():
    """64 MiB out of 64 KiB: refused in the time and the memory that the limit takes, not the bomb."""
    bomb = gzip.compress(bytes(64 << 20), 9)
    assert len(bomb) < 100_000
    tracemalloc.start()
    started = time.process_time()
    with pytest.raises(TooLarge, match=str(LIMIT)):
        decompress(bomb, "gzip", limit_bytes=LIMIT)
    seconds = time.process_time() - started
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 4 * LIMIT
    assert seconds < 1


def test_a_bomb_of_many_members_is_refused_too():
    with pytest.raises(TooLarge):
        decompress(gzip.compress(bytes(1 << 20)) * 5, "gzip", limit_bytes=LIMIT)


def test_a_stream_cut_at_any_offset_is_refused():
    body = gzip.compress(b"some text that does not compress to nothing")
    for offset in range(1, len(body)):
        with pytest.raises(BadPayload):
            decompress(body[:offset], "gzip", limit_bytes=LIMIT)


@pytest.mark.parametrize(
    "body",
    [
        b"plain",
        gzip.compress(b"body") + b"junk",
        gzip.compress(b"body")[:-8] + bytes(8),
        zlib.compress(b"body"),
        gzip.compress(b"body")[:10] + b"plain",
    ],
    ids=["no gzip", "junk behind", "wrong checksum", "zlib", "header over plain text"],
)
def test_what_is_no_gzip_is_refused(body):
    with pytest.raises(BadPayload):
        decompress(body, "gzip", limit_bytes=LIMIT)


@pytest.mark.parametrize("encoding", ["br", "deflate", "zstd", "gzip, gzip", "x"])
def test_another_encoding_is_refused_by_name(encoding):
    with pytest.raises(UnsupportedEncoding, match=f"'{encoding}'"):
        decompress(b"", encoding, limit_bytes=LIMIT)
