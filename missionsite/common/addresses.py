"""The client address of a request, behind any number of trusted proxies."""

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
    """The client's address, None if unknown.

    Without a trusted proxy it is the address of the connection, and headers are ignored. A trusted proxy appends the
    address of its caller to X-Forwarded-For: the client is the last address there that is not a trusted proxy. An
    invalid entry ends the search at the proxy that sent it.
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
    """The client's IPv4 address, or the /64 network of its IPv6 address, which belongs to one subscriber."""
    address = client_address(request)
    if address is None:
        return "unknown"
    if address.version == 4:
        return str(address)
    return str(ipaddress.ip_network((int(address), 64), strict=False))


def parse_address(text: str) -> Address | None:
    """Parse an address as proxies write it: with or without a port, brackets or a zone. None if invalid."""
    text = text.strip().strip('"')
    if text.startswith("["):
        text = text[1:].partition("]")[0]
    elif text.count(":") == 1:
        text = text.partition(":")[0]
    try:
        address = ipaddress.ip_address(text.partition("%")[0])
    except ValueError:
        return None
    # A dual-stack socket shows IPv4 clients as ::ffff:192.0.2.1.
    return getattr(address, "ipv4_mapped", None) or address


def parse_network(text: str) -> Network:
    """Parse a network of proxies such as 10.0.0.0/8, or one address. Raises ValueError with the reason."""
    network = ipaddress.ip_network(text)
    if network.prefixlen == 0:
        raise ValueError(f"{text} trusts every address, so any client could forge its own")
    return network


@cache
def _trusted(names: tuple[str, ...]) -> tuple[frozenset[str], tuple[Network, ...]]:
    """The keywords and networks of TRUSTED_PROXIES. Invalid entries are not trusted; `manage.py check` reports them."""
    networks = []
    for name in names:
        try:
            networks.append(parse_network(name))
        except ValueError:
            continue
    return frozenset(names), tuple(networks)


def _is_trusted(address: Address | None, trusted: tuple[frozenset[str], tuple[Network, ...]]) -> bool:
    keywords, networks = trusted
    if address is None:
        return UNIX_SOCKET in keywords
    return any(address in network for network in networks)
