"""The members' door: registering with a code, logging in, one's own profile, the directory. In two languages."""
