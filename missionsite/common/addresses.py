"""The address a request came from, behind any number of trusted proxies."""

import ipaddress
from functools import cache

from django.conf import settings
from django.http import HttpRequest

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network

# In TRUSTED_PROXIES: a proxy that connects through a Unix socket, and a site without any proxy.
UNIX_SOCKET = "unix"
NO_PROXY = "none"


def client_address(request: HttpRequest) -> Address | None:
    """The caller's address; None where it is not known.

    Without a trusted proxy it is the address of the connection, and no header is read. A trusted proxy adds the
    address it was called from to the end of X-Forwarded-For: the caller is the last one there that is not a trusted
    proxy itself. An entry that is no address ends the search at the proxy that sent it.
    """
    trusted = _trusted(tuple(settings.TRUSTED_PROXIES))
    caller = parse_address(request.META.get("REMOTE_ADDR", ""))
    hops = request.META.get("HTTP_X_FORWARDED_FOR", "").split(",")
    while hops and _is_trusted(caller, trusted):
        hop = parse_address(hops.pop())
        if hop is None:
            break
        caller = hop
    return caller


def network_of(request: HttpRequest) -> str:
    """The caller's IPv4 address, or the /64 of an IPv6 one, which belongs to one subscriber."""
    address = client_address(request)
    if address is None:
        return "unknown"
    if address.version == 4:
        return str(address)
    return str(ipaddress.ip_network((int(address), 64), strict=False))


def parse_address(text: str) -> Address | None:
    """An address as proxies write it: with or without a port, brackets or a zone. None where it is none."""
    text = text.strip().strip('"')
    if text.startswith("["):
        text = text[1:].partition("]")[0]
    elif text.count(":") == 1:
        text = text.partition(":")[0]
    try:
        address = ipaddress.ip_address(text.partition("%")[0])
    except ValueError:
        return None
    # A socket for both families shows IPv4 callers as ::ffff:192.0.2.1.
    return getattr(address, "ipv4_mapped", None) or address


def parse_network(text: str) -> Network:
    """A network of proxies: 10.0.0.0/8, or one address. Raises ValueError with the reason."""
    network = ipaddress.ip_network(text)
    if network.prefixlen == 0:
        raise ValueError(f"{text} trusts every address, so that any caller could forge theirs")
    return network


@cache
def _trusted(names: tuple[str, ...]) -> tuple[frozenset[str], tuple[Network, ...]]:
    """The words and the networks of TRUSTED_PROXIES. What is none is not trusted; `manage.py check` reports it."""
    networks = []
    for name in names:
        try:
            networks.append(parse_network(name))
        except ValueError:
            continue
    return frozenset(names), tuple(networks)


def _is_trusted(address: Address | None, trusted: tuple[frozenset[str], tuple[Network, ...]]) -> bool:
    words, networks = trusted
    if address is None:
        return UNIX_SOCKET in words
    return any(address in network for network in networks)
