"""The four services, the shell they run in and the command line."""
