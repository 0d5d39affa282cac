"""Old versions become current ones here, one version at a time, over plain dicts.

A breaking change to a type adds its new version to the catalog and a function here that takes the
body of the version before and gives the body of the next. No type has had one yet.

The body has not been validated: an upcaster leaves out what it does not find (`body.get`), and the
validation that follows names the missing field.
"""

from collections.abc import Callable, Mapping
from typing import Any, Final

Body = dict[str, Any]
Upcaster = Callable[[Body], Body]

UPCASTERS: Final[dict[str, Upcaster]] = {}
"""CloudEvents type of the old version -> function to the body of the next version."""


def upcast(ce_type: str, body: Body, newest: int, upcasters: Mapping[str, Upcaster] = UPCASTERS) -> Body:
    """Bring `body` of type `ce_type` up to version `newest`, step by step.

    Raises KeyError when a step is missing, which the catalog's test rules out.
    """
    stem, _, version = ce_type.rpartition(".v")
    for step in range(int(version), newest):
        body = upcasters[f"{stem}.v{step}"](body)
    return body
