"""The embedded local stack: a real PostgreSQL, a real Apache Kafka and one worker a service.

Owns processes on this machine, their ports and their directories; knows no service by more than its
name. Needs the extra `local`, which is three wheels and no Docker, JDK or system package. The
imports of those wheels are inside functions, so that a production install can import this package.
"""
