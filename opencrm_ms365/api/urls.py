"""Addresses under `api/`, in the app's namespace."""

from django.urls import path

from . import issues, links, runs
from .schema import schema_paths

urlpatterns = [
    path("link/", links.OwnLink.as_view(), name="api-link"),
    path("links/", links.Links.as_view(), name="api-links-list"),
    path("links/<int:pk>/", links.OneLink.as_view(), name="api-links-detail"),
    path("links/<int:pk>/pause/", links.Pause.as_view(), name="api-links-pause"),
    path("links/<int:pk>/resume/", links.Resume.as_view(), name="api-links-resume"),
    path("preview/", runs.Preview.as_view(), name="api-preview"),
    path("sync/", runs.Sync.as_view(), name="api-sync"),
    path("runs/", runs.Runs.as_view(), name="api-runs-list"),
    path("runs/<int:pk>/", runs.OneRun.as_view(), name="api-runs-detail"),
    path("runs/<int:pk>/operations/", runs.Operations.as_view(), name="api-runs-operations"),
    path("problems/", issues.Problems.as_view(), name="api-problems-list"),
    path("problems/<int:pk>/retry/", issues.RetryProblem.as_view(), name="api-problems-retry"),
    path("problems/<int:pk>/ignore/", issues.IgnoreProblem.as_view(), name="api-problems-ignore"),
    path("conflicts/", issues.Conflicts.as_view(), name="api-conflicts-list"),
    path("conflicts/<int:pk>/take-other/", issues.TakeOther.as_view(), name="api-conflicts-take-other"),
    path("deleted/", issues.Deleted.as_view(), name="api-deleted-list"),
    path("deleted/<int:pk>/undo/", issues.UndoDeletion.as_view(), name="api-deleted-undo"),
    path("held/", issues.Held.as_view(), name="api-held-list"),
    path("held/<int:pk>/confirm/", issues.ConfirmHeld.as_view(), name="api-held-confirm"),
    path("held/<int:pk>/dismiss/", issues.DismissHeld.as_view(), name="api-held-dismiss"),
    path("why/", issues.Why.as_view(), name="api-why"),
    *schema_paths(),
]
