"""Client addresses with and without trusted proxies."""

import pytest
from django.conf import settings as site
from django.core.management import call_command
from django.core.management.base import SystemCheckError

from missionsite.common.addresses import client_address, network_of
from missionsite.common.checks import proxies_are_named, proxies_are_networks

PROXY = "10.0.0.1"


def caller(rf, *, peer: str | None = PROXY, forwarded: str | None = None) -> str:
    request = rf.get("/", **({} if forwarded is None else {"HTTP_X_FORWARDED_FOR": forwarded}))
    request.META.pop("REMOTE_ADDR")
    if peer is not None:
        request.META["REMOTE_ADDR"] = peer
    return str(client_address(request))


@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("192.0.2.1", "192.0.2.1"),
        ("::ffff:192.0.2.1", "192.0.2.1"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        ("", "unknown"),
        ("nonsense", "unknown"),
    ],
)
def test_network_ignores_header_without_proxy(rf, address, network):
    assert network_of(rf.get("/", REMOTE_ADDR=address, headers={"X-Forwarded-For": "198.51.100.1"})) == network


@pytest.mark.parametrize(
    ("forwarded", "expected"),
    [
        (None, PROXY),
        ("", PROXY),
        ("203.0.113.9", "203.0.113.9"),
        ("203.0.113.9:51234", "203.0.113.9"),
        (" 203.0.113.9 ", "203.0.113.9"),
        ("2001:db8::9", "2001:db8::9"),
        ("[2001:db8::9]", "2001:db8::9"),
        ("[2001:db8::9]:443", "2001:db8::9"),
        ('"[2001:db8::9]:443"', "2001:db8::9"),
        ("::ffff:203.0.113.9", "203.0.113.9"),
        ("fe80::1%eth0", "fe80::1"),
        # The caller wrote the first entry; the proxy added the last.
        ("198.51.100.1, 203.0.113.9", "203.0.113.9"),
        ("10.0.0.7, 203.0.113.9", "203.0.113.9"),
        # Through two proxies of the site.
        ("198.51.100.1, 203.0.113.9, 10.0.0.2", "203.0.113.9"),
        # A proxy itself asks.
        ("10.0.0.3, 10.0.0.2", "10.0.0.3"),
        # What is no address ends the search at the proxy that sent it.
        ("unknown", PROXY),
        ("203.0.113.9, unknown, 10.0.0.2", "10.0.0.2"),
        ("203.0.113.9, ", PROXY),
        (",,,", PROXY),
        ("1.2.3.4.5", PROXY),
        ("[2001:db8::9", "2001:db8::9"),
        ("<script>, \x00", PROXY),
        ("9" * 5000, PROXY),
    ],
)
def test_client_is_last_untrusted_hop(rf, settings, forwarded, expected):
    settings.TRUSTED_PROXIES = ["10.0.0.0/8"]
    assert caller(rf, forwarded=forwarded) == expected


@pytest.mark.parametrize("peer", ["203.0.113.5", "2001:db8::5"])
def test_header_of_untrusted_peer_is_ignored(rf, settings, peer):
    settings.TRUSTED_PROXIES = ["10.0.0.0/8", "::1", "unix"]
    assert caller(rf, peer=peer, forwarded="198.51.100.1") == peer


@pytest.mark.parametrize("peer", [None, "", "unix", "unix:/run/site.sock"])
def test_unix_socket_is_trusted_only_if_configured(rf, settings, peer):
    settings.TRUSTED_PROXIES = ["127.0.0.1"]
    assert caller(rf, peer=peer, forwarded="198.51.100.1") == "None"
    settings.TRUSTED_PROXIES = ["unix"]
    assert caller(rf, peer=peer, forwarded="198.51.100.1") == "198.51.100.1"


def test_ipv6_proxy_is_trusted(rf, settings):
    settings.TRUSTED_PROXIES = ["2001:db8:ffff::/48"]
    assert caller(rf, peer="2001:db8:ffff::1", forwarded="2001:db8:1::1") == "2001:db8:1::1"


def test_ipv4_mapped_proxy_is_trusted(rf, settings):
    settings.TRUSTED_PROXIES = ["127.0.0.1"]
    assert caller(rf, peer="::ffff:127.0.0.1", forwarded="198.51.100.1") == "198.51.100.1"


@pytest.mark.parametrize("text", ["10.0.0.1/8", "10.0.0.0/33", "nginx", "0.0.0.0/0", "::/0", "10.0.0.1:80"])
def test_check_reports_invalid_network(rf, settings, text):
    settings.TRUSTED_PROXIES = [text, "127.0.0.1"]
    [error] = proxies_are_networks(None)
    assert (error.id, text in error.msg) == ("missionsite.E001", True)
    with pytest.raises(SystemCheckError, match="TRUSTED_PROXIES"):
        call_command("check")
    # Until it is corrected, it is not trusted.
    assert caller(rf, forwarded="198.51.100.1") == PROXY
    assert caller(rf, peer="127.0.0.1", forwarded="198.51.100.1") == "198.51.100.1"


@pytest.mark.parametrize("proxies", [["127.0.0.1"], ["10.0.0.0/8", "2001:db8::/32", "unix"], ["none"]])
def test_check_accepts_valid_networks(settings, proxies):
    settings.TRUSTED_PROXIES, settings.HTTPS = proxies, True
    assert proxies_are_networks(None) == proxies_are_named(None) == []


@pytest.mark.parametrize(
    ("https", "header", "warned"),
    [
        (False, None, False),
        (True, None, True),
        (False, ("HTTP_X_FORWARDED_PROTO", "https"), True),
        (True, ("HTTP_X_FORWARDED_PROTO", "https"), True),
    ],
)
def test_check_warns_without_trusted_proxy_for_https(settings, https, header, warned):
    settings.TRUSTED_PROXIES, settings.HTTPS, settings.SECURE_PROXY_SSL_HEADER = [], https, header
    assert [warning.id for warning in proxies_are_named(None)] == ["missionsite.W003"] * warned


def test_trusted_proxies_are_empty_by_default():
    assert site.TRUSTED_PROXIES == []
