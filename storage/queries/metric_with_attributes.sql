-- That a series has some attributes with some texts: a condition of another query.
AND arrayAll((key, value) -> mapContains(attributes, key) AND otlp_text(attributes[key]) = value,
    {attribute_keys:Array(String)}, {attribute_values:Array(String)})
