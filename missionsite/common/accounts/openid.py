"""Sign-in with OpenID Connect as its specification demands, where allauth leaves something out.

A nonce ties the ID token to this browser, its signature is verified, and the user info is about the same subject.
Source: OpenID Connect Core 1.0, 3.1.3.7 and 5.3.2.
"""

import base64
import hashlib
import hmac
from typing import Any

from allauth.socialaccount.internal import jwtkit
from allauth.socialaccount.providers import registry
from allauth.socialaccount.providers.oauth2.client import OAuth2Error
from allauth.socialaccount.providers.openid_connect.provider import OpenIDConnectProvider
from allauth.socialaccount.providers.openid_connect.views import OpenIDConnectOAuth2Adapter
from django.http import HttpRequest


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

    def _decode_id_token(self, app: Any, id_token: str) -> dict:
        """Return the claims. Raises OAuth2Error for a wrong signature, issuer, audience, time or nonce."""
        try:
            claims = jwtkit.verify_and_decode(
                credential=id_token,
                keys_url=self.openid_config["jwks_uri"],
                issuer=self.openid_config["issuer"],
                audience=app.client_id,
                lookup_kid=jwtkit.lookup_kid_jwk,
            )
        except (KeyError, TypeError, ValueError) as error:
            raise OAuth2Error("The ID token or the keys of the provider are malformed.") from error
        if not claims.get("sub"):
            raise OAuth2Error("The ID token has no subject.")
        audience = claims["aud"]
        if isinstance(audience, list) and len(audience) > 1 and claims.get("azp") != app.client_id:
            raise OAuth2Error("The ID token was made for another client.")
        if not self._nonce or not hmac.compare_digest(str(claims.get("nonce", "")).encode(), self._nonce.encode()):
            raise OAuth2Error("The ID token was not made for this log-in.")
        return claims


class CheckedProvider(OpenIDConnectProvider):
    """Sends a nonce with each request for a log-in, and always uses PKCE."""

    oauth2_adapter_class = CheckedAdapter
    pkce_enabled_default = True

    def get_pkce_params(self) -> dict:
        params = super().get_pkce_params()
        return params | {"nonce": nonce_of(params["code_verifier"])}
