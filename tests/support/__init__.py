"""What several test packages use: factories, servers, connections and concurrency."""
