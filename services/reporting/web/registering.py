"""What is known of a customer: registered and changed by a form."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request, Response
from sqlalchemy.ext.asyncio import AsyncConnection

from contracts.fields import CustomerStatus
from contracts.money import MAX_MINOR
from services.reporting.http.asking import Name, Word, today
from services.reporting.http.desk import connection
from services.reporting.http.reads import customer_known
from services.reporting.notes import notes_of
from services.reporting.queries import customers
from services.reporting.web.acting import ACTOR, Form, attempt
from services.reporting.web.customers import tabs_of, title_of
from services.reporting.web.format import WORDS
from services.reporting.web.page import Choice
from services.reporting.web.route import FilledRoute
from services.reporting.web.settling import form_of, marked
from services.reporting.web.showing import from_here, go, page_of, show
from services.runtime import clock

router = APIRouter(include_in_schema=False, route_class=FilledRoute)

Lent = Annotated[AsyncConnection, Depends(connection)]
Account = Annotated[Name, Query(alias="id")]
LIMITS = ("write_off_limit", "credit_write_off_limit")


@router.get("/customers/new")
async def ask_new(request: Request, lent: Lent, id_: Annotated[Word, Query(alias="id")] = "") -> Response:
    """Ask for a new customer."""
    form = Form({"command": clock.new_id(), "customer": id_, "status": CustomerStatus.ACTIVE.value})
    return await _show(request, lent, "", form)


@router.get("/customer/settings")
async def ask_settings(request: Request, lent: Lent, id_: Account) -> Response:
    """Show what is known of a customer, to be changed."""
    form = Form({"command": clock.new_id(), "customer": id_, **await _known(lent, id_)})
    return await _show(request, lent, id_, form)


async def _known(lent: AsyncConnection, customer: str) -> dict[str, Any]:
    rows = await customers(lent, customer)
    if not rows:
        return {"status": CustomerStatus.ACTIVE.value}
    row = rows[0]
    return {
        "name": row.name,
        "customer_type": row.customer_type,
        "status": row.status,
        "payers": ", ".join(row.payers),
        **{name: value for name in LIMITS if (value := getattr(row, name)) is not None},
    }


@router.post("/customers/new", dependencies=[Depends(from_here)])
@router.post("/customer/settings", dependencies=[Depends(from_here)])
async def register(request: Request, lent: Lent, id_: Annotated[Word, Query(alias="id")] = "") -> Response:
    """Register a customer, or change what is known of one."""
    form = await form_of(request)
    customer = id_ or form.text("customer", required=True)
    fields = {
        "customer": customer,
        "name": form.text("name", required=True),
        "customer_type": form.text("customer_type"),
        "status": form.text("status", required=True),
        "payers": [one for part in form.text("payers").split(",") if (one := part.strip())],
        **{name: _limit(form, name) for name in LIMITS},
    }
    if form.errors:
        return await _show(request, lent, id_, form)
    done = await attempt(request, "RegisterCustomer", fields, form.text("command"), ACTOR)
    if done.is_refused:
        marked(form, done)
        return await _show(request, lent, id_, form)
    return go("/customer/settings", done.id, id=customer)


def _limit(form: Form, name: str) -> int | None:
    """Read a limit in minor units: it holds for documents of every currency."""
    text = form.text(name).replace(",", "")
    if not text:
        return None
    if not text.isdecimal() or len(text) > len(str(MAX_MINOR)) or int(text) > MAX_MINOR:
        form.errors[name] = "Write a whole number of minor units, such as 500 for 5.00."
        return None
    return int(text)


async def _show(request: Request, lent: AsyncConnection, customer: str, form: Form) -> Response:
    tabs: list[Choice] = []
    title = "Register a customer"
    if customer:
        known = await customer_known(lent, customer)
        title = title_of(known)
        tabs = tabs_of(customer, await notes_of(lent, customer, today()))
    page = await page_of(request, title, "customers")
    return show(
        "settings.html",
        page,
        customer=customer,
        tabs=tabs,
        form=form,
        statuses=[Choice(str(one), said.text) for one, said in WORDS["customer"].items()],
    )
