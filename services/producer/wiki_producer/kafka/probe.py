"""A look at a broker step by step: its port, its certificate, our login.

When a broker refuses the login, kafka-python 3.0.12 tries again for ever, and mostly loses the broker's
answer: its transport drops bytes that arrive together with a connection's end. So we ask beforehand.
"""

import socket
import ssl
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass
from typing import Any, Final

from kafka.admin import ACLOperation
from kafka.errors import KafkaProtocolError, TopicAuthorizationFailedError
from kafka.net.sasl import get_sasl_mechanism
from kafka.protocol.metadata import MetadataRequest
from kafka.protocol.parser import KafkaProtocol
from kafka.protocol.sasl import SaslAuthenticateRequest, SaslHandshakeRequest

from wiki_common.kafka import errors
from wiki_common.kafka.errors import BrokerRefused
from wiki_common.kafka.security import host_and_port
from wiki_producer.kafka.login import login_options
from wiki_producer.settings import Settings

TIMEOUT_SECONDS: Final = 10.0
# X509_V_ERR_… of OpenSSL
_EXPIRED: Final = 10
_OTHER_HOST: Final = frozenset({62, 64})
_NOT_TRUSTED: Final = frozenset({18, 19, 20, 21})


@dataclass(frozen=True)
class TopicAccess:
    """What a broker says of a topic: whether we may see it, its partitions, and what we may do with it.

    It has no partitions if it does not exist; `leaderless` is how many of them have no leader now.
    `operations` are names of Kafka's ACL operations; empty if the broker does not tell.
    """

    name: str
    visible: bool
    partitions: int
    leaderless: int
    operations: frozenset[str]


def require_access(settings: Settings) -> None:
    """Raise BrokerRefused if the first broker that answers refuses us, or hides our topics from us.

    Returns if none answers at all: that is transient, and the clients wait for one.
    """
    for server in settings.kafka_bootstrap_servers:
        try:
            with (
                closing(connect(server)) as connection,
                closing(secured(connection, server, settings)) as broker,
            ):
                topics = log_in(broker, server, settings)
        except OSError:
            continue
        for topic in topics:
            if not topic.visible:
                raise errors.no_right(topic.name, settings)
        return


def connect(server: str) -> socket.socket:
    """A TCP connection to `server`; OSError if there is none within TIMEOUT_SECONDS."""
    return socket.create_connection(host_and_port(server), timeout=TIMEOUT_SECONDS)


def secured(connection: socket.socket, server: str, settings: Settings) -> socket.socket:
    """The connection, with TLS if the settings say so. BrokerRefused if the certificate is not accepted."""
    if not settings.uses_tls:
        return connection
    context = ssl.create_default_context(
        cafile=str(settings.kafka_ssl_cafile) if settings.kafka_ssl_cafile else None
    )
    if settings.kafka_ssl_certfile is not None:
        context.load_cert_chain(settings.kafka_ssl_certfile, settings.kafka_ssl_keyfile)
    try:
        return context.wrap_socket(connection, server_hostname=host_and_port(server)[0])
    except ssl.SSLCertVerificationError as error:
        raise _certificate_error(error, server) from None
    except (ssl.SSLEOFError, ConnectionResetError):
        raise errors.protocol_not_spoken(settings) from None
    except ssl.SSLError as error:
        if error.reason in {"WRONG_VERSION_NUMBER", "RECORD_LAYER_FAILURE"}:
            raise errors.protocol_not_spoken(settings) from None
        raise _alert_error(error, server) from None


def _certificate_error(error: ssl.SSLCertVerificationError, server: str) -> BrokerRefused:
    if error.verify_code == _EXPIRED:
        return errors.certificate_expired(server)
    if error.verify_code in _OTHER_HOST:
        return errors.certificate_for_other_host(server)
    if error.verify_code in _NOT_TRUSTED:
        return errors.certificate_not_trusted(server)
    return errors.tls_failed(server, error.verify_message)


def _alert_error(error: ssl.SSLError, server: str) -> BrokerRefused:
    reason = error.reason or str(error)
    if "ALERT" in reason and "CERTIFICATE" in reason:
        return errors.client_certificate_wanted(server)
    return errors.tls_failed(server, reason)


def log_in(connection: socket.socket, server: str, settings: Settings) -> tuple[TopicAccess, ...]:
    """Authenticate and ask what we may do with our topics. BrokerRefused if we are not let in."""
    broker = _Conversation(connection)
    topics = [MetadataRequest.MetadataRequestTopic(name=name) for name in topic_names(settings)]
    question = MetadataRequest(
        version=8, topics=topics, allow_auto_topic_creation=False, include_topic_authorized_operations=True
    )
    try:
        if settings.uses_sasl:
            _authenticate(broker, server, settings)
        metadata = broker.ask(question)
    except ssl.SSLError as error:
        raise _alert_error(error, server) from None
    except (KafkaProtocolError, ConnectionError):
        raise errors.protocol_not_spoken(settings) from None
    return tuple(_topic_access(topic) for topic in metadata.topics)


def _topic_access(topic: Any) -> TopicAccess:
    visible = topic.error_code != TopicAuthorizationFailedError.errno
    codes = set(topic.authorized_operations or ()) & set(ACLOperation)
    return TopicAccess(
        topic.name,
        visible,
        partitions=len(topic.partitions),
        leaderless=sum(partition.leader_id < 0 for partition in topic.partitions),
        operations=frozenset(ACLOperation(code).name for code in codes),
    )


def topic_names(settings: Settings) -> tuple[str, str]:
    return settings.kafka_topic, settings.rejected_topic


def _authenticate(broker: "_Conversation", server: str, settings: Settings) -> None:
    options: Mapping[str, Any] = login_options(settings)
    handshake = broker.ask(SaslHandshakeRequest(mechanism=options["sasl_mechanism"], version=1))
    if handshake.error_code:
        raise errors.mechanism_not_offered(settings)
    mechanism = get_sasl_mechanism(options["sasl_mechanism"])(host=host_and_port(server)[0], **options)
    while not mechanism.is_done():
        answer = broker.ask(SaslAuthenticateRequest(mechanism.auth_bytes(), version=1))
        if answer.error_code:
            raise errors.login_refused(settings, answer.error_message)
        try:
            mechanism.receive(answer.auth_bytes)
        except ValueError as error:
            raise errors.login_refused(settings, str(error)) from None


class _Conversation:
    """Requests and answers one after the other over a blocking socket."""

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection
        self._protocol = KafkaProtocol(client_id="wiki-producer", receive_message_max_bytes=16 * 1024 * 1024)

    def ask(self, request: Any) -> Any:
        self._protocol.send_request(request)
        self._connection.sendall(self._protocol.send_bytes())
        while data := self._connection.recv(65_536):
            for _correlation_id, answer in self._protocol.receive_bytes(data):
                return answer
        raise ConnectionResetError("the broker ended the connection")
