"""Acknowledged requests on disk, until the database has them."""
