"""The app's addresses: `path("microsoft/", include("opencrm_ms365.urls"))`, under any prefix.

Pages of a person's own link have no number in them; with a link's number they are an administrator's view of it.
"""

from django.urls import include, path

from .views import authorising, choosing, issues, keeping, people, profile, runs, settings, signin

app_name = "ms365"

urlpatterns = [
    path("", profile.profile, name="profile"),
    path("sign-in/", signin.sign_in, name="sign-in"),
    path("sign-in/callback/", signin.callback, name="sign-in-callback"),
    path("connect/", signin.connect, name="connect"),
    path("disconnect/", signin.disconnect, name="disconnect"),
    path("settings/", settings.edit, name="settings"),
    path("preview/", runs.preview, name="preview"),
    path("sync-now/", runs.sync_now, name="sync-now"),
    path("pause/", profile.pause, name="pause"),
    path("resume/", profile.resume, name="resume"),
    path("runs/", runs.history, name="runs"),
    path("runs/<int:run_id>/", runs.detail, name="run"),
    path("problems/", issues.problems, name="problems"),
    path("problems/<int:pk>/retry/", issues.retry, name="problem-retry"),
    path("problems/<int:pk>/ignore/", issues.ignore, name="problem-ignore"),
    path("conflicts/", issues.conflicts, name="conflicts"),
    path("conflicts/<int:pk>/take-other/", issues.take_other, name="conflict-take-other"),
    path("deleted/", issues.deleted, name="deleted"),
    path("deleted/<int:pk>/undo/", issues.undo, name="deleted-undo"),
    path("decisions/", issues.held, name="held"),
    path("decisions/<int:pk>/confirm/", issues.confirm, name="held-confirm"),
    path("decisions/<int:pk>/dismiss/", issues.dismiss, name="held-dismiss"),
    path("why/", issues.why, name="why"),
    path("record/", keeping.keep, name="record"),
    path("organisation/", choosing.choose, name="choose-organisation"),
    path("authorise/", authorising.authorise, name="authorise"),
    path("authorise/callback/", authorising.callback, name="authorise-callback"),
    path("organisation/installation/", authorising.confirm_installation, name="confirm-installation"),
    path("organisation/access/", authorising.try_access, name="try-access"),
    path("people/", people.people, name="people"),
    path("people/<int:link_id>/", include([
        path("", profile.profile, name="profile"),
        path("disconnect/", signin.disconnect, name="disconnect"),
        path("settings/", settings.edit, name="settings"),
        path("preview/", runs.preview, name="preview"),
        path("sync-now/", runs.sync_now, name="sync-now"),
        path("pause/", profile.pause, name="pause"),
        path("resume/", profile.resume, name="resume"),
        path("switch/", people.switch, name="switch"),
        path("runs/", runs.history, name="runs"),
        path("problems/", issues.problems, name="problems"),
        path("conflicts/", issues.conflicts, name="conflicts"),
        path("deleted/", issues.deleted, name="deleted"),
        path("decisions/", issues.held, name="held"),
    ])),
    path("api/", include("opencrm_ms365.api.urls")),
]
