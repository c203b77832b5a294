-- Whether an AnyValue is true.
CREATE OR REPLACE FUNCTION otlp_bool AS (v) -> startsWith(v, '\x10') AND v != '\x10\0'
