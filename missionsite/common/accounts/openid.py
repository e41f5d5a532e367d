"""Sign-in with OpenID Connect as its specification demands, where allauth leaves something out.

A nonce ties the ID token to this browser, its signature is verified, and the user info is about the same subject.
Sources: OpenID Connect Core 1.0, 3.1.3.7, 5.3.2 and 10.1; OpenID Connect Discovery 1.0, 4.3.
"""

import base64
import hashlib
import hmac
from typing import Any

import jwt
from allauth.socialaccount.adapter import get_adapter
from allauth.socialaccount.providers import registry
from allauth.socialaccount.providers.oauth2.client import OAuth2Error
from allauth.socialaccount.providers.openid_connect.provider import OpenIDConnectProvider
from allauth.socialaccount.providers.openid_connect.views import OpenIDConnectOAuth2Adapter
from django.http import HttpRequest

# Signatures with a private key of the provider; never those with a secret that both share.
ALGORITHMS = ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA"]
METADATA = ("issuer", "authorization_endpoint", "token_endpoint", "userinfo_endpoint", "jwks_uri")


def connect() -> None:
    """Replace the provider of allauth. Called when all apps are loaded."""
    registry.load()
    registry.register(CheckedProvider)


def nonce_of(code_verifier: str) -> str:
    """Return the nonce of a log-in: a digest of the secret of PKCE in the session, different from its challenge."""
    digest = hashlib.sha256(b"nonce:" + code_verifier.encode()).digest()
    return base64.urlsafe_b64encode(digest).decode().rstrip("=")


class CheckedAdapter(OpenIDConnectOAuth2Adapter):
    """Rejects an ID token that is not for this log-in, or that its provider has not signed."""

    _nonce = ""

    def get_access_token_data(
        self, request: HttpRequest, app: Any, client: Any, pkce_code_verifier: str | None = None
    ) -> dict:
        if pkce_code_verifier:
            self._nonce = nonce_of(pkce_code_verifier)
        return super().get_access_token_data(request, app, client, pkce_code_verifier=pkce_code_verifier)

    def complete_login(self, request: HttpRequest, app: Any, token: Any, **kwargs: Any) -> Any:
        """Return the log-in. Raises OAuth2Error for a missing token, and for user info about someone else."""
        if not kwargs["response"].get("id_token"):
            raise OAuth2Error("The provider gave no ID token.")
        login = super().complete_login(request, app, token, **kwargs)
        given = login.account.extra_data
        if "userinfo" in given and given["userinfo"].get("sub") != given["id_token"]["sub"]:
            raise OAuth2Error("The user info is about another subject than the ID token.")
        return login

    @property
    def openid_config(self) -> dict:
        """The metadata of the provider. Raises OAuth2Error if it is incomplete, or that of another issuer."""
        found = super().openid_config
        if not isinstance(found, dict) or not all(isinstance(found.get(name), str) for name in METADATA):
            raise OAuth2Error("The metadata of the provider is incomplete.")
        wanted = self.get_provider().app.settings["server_url"].partition("/.well-known/")[0]
        if found["issuer"].rstrip("/") != wanted.rstrip("/"):
            raise OAuth2Error(f"The metadata is of the issuer {found['issuer']}, not of {wanted}.")
        return found

    def _decode_id_token(self, app: Any, id_token: str) -> dict:
        """Return the claims. Raises OAuth2Error for a wrong signature, issuer, audience, time or nonce."""
        try:
            header = jwt.get_unverified_header(id_token)
            claims = jwt.decode(
                id_token,
                key=signing_key(self._keys(), header),
                algorithms=ALGORITHMS,
                issuer=self.openid_config["issuer"],
                audience=app.client_id,
                options={"require": ["iss", "sub", "aud", "exp", "iat"]},
            )
        except (jwt.PyJWTError, KeyError, TypeError, ValueError, AttributeError) as error:
            raise OAuth2Error("The ID token is not valid.") from error
        if not claims["sub"]:
            raise OAuth2Error("The ID token has no subject.")
        audience = claims["aud"]
        if isinstance(audience, list) and len(audience) > 1 and claims.get("azp") != app.client_id:
            raise OAuth2Error("The ID token was made for another client.")
        if not self._nonce or not hmac.compare_digest(str(claims.get("nonce", "")).encode(), self._nonce.encode()):
            raise OAuth2Error("The ID token was not made for this log-in.")
        return claims

    def _keys(self) -> list[dict]:
        with get_adapter().get_requests_session() as session:
            response = session.get(self.openid_config["jwks_uri"])
            response.raise_for_status()
            return response.json()["keys"]


def signing_key(keys: list[dict], header: dict) -> jwt.PyJWK:
    """Return the key of a provider that made a signature with this header, never one that the header brings.

    Without a key ID it is the only key for signatures. Raises PyJWTError for another algorithm, or unless one key fits.
    """
    if header["alg"] not in ALGORITHMS:
        raise jwt.InvalidAlgorithmError(f"The algorithm {header['alg']} is not accepted.")
    usable = [
        each for each in keys if each.get("use", "sig") == "sig" and each.get("alg", header["alg"]) == header["alg"]
    ]
    if "kid" in header:
        usable = [each for each in usable if each.get("kid") == header["kid"]]
    if len(usable) != 1:
        raise jwt.InvalidKeyError(f"{len(usable)} keys of the provider fit the signature.")
    return jwt.PyJWK(usable[0], algorithm=header["alg"])


class CheckedProvider(OpenIDConnectProvider):
    """Sends a nonce with each request for a log-in, and always uses PKCE."""

    oauth2_adapter_class = CheckedAdapter
    pkce_enabled_default = True

    def get_pkce_params(self) -> dict:
        params = super().get_pkce_params()
        return params | {"nonce": nonce_of(params["code_verifier"])}
