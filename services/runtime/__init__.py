"""The shell around every service, written once: it knows Kafka, PostgreSQL and the clock, and no service.

Read in this order: `service` (what a service tells the shell about itself), `batch` (records in,
changes out, without I/O), `store` (what a transaction can do), `outbox` (publishing), `worker`
(the loop that joins them).
"""
