"""Helpers of several test packages: factories, servers, connections and concurrency."""
