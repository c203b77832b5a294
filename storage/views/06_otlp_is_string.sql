-- Whether an AnyValue is a string: it begins with that field's tag.
CREATE OR REPLACE FUNCTION otlp_is_string AS (v) -> startsWith(v, '\n')
