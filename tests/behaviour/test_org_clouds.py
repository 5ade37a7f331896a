"""Another cloud of Microsoft's by settings: sign-in, consent and sync with its scopes and hosts, as far as one machine
can show it (ORG-01).

The addresses are the simulator's, for nothing else answers here; which cloud they stand for is told to the client. So
the scopes, consent page and hosts of that cloud really travel, and the simulator takes them apart as Microsoft does.
"""

from urllib.parse import parse_qs, urlsplit

import pytest

from opencrm_ms365.graph import clouds
from opencrm_ms365.graph.clouds import CLOUDS, Cloud
from opencrm_ms365.graph.origin import Origin
from opencrm_ms365.models import SyncSettings
from tests.behaviour.test_org_authorise import Administrator
from tests.browsing import text_of
from tests.rules import rule

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.rule("ORG-01")]
NATIONAL = [cloud for cloud in CLOUDS if cloud is not clouds.GLOBAL]


@pytest.fixture(params=NATIONAL, ids=lambda cloud: cloud.name)
def cloud(request, monkeypatch, sandbox, settings):
    """The settings' Graph address stands for this cloud."""
    here = urlsplit(settings.OPENCRM_MS365["GRAPH_URL"])
    known = clouds.cloud_of

    def cloud_of(graph_url: str) -> Cloud:
        return request.param if urlsplit(graph_url).netloc == here.netloc else known(graph_url)

    monkeypatch.setattr(clouds, "cloud_of", cloud_of)
    return request.param


@pytest.fixture
def world(sandbox, cloud, db):
    from tests.world import DOMAIN, World

    return World(sandbox, sandbox.world.tenant(DOMAIN))


@rule("ORG-01", "USER-02")
def test_ORG_01_consent_sign_in_and_sync_work_with_another_clouds_scopes(sandbox, cloud, world):
    world.account("admin")
    admin = Administrator(world, world.user("admin").username)
    address = admin.press_authorise()
    asked = parse_qs(urlsplit(address).query)["scope"][0].split()
    assert all(scope.startswith(f"https://{cloud.graph_host}/") for scope in asked if "/" in scope)
    assert f"https://{cloud.graph_host}/Contacts.ReadWrite" in asked
    assert not any("graph.microsoft.com" in scope for scope in asked)
    assert "has allowed this CRM" in text_of(admin.authorise())
    assert SyncSettings.of("").tenant_id == world.tenant.id

    world.organisation()
    world.connect("ada")
    world.crm.contact()
    world.mailbox("ada").add_contact(givenName="Alan", surname="Turing")
    world.settle()
    assert world.crm.contacts().count() == len(world.mailbox("ada").contacts()) == 2


def test_ORG_01_a_sign_in_asks_for_the_clouds_own_scopes(cloud, world):
    from opencrm_ms365.access import signin
    from tests.world import REDIRECT_URI

    world.organisation()
    address = signin.begin(world.user("ada"), {}, "", REDIRECT_URI)
    asked = parse_qs(urlsplit(address).query)["scope"][0].split()
    of_graph = [scope for scope in asked if scope not in ("openid", "profile", "offline_access")]
    assert of_graph and all(scope.startswith(f"https://{cloud.graph_host}/") for scope in of_graph)


@pytest.mark.parametrize("cloud", NATIONAL, ids=lambda cloud: cloud.name)
def test_ORG_01_the_token_goes_to_the_clouds_own_host_only(cloud):
    """I-6: whatever a link in an answer says."""
    own = Origin(f"https://{cloud.graph_host}")
    assert own.url("/me/contacts", None) == f"https://{cloud.graph_host}/v1.0/me/contacts"
    for other in CLOUDS:
        if other.graph_host != cloud.graph_host:
            with pytest.raises(Exception, match="host"):
                own.url(f"https://{other.graph_host}/v1.0/me/contacts/delta?$deltatoken=x", None)


@pytest.mark.parametrize("cloud", NATIONAL, ids=lambda cloud: cloud.name)
def test_ORG_01_a_clouds_addresses_are_accepted_as_settings(cloud, settings):
    from opencrm_ms365 import conf

    for login_host in cloud.login_hosts:
        settings.OPENCRM_MS365 = {**settings.OPENCRM_MS365, "LOGIN_URL": f"https://{login_host}",
                                  "GRAPH_URL": f"https://{cloud.graph_host}"}
        assert list(conf.faults()) == [] and clouds.cloud_of(conf.settings.GRAPH_URL) is cloud
