"""The web console: pages rendered on the server, one style sheet, one small script."""
