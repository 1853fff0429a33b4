"""The one place that turns the KAFKA_* settings of the login into kafka-python's options."""

from typing import Any

from aws_msk_iam_sasl_signer import MSKAuthTokenProvider
from botocore.credentials import CredentialProvider, Credentials
from botocore.exceptions import BotoCoreError
from botocore.session import Session
from kafka.net.sasl.oauth import AbstractTokenProvider

from wiki_common.kafka.errors import no_aws_credentials
from wiki_common.kafka.security import KafkaSettings


class MskTokenProvider(AbstractTokenProvider):  # type: ignore[misc]
    """Signs a token for Amazon MSK at each login; it expires after 15 minutes, and the client asks again."""

    def __init__(self, region: str) -> None:
        super().__init__()
        self._region = region

    def token(self) -> str:
        """BrokerRefused without AWS credentials. They may expire, so they are looked up each time."""
        try:
            credentials = Session().get_credentials()
            if credentials is None:
                raise no_aws_credentials()
            token, _expires_ms = MSKAuthTokenProvider.generate_auth_token_from_credentials_provider(
                self._region, _Found(credentials)
            )
        except BotoCoreError as error:
            # Such as a profile that does not exist, or a single sign-on that has expired.
            raise no_aws_credentials(str(error)) from None
        return str(token)


class _Found(CredentialProvider):  # type: ignore[misc]
    """Credentials in the form that the signer takes."""

    def __init__(self, credentials: Credentials) -> None:
        super().__init__()
        self._credentials = credentials

    def load(self) -> Credentials:
        return self._credentials


def login_options(settings: KafkaSettings) -> dict[str, Any]:
    """Protocol, trust, client certificate and login. Holds the password in clear text."""
    options: dict[str, Any] = {"security_protocol": settings.kafka_security_protocol}
    for name, file in {
        "ssl_cafile": settings.kafka_ssl_cafile,
        "ssl_certfile": settings.kafka_ssl_certfile,
        "ssl_keyfile": settings.kafka_ssl_keyfile,
    }.items():
        if file is not None:
            options[name] = str(file)
    if settings.kafka_sasl_mechanism == "AWS_MSK_IAM":
        # kafka-python's own AWS_MSK_IAM signs for a region that it takes from the AWS configuration.
        options["sasl_mechanism"] = "OAUTHBEARER"
        options["sasl_oauth_token_provider"] = MskTokenProvider(settings.aws_region or "")
    elif settings.kafka_sasl_password is not None:
        options["sasl_mechanism"] = settings.kafka_sasl_mechanism
        options["sasl_plain_username"] = settings.kafka_sasl_username
        options["sasl_plain_password"] = settings.kafka_sasl_password.get_secret_value()
    return options
