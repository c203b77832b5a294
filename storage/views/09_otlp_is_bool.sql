-- Whether an AnyValue is a boolean: it begins with that field's tag.
CREATE OR REPLACE FUNCTION otlp_is_bool AS (v) -> startsWith(v, '\x10')
