-- The number of an AnyValue that is a double, 0 of any other.
CREATE OR REPLACE FUNCTION otlp_double AS (v) -> if(startsWith(v, '!'), reinterpretAsFloat64(substring(v, 2, 8)), 0)
