"""The SDK reads its environment when it is imported: so the emulator is up before that.

What a user changes to reach it is the base URL, `NGC_CLI_API_URL`; and, as the SDK makes `https`
of every address, whose certificate is trusted: `truststore` has it use OpenSSL's own settings.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import truststore

from tests.interop.served import KEY, ORG, TLS, Served, serve

if TYPE_CHECKING:
    import ngcsdk

_SERVED = pytest.StashKey[Served]()


def pytest_configure(config: pytest.Config) -> None:
    folder = Path(tempfile.mkdtemp(prefix="nvcfplan-interop-"))
    config.add_cleanup(lambda: shutil.rmtree(folder))
    world = Path(__file__).parent / "world.yaml"
    emulator = serve(folder, f"-world={world}", f"-certificate={TLS / 'localhost.pem'}")
    config.stash[_SERVED] = emulator
    config.add_cleanup(emulator.stop)
    for name in list(os.environ):
        if name.startswith(("NGC_", "NVCF_")) or name.lower().endswith("_proxy"):
            del os.environ[name]
    os.environ["NGC_CLI_HOME"] = str(folder)
    os.environ["NGC_CLI_API_URL"] = os.environ["NGC_CLI_AUTH_URL"] = emulator.url
    os.environ["SSL_CERT_FILE"] = str(TLS / "ca.pem")
    truststore.inject_into_ssl()


@pytest.fixture(autouse=True)
def emulator(pytestconfig: pytest.Config) -> Served:
    """As new for each test."""
    served = pytestconfig.stash[_SERVED]
    served.tell("reset")
    return served


@pytest.fixture
def client() -> ngcsdk.Client:
    """Configured as NVIDIA's documentation tells its users to."""
    from ngcsdk import Client

    configured = Client()
    configured.configure(api_key=KEY, org_name=ORG)
    return configured
