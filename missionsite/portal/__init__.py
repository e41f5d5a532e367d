"""The members' website in two languages: registration, log-in, profile, directory and unsubscribing."""
