"""The site on one machine for trying it out: accounts to log in with, and its processes kept running."""
