"""The OpenAPI description of the endpoints, where drf-spectacular is installed (the extra `api`)."""

from __future__ import annotations

from typing import Any

from django.urls import include, path, reverse

try:
    from drf_spectacular.extensions import OpenApiAuthenticationExtension
    from drf_spectacular.generators import SchemaGenerator
    from drf_spectacular.renderers import OpenApiJsonRenderer, OpenApiYamlRenderer
except ImportError:
    SchemaGenerator = None  # type: ignore[assignment,misc]  # drf-spectacular is missing

if SchemaGenerator is not None:
    from drf_spectacular.utils import extend_schema
    from rest_framework.response import Response
    from rest_framework.views import APIView

    class BrowserSessionScheme(OpenApiAuthenticationExtension):
        """Tells the description that the endpoints use the CRM's session cookie."""

        target_class = "opencrm_ms365.api.base.BrowserSession"
        name = "browserSession"

        def get_security_definition(self, auto_schema: Any) -> dict[str, str]:
            from django.conf import settings

            return {"type": "apiKey", "in": "cookie", "name": settings.SESSION_COOKIE_NAME}

    class Schema(APIView):
        """The description itself, of these endpoints only, whatever else the project has."""

        renderer_classes = [OpenApiJsonRenderer, OpenApiYamlRenderer]
        throttle_classes = ()

        @extend_schema(exclude=True)
        def get(self, request: Any) -> Response:
            prefix = reverse("ms365:api-schema").removesuffix("schema/").lstrip("/")
            patterns = [path(prefix, include(("opencrm_ms365.api.urls", "ms365")))]
            generator = SchemaGenerator(title="Microsoft 365 sync", version="1", patterns=patterns)
            return Response(generator.get_schema(request=request, public=True))


def schema_paths() -> list[Any]:
    """The address of the description; none without drf-spectacular."""
    if SchemaGenerator is None:
        return []
    from .base import BrowserSession, IsAuthenticated

    return [path("schema/", Schema.as_view(
        authentication_classes=[BrowserSession], permission_classes=[IsAuthenticated]), name="api-schema")]
