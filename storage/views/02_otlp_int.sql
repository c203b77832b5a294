-- The integer of an AnyValue, 0 of any other: a varint has 7 bits a byte, at most 10 bytes.
CREATE OR REPLACE FUNCTION otlp_int AS (v) -> if(startsWith(v, '\x18'), reinterpretAsInt64(
    bitAnd(reinterpretAsUInt64(substring(v, 2, 8)), 0x7F)
    + bitAnd(bitShiftRight(reinterpretAsUInt64(substring(v, 2, 8)), 1), 0x3F80)
    + bitAnd(bitShiftRight(reinterpretAsUInt64(substring(v, 2, 8)), 2), 0x1FC000)
    + bitAnd(bitShiftRight(reinterpretAsUInt64(substring(v, 2, 8)), 3), 0xFE00000)
    + bitAnd(bitShiftRight(reinterpretAsUInt64(substring(v, 2, 8)), 4), 0x7F0000000)
    + bitAnd(bitShiftRight(reinterpretAsUInt64(substring(v, 2, 8)), 5), 0x3F800000000)
    + bitAnd(bitShiftRight(reinterpretAsUInt64(substring(v, 2, 8)), 6), 0x1FC0000000000)
    + bitAnd(bitShiftRight(reinterpretAsUInt64(substring(v, 2, 8)), 7), 0xFE000000000000)
    + bitShiftLeft(bitAnd(toUInt64(reinterpretAsUInt16(substring(v, 10, 2))), 0x7F), 56)
    + bitShiftLeft(bitAnd(toUInt64(reinterpretAsUInt16(substring(v, 10, 2))), 0x100), 55)), 0)
