"""The one look at a request before it is stored: is it well formed, what is inside, what of it can be kept."""
