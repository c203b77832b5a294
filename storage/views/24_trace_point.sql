-- Where a trace lies when requests are split by their trace ids: the first 8 bytes of MD5(seed + id in lower-case hex), as a
-- big-endian integer. Whoever splits requests elsewhere works out the same number, and shares are compared as integers.
CREATE OR REPLACE FUNCTION trace_point AS (seed, trace_id) ->
    reinterpretAsUInt64(reverse(substring(MD5(concat(seed, lower(hex(trace_id)))), 1, 8)))
