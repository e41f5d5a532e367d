"""Reads of this app: each takes a fixed number of queries, however many projects there are."""
