"""Bounded decompression."""

import contextlib
import gzip
import random
import time
import tracemalloc
import zlib

import pytest
from backports import zstd
from hypothesis import given
from hypothesis import strategies as st

from collector.errors import BadPayload, Overloaded, TooLarge, UnsupportedEncoding
from collector.transport.compression import MOST_MEMBERS, find_decoder

LIMIT = 4 << 20


def decompress(body, encoding, *, limit_bytes=LIMIT, take=lambda _size_bytes: None):
    return find_decoder(encoding)(body, limit_bytes, take)


def raw_deflate(body):
    packer = zlib.compressobj(wbits=-15)
    return packer.compress(body) + packer.flush()


PACKERS = {"gzip": gzip.compress, "deflate": zlib.compress, "raw deflate": raw_deflate, "zstd": zstd.compress}
packed_by = pytest.mark.parametrize("packer", PACKERS)


def unpack(body, packer, **options):
    return decompress(body, packer.removeprefix("raw "), **options)


@pytest.mark.parametrize("encoding", ["", "identity", "Identity", " identity "])
def test_no_encoding_returns_the_body(encoding):
    assert decompress(b"as it is", encoding) == b"as it is"


@pytest.mark.parametrize("encoding", ["gzip", "GZIP", " gzip", "x-gzip", "Deflate", "ZSTD"])
def test_an_encoding_is_named_in_any_case(encoding):
    pack = PACKERS[encoding.strip().lower().removeprefix("x-")]
    assert decompress(pack(b"body"), encoding) == b"body"


@packed_by
@given(body=st.binary(max_size=200_000))
def test_what_was_packed_comes_out_again(packer, body):
    assert unpack(PACKERS[packer](body), packer) == body


@pytest.mark.parametrize("packer", ["gzip", "zstd"])
@given(members=st.lists(st.binary(max_size=2000), min_size=1, max_size=5))
def test_every_member_of_a_stream_is_decoded(packer, members):
    stream = b"".join(PACKERS[packer](member) for member in members)
    assert unpack(stream, packer) == b"".join(members)


@packed_by
def test_an_empty_body_can_be_packed_but_no_bytes_are_no_stream(packer):
    assert unpack(PACKERS[packer](b""), packer) == b""
    with pytest.raises(BadPayload):
        unpack(b"", packer)


@packed_by
@pytest.mark.parametrize("size", [LIMIT - 1, LIMIT, LIMIT + 1])
def test_the_limit_holds_to_the_byte(packer, size):
    body = PACKERS[packer](bytes(size))
    if size <= LIMIT:
        assert len(unpack(body, packer)) == size
    else:
        with pytest.raises(TooLarge, match=str(LIMIT)):
            unpack(body, packer)


@packed_by
def test_a_bomb_is_refused_before_it_goes_off(packer):
    """64 MiB out of 64 KiB: refused in the time and the memory that the limit takes, not the bomb."""
    bomb = PACKERS[packer](bytes(64 << 20))
    assert len(bomb) < 100_000
    tracemalloc.start()
    started = time.process_time()
    with pytest.raises(TooLarge):
        unpack(bomb, packer)
    seconds = time.process_time() - started
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 4 * LIMIT
    assert seconds < 1


@pytest.mark.parametrize("packer", ["gzip", "zstd"])
def test_a_bomb_of_many_members_is_refused_too(packer):
    with pytest.raises(TooLarge):
        unpack(PACKERS[packer](bytes(1 << 20)) * 5, packer)


@pytest.mark.parametrize("packer", ["gzip", "zstd"])
def test_a_body_of_nothing_but_members_takes_no_time(packer):
    body = PACKERS[packer](b"") * 500_000
    started = time.process_time()
    with pytest.raises(BadPayload, match=str(MOST_MEMBERS)):
        unpack(body, packer)
    assert time.process_time() - started < 1
    assert unpack(PACKERS[packer](b"") * MOST_MEMBERS, packer) == b""


def test_a_zstd_frame_that_asks_for_gigabytes_is_too_large():
    for window in (bytes([(31 - 10) << 3]), bytes([(24 - 10) << 3])):
        with pytest.raises(TooLarge, match="window"):
            decompress(b"\x28\xb5\x2f\xfd\x00" + window + b"\x01\x00\x00", "zstd")
    with pytest.raises(TooLarge):
        decompress(b"\x28\xb5\x2f\xfd\xa0" + (1 << 30).to_bytes(4, "little") + b"\x01\x00\x00", "zstd")


@pytest.mark.parametrize("level", [-5, 1, 3, 19])
def test_zstd_of_every_usual_level_is_read(level):
    body = random.Random(1).randbytes(300_000) * 2
    assert decompress(zstd.compress(body, level), "zstd") == body


def test_memory_is_taken_for_each_piece_before_more_comes_out():
    taken = []

    def take(size_bytes):
        if sum(taken) + size_bytes > 3 << 20:
            raise Overloaded("no more memory")
        taken.append(size_bytes)

    assert len(decompress(gzip.compress(bytes(3 << 20)), "gzip", take=take)) == sum(taken)
    with pytest.raises(Overloaded):
        decompress(gzip.compress(b"x"), "gzip", take=take)


@packed_by
def test_a_stream_cut_at_any_offset_is_refused(packer):
    body = PACKERS[packer](b"some text that does not compress to nothing")
    for offset in range(1, len(body)):
        with pytest.raises(BadPayload):
            unpack(body[:offset], packer)


@pytest.mark.parametrize(
    ("encoding", "body"),
    [
        ("gzip", b"plain"),
        ("gzip", gzip.compress(b"body") + b"junk"),
        ("gzip", gzip.compress(b"body")[:-8] + bytes(8)),
        ("gzip", zlib.compress(b"body")),
        ("gzip", gzip.compress(b"body")[:10] + b"plain"),
        ("deflate", b"plain text"),
        ("deflate", zlib.compress(b"body") + b"junk"),
        ("deflate", zlib.compress(b"body")[:-4] + bytes(4)),
        ("deflate", gzip.compress(b"body")),
        ("zstd", b"plain text"),
        ("zstd", zstd.compress(b"body") + b"junk"),
        ("zstd", zstd.compress(b"body" * 100, options={zstd.CompressionParameter.checksum_flag: 1})[:-4] + bytes(4)),
        ("zstd", gzip.compress(b"body")),
    ],
)
def test_what_is_not_in_its_encoding_is_refused(encoding, body):
    with pytest.raises(BadPayload):
        decompress(body, encoding)


@given(body=st.binary(min_size=1, max_size=300))
@pytest.mark.parametrize("encoding", ["gzip", "deflate", "zstd"])
def test_any_bytes_are_decoded_or_refused(encoding, body):
    for sent in (body, PACKERS[encoding](b"text")[:4] + body):
        with contextlib.suppress(BadPayload, TooLarge):
            assert len(decompress(sent, encoding)) <= LIMIT


@pytest.mark.parametrize("encoding", ["br", "lz4", "snappy", "gzip, gzip", "identity, gzip", "x"])
def test_another_encoding_is_refused_by_name(encoding):
    with pytest.raises(UnsupportedEncoding, match=f"'{encoding}'"):
        find_decoder(encoding)
