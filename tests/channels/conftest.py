"""Fixtures: certificates for hooks.example.com and mail.example.com, made by openssl."""

import os
import shutil
import ssl
import subprocess
from pathlib import Path

import pytest

NAMES = "subjectAltName=DNS:hooks.example.com,DNS:mail.example.com"


@pytest.fixture(scope="session")
def certificate_files(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    openssl = shutil.which("openssl")
    if openssl is None:
        if os.environ.get("CONTRACTWATCH_TEST_REQUIRE") == "all":
            pytest.fail("openssl is not installed")
        pytest.skip("openssl is not installed")
    folder = tmp_path_factory.mktemp("certificate")
    key, certificate = folder / "key.pem", folder / "certificate.pem"
    options = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
    paths = ["-keyout", str(key), "-out", str(certificate)]
    name = ["-subj", "/CN=hooks.example.com", "-addext", NAMES, "-days", "2"]
    subprocess.run(
        [openssl, "req", "-x509", *options, *paths, *name], check=True, capture_output=True
    )
    return key, certificate


@pytest.fixture
def certificate(certificate_files: tuple[Path, Path]) -> ssl.SSLContext:
    key, path = certificate_files
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(path, key)
    return context


@pytest.fixture
def trusting(certificate_files: tuple[Path, Path]) -> ssl.SSLContext:
    return ssl.create_default_context(cafile=str(certificate_files[1]))
