"""The demo: accounts to log in with, and supervision of its processes."""
