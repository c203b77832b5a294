-- Whether an AnyValue is an integer: it begins with that field's tag.
CREATE OR REPLACE FUNCTION otlp_is_int AS (v) -> startsWith(v, '\x18')
