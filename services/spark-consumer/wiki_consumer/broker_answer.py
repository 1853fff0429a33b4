"""What Java's Kafka client says when a broker refuses us, as one line that names the setting to look at."""

from collections.abc import Sequence

from wiki_consumer import kafka_refusal
from wiki_consumer.kafka_refusal import BrokerRefused
from wiki_consumer.settings import Settings

Cause = tuple[str, str]


def refusal(causes: Sequence[Cause], settings: Settings) -> BrokerRefused | None:
    """The refusal in a Java exception's chain of (class name, message); None if there is none."""
    found = {name.rpartition(".")[2]: message for name, message in causes}
    if "TopicAuthorizationException" in found or "GroupAuthorizationException" in found:
        return kafka_refusal.no_right(settings.kafka_topic, settings)
    if "UnsupportedSaslMechanismException" in found or "IllegalSaslStateException" in found:
        return kafka_refusal.mechanism_not_offered(settings)
    if "SaslAuthenticationException" in found:
        answer = found["SaslAuthenticationException"]
        if "Failed to find AWS IAM Credentials" in answer:
            return kafka_refusal.no_aws_credentials()
        return kafka_refusal.login_refused(settings, answer)
    if "SslAuthenticationException" in found or "SSLHandshakeException" in found:
        return _tls_refusal(found, settings.kafka_bootstrap_servers)
    return None


def _tls_refusal(found: dict[str, str], servers: str) -> BrokerRefused:
    reason = found.get("SSLHandshakeException") or found.get("SslAuthenticationException", "")
    if "CertificateExpiredException" in found:
        return kafka_refusal.certificate_expired(servers)
    if reason.startswith(("No subject alternative", "No name matching")):
        return kafka_refusal.certificate_for_other_host(servers)
    if "SunCertPathBuilderException" in found:
        return kafka_refusal.certificate_not_trusted(servers)
    if "alert" in reason and "certificate" in reason:
        return kafka_refusal.client_certificate_wanted(servers)
    return kafka_refusal.tls_failed(servers, reason)
