"""Whole stories through all services, by what goes in and what comes out alone, to the cent."""
