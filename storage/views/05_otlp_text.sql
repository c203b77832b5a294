-- A scalar AnyValue as text; arrays, maps and bytes as base64 of their OTLP bytes.
CREATE OR REPLACE FUNCTION otlp_text AS (v) -> multiIf(
    startsWith(v, '\n') OR v = '', otlp_string(v),
    startsWith(v, '\x18'), toString(otlp_int(v)),
    startsWith(v, '!'), toString(otlp_double(v)),
    startsWith(v, '\x10'), if(otlp_bool(v), 'true', 'false'),
    base64Encode(v))
