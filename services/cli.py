import asyncio, sys, importlib, uvloop
from services.runtime.settings import read_settings
from services.runtime.logs import set_up_logs
from services.runtime.postgres_store import PostgresStore
from services.runtime.worker import Worker
async def main(name):
    st=read_settings(); log=set_up_logs(st.log_level, service=name)
    store=await PostgresStore.connect(st.dsn(name), transaction_idle_seconds=st.idle_transaction_seconds)
    svc=importlib.import_module(f"services.{name}.app").SERVICE
    return await Worker(svc, st, store, log).run()
with asyncio.Runner(loop_factory=uvloop.new_event_loop) as r: sys.exit(r.run(main(sys.argv[2])))
