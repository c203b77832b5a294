-- Whether an AnyValue is a double: it begins with that field's tag.
CREATE OR REPLACE FUNCTION otlp_is_double AS (v) -> startsWith(v, '!')
