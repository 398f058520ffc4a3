"""Put a message into an outbound queue."""

from __future__ import annotations

import json
from typing import Any

from django.core.management.base import CommandError
from django.db import transaction

from connections.models import Queue
from connections.services.messages import putting
from connections.services.messages.putting import Draft, PutRefused, PutResponse
from connections.spark.message import AttributeValue, PutError
from vaultadmin import audit, clock
from vaultadmin.commands import DONE, USAGE, WITH_FAILURES
from vaultadmin.commands import Command as OurCommand
from vaultadmin.models import Vault

BY = audit.System("Command spark_send")
# The command was right, the queue cannot take the message now.
_NOT_NOW = (PutError.QUEUE_INACTIVE, PutError.QUEUE_FULL, PutError.NO_ACTIVE_CONNECTION)


class Command(OurCommand):
    help = (
        "Puts a message into an Outbound queue: one copy for each of its active connections, delivered by the workers. "
        "Prints each copy's connection and message ID. Exit status 0 it is in the queue, 1 the queue cannot take it "
        "now, 2 wrong use."
    )

    def add_arguments(self, parser: Any) -> None:
        """Where it goes, and what it holds."""
        parser.add_argument("--vault", type=int, required=True, help="Vault ID")
        parser.add_argument("--queue", required=True, help="name of the queue, for example study_updates__c")
        parser.add_argument("--items", nargs="*", default=[], metavar="ITEM", help="items, for example record IDs")
        parser.add_argument(
            "--attributes",
            nargs="*",
            default=[],
            metavar="NAME=TEXT",
            help="attributes; NAME:=VALUE for a number, true or false",
        )
        parser.add_argument("--json", action="store_true", help="print one line of JSON")

    def run(self, **options: Any) -> int:
        """0 put, 1 not now, 2 wrong use."""
        vault = Vault.objects.filter(pk=options["vault"]).first()
        if vault is None:
            raise self.fail(f"There is no vault {options['vault']}.")
        attributes = dict(self._attribute(text) for text in options["attributes"])
        if len(attributes) < len(options["attributes"]):
            raise self.fail("An attribute is named twice.")
        put = self._put(vault, options["queue"], Draft(attributes, options["items"]))
        if put.error is not None:
            raise CommandError(put.sentence, returncode=WITH_FAILURES if put.error in _NOT_NOW else USAGE)
        if options["json"]:
            copies = [{"connection": copy.connection_name, "message_id": str(copy.message_id)} for copy in put.copies]
            self.print_json({"copies": copies})
            return DONE
        for copy in put.copies:
            self.stdout.write(f"{copy.connection_name} {copy.message_id}")
        return DONE

    def _put(self, vault: Vault, queue: str, draft: Draft) -> PutResponse:
        try:
            with transaction.atomic():
                put = putting.enqueue(vault=vault, queue=queue, draft=draft, by=BY, now=clock.now())
                if put.error is None:
                    changes: audit.Changes = {
                        f"Message through {copy.connection_name}": (None, str(copy.message_id)) for copy in put.copies
                    }
                    subject = Queue.objects.get(vault=vault, name=queue)
                    audit.record(vault=vault, by=BY, event="queue.message_put", subject=subject, changes=changes)
        except PutRefused as refusal:
            return PutResponse(error=refusal.error, sentence=str(refusal))
        return put

    def _attribute(self, text: str) -> tuple[str, AttributeValue]:
        name, mark, value = text.partition("=")
        if not mark or not name.removesuffix(":"):
            raise self.fail(f"“{text}” is no attribute: write NAME=TEXT, or NAME:=VALUE for a number, true or false.")
        if not name.endswith(":"):
            return name, value
        try:
            parsed = json.loads(value)
        except ValueError:
            parsed = None
        if not isinstance(parsed, bool | int | float):
            raise self.fail(f"“{value}” is no number and neither true nor false.")
        return name[:-1], parsed
