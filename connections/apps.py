"""The connections app."""

from django.apps import AppConfig


class ConnectionsConfig(AppConfig):
    """Says what its tasks, tiles and lanes mean to the platform."""

    name = "connections"
    verbose_name = "Connections"

    def ready(self) -> None:
        """Fill in the platform's registries."""
        from connections import checks, effects, processors, recorded
        from connections.constants import APPROVAL_TASK
        from connections.delivery import failure_mail
        from connections.home import certificates, spark
        from connections.home import connections as home
        from connections.home import queues as queue_home
        from connections.processing import answering, filing
        from connections.selectors import foresight
        from connections.selectors.clients import Clients
        from connections.services import deleting, standard
        from connections.services.copies import copying, healing, separating
        from connections.services.handshake.approval_task import ApprovalTaskHandler
        from connections.services.messages import alerting, copying_queues, queue_links
        from connections.services.signing import foretelling
        from connections.views import rest, rest_queues
        from connections.views import spark as spark_address
        from connections.watching import calling, telling
        from vaultadmin import registries, straight, wake
        from vaultadmin.registries import RestResource
        from vaultadmin.sandboxes import registry as sandboxes
        from vaultadmin.worklist import registry

        registry.register(APPROVAL_TASK, ApprovalTaskHandler())
        wake.register("connections.process", "connections.tasks.process_messages")
        wake.register("connections.replay", "connections.tasks.replay_messages")
        wake.register("connections.deliver", "connections.tasks.deliver_messages")
        processors.registered |= {filing.NAME: filing.PROCESSOR, answering.NAME: answering.PROCESSOR}
        processors.handlers[failure_mail.NAME] = failure_mail.HANDLER
        straight.ways.append(spark_address.WAY)
        checks.register()
        recorded.register()
        registries.mail_writers[foretelling.TOPIC] = foretelling.mail
        registries.mail_writers[alerting.TOPIC] = telling.mail
        registries.mail_writers[failure_mail.TOPIC] = failure_mail.mail
        registries.home_cards += [home.cards, queue_home.cards, certificates.cards]
        registries.troubles += [telling.troubles, queue_home.troubles]
        registries.notices.append(certificates.notices)
        foresight.sources += [effects.integrations, effects.queues]
        deleting.blockers.append(queue_links.blocks_delete)
        registries.palette.extend((home.hits, queue_home.hits, home.authorization_hits, home.token_hits))
        registries.lanes += [home.lane, queue_home.sending, queue_home.processing, calling.lane]
        registries.gauges.append(spark.gauges)
        registries.palette.append(home.message_hits)
        registries.vault_parts.append(standard.fit_out)
        registries.clients = Clients()
        registries.rest_resources.append(RestResource("services/certificate/<str:certificate_id>", rest.certificate))
        registries.rest_resources += rest_queues.RESOURCES
        sandboxes.parts.extend((*copying.PARTS, copying_queues.PART))
        registries.separations.append(separating.let_go)
        sandboxes.link_kinds.update(healing.KINDS)
