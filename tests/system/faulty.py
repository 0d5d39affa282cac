"""A worker of payments with two bugs in it: `python -m tests.system.faulty`.

Holding a payment raises. Releasing a hold makes a payment whose parts do not add up, which the
database refuses. Everything else is the real thing.
"""

import asyncio
import sys
from dataclasses import replace
from typing import Any

from contracts.commands import HoldPayment, ReleaseHold
from services.payments.app import SERVICE
from services.payments.store import PAYMENT
from services.runtime.logs import set_up_logs
from services.runtime.postgres_store import PostgresStore
from services.runtime.service import Effects, Meta, Ref, View
from services.runtime.settings import Settings, read_settings
from services.runtime.worker import Worker


def _raise(message: HoldPayment, meta: Meta, view: View) -> Effects:
    raise ZeroDivisionError(f"a bug in holding {message.payment}")


def _spoil(message: ReleaseHold, meta: Meta, view: View) -> Effects:
    ref = Ref(PAYMENT, (message.customer, message.payment))
    payment: Any = view(ref)
    return Effects((), {ref: payment._replace(available=payment.amount + 1)})


FAULTY = replace(
    SERVICE,
    handlers={
        **SERVICE.handlers,
        HoldPayment: SERVICE.handlers[HoldPayment]._replace(handle=_raise),
        ReleaseHold: SERVICE.handlers[ReleaseHold]._replace(handle=_spoil),
    },
)


async def _work(settings: Settings) -> int:
    log = set_up_logs(settings.log_level, service="payments")
    store = await PostgresStore.connect(settings.dsn("payments"))
    return await Worker(FAULTY, settings, store, log).run()


if __name__ == "__main__":
    sys.exit(asyncio.run(_work(read_settings())))
