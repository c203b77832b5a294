"""A run as a document that stands alone: a page for people, text for a terminal, JUnit XML for a pipeline. Pure."""
