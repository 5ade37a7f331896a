"""The demo's addresses: the CRM at the root, everything of the app under /microsoft/."""

from django.contrib import admin
from django.contrib.auth import views as auth_views
from django.templatetags.static import static
from django.urls import include, path
from django.views.generic import RedirectView

from .crm.views.home import SignIn

urlpatterns = [
    path("", include("demo_crm.crm.urls")),
    path("accounts/login/", SignIn.as_view(), name="login"),
    path("accounts/logout/", auth_views.LogoutView.as_view(), name="logout"),
    path("admin/", admin.site.urls),
    path("microsoft/", include("opencrm_ms365.urls")),
    path("favicon.ico", RedirectView.as_view(url=static("crm/mark.svg"))),      # pages with another frame ask for it
]
