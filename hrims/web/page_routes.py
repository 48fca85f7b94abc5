"""The route table of the pages: every URL with its view and the permission that it needs."""

from hrims.access.permissions import Permission as Can
from hrims.web import pages
from hrims.web.core import static_files
from hrims.web.core.permissions import PUBLIC
from hrims.web.core.route import Route

PAGE_ROUTES = (
    # Sign-in and sign-out
    Route("GET", "/", pages.sign_in.redirect_home, Can.USE_ACCOUNT),
    Route("GET", "/sign-in", pages.sign_in.show, PUBLIC),
    Route("POST", "/sign-in", pages.sign_in.sign_in, PUBLIC),
    Route("POST", "/sign-out", pages.sign_in.sign_out, PUBLIC),
    Route("POST", "/sign-in/code", pages.sign_in.enter_code, PUBLIC),
    Route("GET", "/sign-in/openid", pages.openid.begin, PUBLIC),
    Route("GET", "/sign-in/openid/callback", pages.openid.finish, PUBLIC),
    Route("GET", "/sign-in/openid/confirm", pages.openid.begin_confirmation, Can.USE_ACCOUNT),
    Route("GET", "/sign-in/confirm", pages.confirm.show, Can.USE_ACCOUNT),
    Route("POST", "/sign-in/confirm", pages.confirm.confirm, Can.USE_ACCOUNT),
    # Page on which a new user chooses a password
    Route("GET", "/set-up/<token>", pages.set_up.show, PUBLIC),
    Route("POST", "/set-up/<token>", pages.set_up.set_password, PUBLIC),
    # Page “My account”
    Route("GET", "/dashboard/account", pages.account.index, Can.USE_ACCOUNT),
    Route("GET", "/dashboard/account/password", pages.account.show_password, Can.USE_ACCOUNT),
    Route("POST", "/dashboard/account/password", pages.account.change_password, Can.USE_ACCOUNT),
    Route(
        "POST", "/dashboard/account/sessions/end-others", pages.account.end_other_sessions, Can.USE_ACCOUNT
    ),
    Route("POST", "/dashboard/account/sessions/<session_id>/end", pages.account.end_session, Can.USE_ACCOUNT),
    Route("GET", "/dashboard/account/two-step", pages.two_step.show, Can.USE_ACCOUNT),
    Route("POST", "/dashboard/account/two-step", pages.two_step.start, Can.USE_ACCOUNT),
    Route("POST", "/dashboard/account/two-step/confirm", pages.two_step.confirm, Can.USE_ACCOUNT),
    Route("POST", "/dashboard/account/two-step/codes", pages.two_step.renew_codes, Can.USE_ACCOUNT),
    Route("POST", "/dashboard/account/two-step/off", pages.two_step.turn_off, Can.USE_ACCOUNT),
    # Page that fetches an institution
    Route("GET", "/dashboard/admin/fetch-data", pages.fetch_data.index, Can.READ_RUNS),
    Route("GET", "/dashboard/admin/fetch-data/choice", pages.fetch_data.show_institution, Can.READ_RUNS),
    Route("POST", "/dashboard/admin/fetch-data", pages.fetch_data.fetch, Can.SYNC),
    Route("POST", "/dashboard/admin/fetch-data/preview", pages.fetch_data.fetch_preview, Can.SYNC),
    Route("GET", "/dashboard/admin/fetch-data/runs/<run_id>", pages.fetch_data.show_run, Can.READ_RUNS),
    Route("GET", "/dashboard/admin/fetch-data/recent", pages.fetch_data.show_recent, Can.READ_RUNS),
    Route("POST", "/dashboard/admin/fetch-data/runs/<run_id>/cancel", pages.fetch_data.cancel, Can.SYNC),
    Route("POST", "/dashboard/admin/fetch-data/runs/<run_id>/retry", pages.fetch_data.retry, Can.SYNC),
    Route("POST", "/dashboard/admin/fetch-data/runs/<run_id>/afresh", pages.fetch_data.repeat, Can.SYNC),
    # Page of runs
    Route("GET", "/dashboard/admin/runs", pages.runs.index, Can.READ_RUNS),
    Route("GET", "/dashboard/admin/runs/list", pages.runs.show_list, Can.READ_RUNS),
    # Page of one run
    Route("GET", "/dashboard/admin/runs/<run_id>", pages.run.show, Can.READ_RUNS),
    Route("GET", "/dashboard/admin/runs/<run_id>/attempts", pages.run.show_attempts, Can.READ_RUNS),
    # Page of the run policy of an institution
    Route("GET", "/dashboard/admin/institutions/<institution_id>", pages.run_policy.show, Can.READ_RUNS),
    Route(
        "POST",
        "/dashboard/admin/institutions/<institution_id>",
        pages.run_policy.update,
        Can.MANAGE_INSTITUTIONS,
    ),
    # Page of batches
    Route("GET", "/dashboard/admin/batches", pages.batches.index, Can.READ_RUNS),
    Route("POST", "/dashboard/admin/batches", pages.batches.create, Can.SYNC),
    Route("GET", "/dashboard/admin/batches/<batch_id>", pages.batches.show, Can.READ_RUNS),
    Route("GET", "/dashboard/admin/batches/<batch_id>/standing", pages.batches.show_progress, Can.READ_RUNS),
    Route("POST", "/dashboard/admin/batches/<batch_id>/retry", pages.batches.retry, Can.SYNC),
    Route("POST", "/dashboard/admin/batches/<batch_id>/cancel", pages.batches.cancel, Can.SYNC),
    # Page of schedules
    Route("GET", "/dashboard/admin/schedules", pages.schedules.index, Can.READ_RUNS),
    Route("POST", "/dashboard/admin/schedules", pages.schedules.create, Can.MANAGE_SCHEDULES),
    Route("GET", "/dashboard/admin/schedules/upcoming", pages.schedules.show_upcoming, Can.READ_RUNS),
    Route("GET", "/dashboard/admin/schedules/<schedule_id>", pages.schedules.show, Can.READ_RUNS),
    Route("POST", "/dashboard/admin/schedules/<schedule_id>", pages.schedules.update, Can.MANAGE_SCHEDULES),
    Route(
        "POST", "/dashboard/admin/schedules/<schedule_id>/pause", pages.schedules.pause, Can.MANAGE_SCHEDULES
    ),
    Route(
        "POST",
        "/dashboard/admin/schedules/<schedule_id>/resume",
        pages.schedules.resume,
        Can.MANAGE_SCHEDULES,
    ),
    Route("POST", "/dashboard/admin/schedules/<schedule_id>/run", pages.schedules.run, Can.MANAGE_SCHEDULES),
    Route(
        "POST",
        "/dashboard/admin/schedules/<schedule_id>/remove",
        pages.schedules.remove,
        Can.MANAGE_SCHEDULES,
    ),
    # Page of the queue
    Route("GET", "/dashboard/admin/queue", pages.queue.index, Can.READ_RUNS),
    Route("GET", "/dashboard/admin/queue/runs", pages.queue.show_runs, Can.READ_RUNS),
    Route("POST", "/dashboard/admin/queue/pause", pages.queue.pause, Can.MANAGE_QUEUE),
    Route("POST", "/dashboard/admin/queue/resume", pages.queue.resume, Can.MANAGE_QUEUE),
    Route("POST", "/dashboard/admin/queue/limit", pages.queue.set_limit, Can.MANAGE_QUEUE),
    Route("POST", "/dashboard/admin/queue/runs/<run_id>/priority", pages.queue.set_priority, Can.SYNC),
    # Page of people
    Route("GET", "/dashboard/admin/people", pages.people.index, Can.READ_PEOPLE),
    Route("POST", "/dashboard/admin/people", pages.people.search, Can.READ_PEOPLE),
    Route("GET", "/dashboard/admin/people/searches/<token>", pages.people.show_results, Can.READ_PEOPLE),
    Route("POST", "/dashboard/admin/people/fetch", pages.people.fetch, Can.SYNC),
    Route("GET", "/dashboard/admin/people/<employee_id>", pages.people.show, Can.READ_PEOPLE),
    Route("POST", "/dashboard/admin/people/<employee_id>", pages.people.reveal, Can.REVEAL),
    Route("POST", "/dashboard/admin/people/<employee_id>/fetch", pages.people.refetch, Can.SYNC),
    # Page of leavers
    Route("GET", "/dashboard/admin/leavers", pages.leavers.index, Can.READ_PEOPLE),
    Route("GET", "/dashboard/admin/leavers/<departure_id>", pages.leavers.show, Can.READ_PEOPLE),
    Route("POST", "/dashboard/admin/leavers/<departure_id>/approve", pages.leavers.approve, Can.APPROVE),
    Route("POST", "/dashboard/admin/leavers/<departure_id>/refuse", pages.leavers.refuse, Can.APPROVE),
    Route("POST", "/dashboard/admin/leavers/<departure_id>/undo", pages.leavers.undo, Can.APPROVE),
    # Page of approvals
    Route("GET", "/dashboard/admin/approvals", pages.approvals.index, Can.READ_RUNS),
    Route("POST", "/dashboard/admin/approvals/<approval_id>/approve", pages.approvals.approve, Can.APPROVE),
    Route("POST", "/dashboard/admin/approvals/<approval_id>/refuse", pages.approvals.refuse, Can.APPROVE),
    Route("POST", "/dashboard/admin/approvals/<approval_id>/withdraw", pages.approvals.withdraw, Can.SYNC),
    # Page of users
    Route("GET", "/dashboard/admin/users", pages.users.index, Can.MANAGE_USERS),
    Route("POST", "/dashboard/admin/users", pages.users.create, Can.MANAGE_USERS),
    Route("GET", "/dashboard/admin/users/<user_id>", pages.users.show, Can.MANAGE_USERS),
    Route("POST", "/dashboard/admin/users/<user_id>/role", pages.users.set_role, Can.MANAGE_USERS),
    Route(
        "POST",
        "/dashboard/admin/users/<user_id>/institutions",
        pages.users.set_institutions,
        Can.MANAGE_USERS,
    ),
    Route("POST", "/dashboard/admin/users/<user_id>/disable", pages.users.disable, Can.MANAGE_USERS),
    Route("POST", "/dashboard/admin/users/<user_id>/enable", pages.users.enable, Can.MANAGE_USERS),
    Route(
        "POST",
        "/dashboard/admin/users/<user_id>/reset-password",
        pages.users.reset_password,
        Can.MANAGE_USERS,
    ),
    Route("POST", "/dashboard/admin/users/<user_id>/link", pages.users.make_setup_link, Can.MANAGE_USERS),
    Route("POST", "/dashboard/admin/users/<user_id>/unlock", pages.users.unlock, Can.MANAGE_USERS),
    Route("POST", "/dashboard/admin/users/<user_id>/two-step", pages.users.reset_two_step, Can.MANAGE_USERS),
    # Page of tokens
    Route("GET", "/dashboard/admin/tokens", pages.tokens.index, Can.USE_ACCOUNT),
    Route("POST", "/dashboard/admin/tokens", pages.tokens.create, Can.OWN_TOKENS),
    Route("POST", "/dashboard/admin/tokens/<token_id>/revoke", pages.tokens.revoke, Can.USE_ACCOUNT),
    # Page of workplaces
    Route("GET", "/dashboard/admin/workplaces", pages.workplaces.index, Can.READ_RUNS),
    Route(
        "GET",
        "/dashboard/admin/workplaces/<workplace_id>/choices",
        pages.workplaces.show_choices,
        Can.READ_RUNS,
    ),
    Route(
        "POST",
        "/dashboard/admin/workplaces/<workplace_id>/map",
        pages.workplaces.map_institution,
        Can.MAP_WORKPLACES,
    ),
    Route(
        "POST",
        "/dashboard/admin/workplaces/<workplace_id>/register",
        pages.workplaces.register,
        Can.MANAGE_INSTITUTIONS,
    ),
    Route(
        "POST", "/dashboard/admin/workplaces/<workplace_id>/unmap", pages.workplaces.unmap, Can.MAP_WORKPLACES
    ),
    # Page of rejects
    Route("GET", "/dashboard/admin/rejects", pages.rejects.index, Can.READ_PEOPLE),
    Route("GET", "/dashboard/admin/rejects/table", pages.rejects.show_list, Can.READ_PEOPLE),
    Route("GET", "/dashboard/admin/rejects/rejects.<kind>", pages.rejects.download, Can.EXPORT),
    Route("POST", "/dashboard/admin/rejects/ask-again", pages.rejects.fetch_again, Can.DECIDE_REJECTS),
    # Page of a preview
    Route("GET", "/dashboard/admin/previews/<run_id>", pages.previews.show, Can.READ_PEOPLE),
    Route("POST", "/dashboard/admin/previews/<run_id>/apply", pages.previews.apply, Can.SYNC),
    Route("POST", "/dashboard/admin/previews/<run_id>/discard", pages.previews.discard, Can.SYNC),
    # Page that compares two runs
    Route("GET", "/dashboard/admin/compare", pages.compare.index, Can.READ_PEOPLE),
    # Page of the audit trail
    Route("GET", "/dashboard/admin/audit", pages.audit.index, Can.READ_AUDIT),
    Route("GET", "/dashboard/admin/audit/audit.csv", pages.audit.download, Can.READ_AUDIT),
    # Page of webhooks
    Route("GET", "/dashboard/admin/webhooks", pages.webhooks.index, Can.READ_AUDIT),
    Route("POST", "/dashboard/admin/webhooks", pages.webhooks.create, Can.MANAGE_WEBHOOKS),
    Route(
        "POST", "/dashboard/admin/webhooks/<endpoint_id>/on", pages.webhooks.switch_on, Can.MANAGE_WEBHOOKS
    ),
    Route(
        "POST", "/dashboard/admin/webhooks/<endpoint_id>/off", pages.webhooks.switch_off, Can.MANAGE_WEBHOOKS
    ),
    Route(
        "POST", "/dashboard/admin/webhooks/<endpoint_id>/remove", pages.webhooks.remove, Can.MANAGE_WEBHOOKS
    ),
    Route(
        "POST", "/dashboard/admin/webhooks/<endpoint_id>/test", pages.webhooks.send_test, Can.MANAGE_WEBHOOKS
    ),
    Route("GET", "/dashboard/admin/webhooks/messages/<key>", pages.webhooks.show_message, Can.READ_AUDIT),
    Route(
        "POST", "/dashboard/admin/webhooks/messages/<key>/again", pages.webhooks.resend, Can.MANAGE_WEBHOOKS
    ),
    # Page that describes the API
    Route("GET", "/dashboard/admin/api", pages.api_reference.index, Can.USE_ACCOUNT),
    # Page of the HRIMS connection
    Route("GET", "/dashboard/admin/connection", pages.connection.index, Can.MANAGE_CONNECTION),
    Route("POST", "/dashboard/admin/connection", pages.connection.update, Can.MANAGE_CONNECTION),
    Route("POST", "/dashboard/admin/connection/test", pages.connection.check, Can.MANAGE_CONNECTION),
    Route("GET", "/dashboard/admin/connection/workers", pages.connection.show_workers, Can.MANAGE_CONNECTION),
    # Page of workers and pools
    Route("GET", "/dashboard/admin/workers", pages.workers.index, Can.READ_RUNS),
    Route("GET", "/dashboard/admin/workers/list", pages.workers.show_list, Can.READ_RUNS),
    Route("GET", "/dashboard/admin/workers/banner", pages.workers.show_banner, Can.READ_RUNS),
    # Static files
    Route("GET", "/static/<path:filename>", static_files.serve, PUBLIC),
)
