-- The text of an AnyValue that is a string, '' of any other. The length's varint is as long as the value's size tells.
CREATE OR REPLACE FUNCTION otlp_string AS (v) ->
    if(startsWith(v, '\n'), substring(v, multiIf(length(v) < 130, 3, length(v) < 16387, 4, length(v) < 2097156, 5, 6)), '')
