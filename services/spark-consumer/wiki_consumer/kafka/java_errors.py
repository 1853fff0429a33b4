"""What Java says when something fails: the chain of an exception's causes, and a broker's refusal in it."""

from collections.abc import Sequence
from typing import Any

from wiki_common.kafka import errors
from wiki_common.kafka.errors import BrokerRefused
from wiki_consumer.settings import Settings

Cause = tuple[str, str]
"""The class name and the message of a Java exception."""


def chain(exception: Any) -> list[Cause]:
    """A Java exception and its causes, outermost first."""
    causes = []
    while exception is not None:
        causes.append((exception.getClass().getName(), exception.getMessage() or ""))
        exception = exception.getCause()
    return causes


def refusal(causes: Sequence[Cause], settings: Settings) -> BrokerRefused | None:
    """The refusal that `causes` show, as one line that names the setting to look at; None without one."""
    found = {name.rpartition(".")[2]: message for name, message in causes}
    if "TopicAuthorizationException" in found or "GroupAuthorizationException" in found:
        return errors.no_right(settings.kafka_topic, settings)
    if "UnsupportedSaslMechanismException" in found or "IllegalSaslStateException" in found:
        return errors.mechanism_not_offered(settings)
    if "SaslAuthenticationException" in found:
        answer = found["SaslAuthenticationException"]
        if "Failed to find AWS IAM Credentials" in answer:
            return errors.no_aws_credentials()
        return errors.login_refused(settings, answer)
    if "SslAuthenticationException" in found or "SSLHandshakeException" in found:
        return _tls_refusal(found, settings.kafka_bootstrap_servers)
    return None


def _tls_refusal(found: dict[str, str], servers: str) -> BrokerRefused:
    reason = found.get("SSLHandshakeException") or found.get("SslAuthenticationException", "")
    if "CertificateExpiredException" in found:
        return errors.certificate_expired(servers)
    if reason.startswith(("No subject alternative", "No name matching")):
        return errors.certificate_for_other_host(servers)
    if "SunCertPathBuilderException" in found:
        return errors.certificate_not_trusted(servers)
    if "alert" in reason and "certificate" in reason:
        return errors.client_certificate_wanted(servers)
    return errors.tls_failed(servers, reason)
