"""The operators' screens."""

from django.urls import path

from connections.views.messages import acts, listing, log, page, replays, signed

_ALL = "admin/messages/"
_ONE = f"{_ALL}<uuid:message_id>/"
_INCOMING = f"{_ALL}incoming/<int:incoming_id>/"
_REPLAY = f"{_ALL}replays/<int:replay_id>/"
_LOG = f"{_ALL}log/"

urlpatterns = [
    path(_ALL, listing.index, name="messages"),
    path(f"{_ALL}resend/", acts.resend_chosen, name="messages-resend"),
    path(f"{_ALL}hold/", acts.hold, name="messages-hold"),
    path(f"{_ALL}holds/<int:hold_id>/release/", acts.release, name="messages-release"),
    path(f"{_ALL}replays/", replays.index, name="replays"),
    path(f"{_ALL}replays/plan/", replays.plan, name="replay-plan"),
    path(_REPLAY, replays.detail, name="replay"),
    path(f"{_REPLAY}start/", replays.start, name="replay-start"),
    path(f"{_REPLAY}pause/", replays.pause, name="replay-pause"),
    path(f"{_REPLAY}resume/", replays.resume, name="replay-resume"),
    path(f"{_REPLAY}cancel/", replays.cancel, name="replay-cancel"),
    path(_LOG, log.index, name="queue-log"),
    path(f"{_LOG}file/", log.download, name="queue-log-file"),
    path(f"{_LOG}file-with-bodies/", log.download_bodies, name="queue-log-bodies"),
    path(f"{_LOG}trace/", log.trace, name="queue-log-trace"),
    path(_INCOMING, page.incoming, name="incoming"),
    path(f"{_INCOMING}reveal/", acts.reveal_incoming, name="incoming-reveal"),
    path(_ONE, page.outgoing, name="message"),
    path(f"{_ONE}resend/", acts.resend, name="message-resend"),
    path(f"{_ONE}reveal/", acts.reveal, name="message-reveal"),
    path(f"{_ONE}attempts/<int:number>/signed/", signed.signed, name="message-signed"),
]
