"""The one place that turns the KAFKA_* settings of the login into properties of Java's Kafka clients."""

from wiki_common.kafka.security import KafkaSettings

_MODULES = {
    "PLAIN": "org.apache.kafka.common.security.plain.PlainLoginModule",
    "SCRAM-SHA-256": "org.apache.kafka.common.security.scram.ScramLoginModule",
    "SCRAM-SHA-512": "org.apache.kafka.common.security.scram.ScramLoginModule",
}
# Escapes of java.io.StreamTokenizer, which Kafka reads a JAAS line with.
_ESCAPES = str.maketrans({"\\": r"\\", '"': r"\"", "\n": r"\n", "\r": r"\r"})


def login_properties(settings: KafkaSettings) -> dict[str, str]:
    """Protocol, trust, client certificate and JAAS line. Holds password and private key in clear text."""
    return {
        "security.protocol": settings.kafka_security_protocol,
        **_tls(settings),
        **_sasl(settings),
    }


def _tls(settings: KafkaSettings) -> dict[str, str]:
    properties = {}
    if settings.kafka_ssl_cafile is not None:
        properties["ssl.truststore.type"] = "PEM"
        properties["ssl.truststore.location"] = str(settings.kafka_ssl_cafile)
    if settings.kafka_ssl_certfile is not None and settings.kafka_ssl_keyfile is not None:
        # As text: in a file Java wants both in one.
        properties["ssl.keystore.type"] = "PEM"
        properties["ssl.keystore.key"] = settings.kafka_ssl_keyfile.read_text("ascii")
        properties["ssl.keystore.certificate.chain"] = settings.kafka_ssl_certfile.read_text("ascii")
    return properties


def _sasl(settings: KafkaSettings) -> dict[str, str]:
    mechanism = settings.kafka_sasl_mechanism
    if mechanism is None:
        return {}
    if mechanism == "AWS_MSK_IAM":
        # As in the README of aws/aws-msk-iam-auth; credentials come from AWS's default chain.
        return {
            "sasl.mechanism": mechanism,
            "sasl.jaas.config": "software.amazon.msk.auth.iam.IAMLoginModule required;",
            "sasl.client.callback.handler.class": "software.amazon.msk.auth.iam.IAMClientCallbackHandler",
        }
    secret = settings.kafka_sasl_password
    username = _quoted(settings.kafka_sasl_username or "")
    password = _quoted(secret.get_secret_value() if secret else "")
    return {
        "sasl.mechanism": mechanism,
        "sasl.jaas.config": f"{_MODULES[mechanism]} required username={username} password={password};",
    }


def _quoted(text: str) -> str:
    return f'"{text.translate(_ESCAPES)}"'
