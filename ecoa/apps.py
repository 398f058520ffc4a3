from django.apps import AppConfig


class EcoaConfig(AppConfig):
    """Clinical-trial participants kept in step with the eCOA service."""

    name = "ecoa"
    verbose_name = "eCOA"

    def ready(self) -> None:
        """Say which tasks drain our lanes, and what we show on pages that belong to everybody."""
        from connections.services import deleting
        from ecoa import recorded
        from ecoa.digests import writing
        from ecoa.home import drift, secrets, sites
        from ecoa.selectors import files as file_rows
        from ecoa.selectors import runs as run_rows
        from ecoa.services import copying, correcting, mappings, separating, set_ups
        from ecoa.services.correction_task import CorrectionTaskHandler
        from ecoa.set_up import sheet
        from ecoa.silence import telling
        from vaultadmin import registries, wake
        from vaultadmin.sandboxes import registry as sandboxes
        from vaultadmin.worklist import registry as worklist

        wake.register("ecoa.sync", "ecoa.tasks.drain")
        wake.register("ecoa.radar", "ecoa.tasks.read_back")
        wake.register("ecoa.decisions", "ecoa.tasks.carry_decision")
        wake.register("ecoa.import", "ecoa.tasks.work_import")
        wake.register("ecoa.report", "ecoa.tasks.work_report")
        wake.register("ecoa.set_up", "ecoa.tasks.work_set_up")
        recorded.register()
        worklist.register(correcting.TASK, CorrectionTaskHandler())
        deleting.blockers.append(mappings.keeps_connection)
        registries.notices.append(telling.home_notices)
        registries.mail_writers |= {telling.TOPIC: telling.mail, writing.TOPIC: writing.mail}
        registries.mail_writers[set_ups.SHEET_TOPIC] = sheet.mail
        registries.home_cards += [sites.cards, drift.cards]
        registries.expiring.append(secrets.expiring)
        registries.palette.append(sites.hits)
        sandboxes.parts.extend(copying.PARTS)
        registries.separations.append(separating.let_go)
        sandboxes.link_kinds.update(copying.KINDS)
        registries.lanes += [run_rows.sync_lane, file_rows.import_lane]
