"""The web page: server-rendered HTML."""
