"""The embedded servers themselves: that they are what the other tests rely on."""
