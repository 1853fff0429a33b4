"""The settings as options of the two clients, where the real brokers of the other tests can't tell."""

import pytest

from wiki_common.kafka.errors import BrokerRefused
from wiki_common.kafka.security import KafkaSettings
from wiki_consumer.kafka.login import login_properties
from wiki_producer.kafka.login import MskTokenProvider, login_options

IAM = {
    "kafka_security_protocol": "SASL_SSL",
    "kafka_sasl_mechanism": "AWS_MSK_IAM",
    "aws_region": "eu-central-1",
}


def test_spark_has_just_the_options_that_aws_msk_iam_auth_documents() -> None:
    # "Configuring a Kafka client to use AWS IAM", README of aws/aws-msk-iam-auth.
    assert login_properties(KafkaSettings.model_validate(IAM)) == {
        "security.protocol": "SASL_SSL",
        "sasl.mechanism": "AWS_MSK_IAM",
        "sasl.jaas.config": "software.amazon.msk.auth.iam.IAMLoginModule required;",
        "sasl.client.callback.handler.class": "software.amazon.msk.auth.iam.IAMClientCallbackHandler",
    }


def test_kafka_python_has_the_signer_s_token_as_oauthbearer() -> None:
    options = login_options(KafkaSettings.model_validate(IAM))
    assert isinstance(options.pop("sasl_oauth_token_provider"), MskTokenProvider)
    assert options == {"security_protocol": "SASL_SSL", "sasl_mechanism": "OAUTHBEARER"}


def test_missing_aws_credentials_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    for name in ("AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"):
        monkeypatch.setenv(name, "/dev/null")
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    with pytest.raises(BrokerRefused, match="no AWS credentials found: set AWS_ACCESS_KEY_ID"):
        MskTokenProvider("eu-central-1").token()
    monkeypatch.setenv("AWS_PROFILE", "nobody")
    with pytest.raises(BrokerRefused, match=r"no AWS credentials found \(The config profile \(nobody\)"):
        MskTokenProvider("eu-central-1").token()


def test_a_password_is_quoted_for_the_jaas_line() -> None:
    settings = KafkaSettings.model_validate(
        {
            "kafka_security_protocol": "SASL_PLAINTEXT",
            "kafka_sasl_mechanism": "PLAIN",
            "kafka_sasl_username": 'a"b',
            "kafka_sasl_password": 'c\\d"; e\n',
        }
    )
    assert login_properties(settings)["sasl.jaas.config"] == (
        "org.apache.kafka.common.security.plain.PlainLoginModule required"
        r' username="a\"b" password="c\\d\"; e\n";'
    )
