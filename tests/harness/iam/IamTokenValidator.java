import java.io.IOException;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.SortedMap;
import java.util.TreeMap;
import javax.security.auth.callback.Callback;
import javax.security.auth.callback.UnsupportedCallbackException;
import javax.security.auth.login.AppConfigurationEntry;
import org.apache.kafka.common.security.auth.AuthenticateCallbackHandler;
import org.apache.kafka.common.security.oauthbearer.OAuthBearerExtensionsValidatorCallback;
import org.apache.kafka.common.security.oauthbearer.OAuthBearerToken;
import org.apache.kafka.common.security.oauthbearer.OAuthBearerValidatorCallback;

/**
 * MSK's side of IAM with OAUTHBEARER: takes the token that aws-msk-iam-sasl-signer-python makes, a presigned URL in
 * base64url, and gives the session a short life.
 */
public final class IamTokenValidator implements AuthenticateCallbackHandler {
    private IamSignature aws;

    @Override
    public void configure(Map<String, ?> configs, String mechanism, List<AppConfigurationEntry> entries) {
        aws = new IamSignature(entries.get(0).getOptions());
    }

    @Override
    public void close() {}

    @Override
    public void handle(Callback[] callbacks) throws IOException, UnsupportedCallbackException {
        for (Callback callback : callbacks) {
            if (callback instanceof OAuthBearerValidatorCallback token) {
                answer(token);
            } else if (!(callback instanceof OAuthBearerExtensionsValidatorCallback)) {
                throw new UnsupportedCallbackException(callback);
            }
        }
    }

    private void answer(OAuthBearerValidatorCallback callback) {
        String refusal;
        try {
            refusal = refusal(callback.tokenValue());
        } catch (IllegalArgumentException | GeneralSecurityException unreadable) {
            refusal = "unreadable token: " + unreadable;
        }
        System.out.println("OAUTHBEARER " + (refusal == null ? "accepted" : "refused: " + refusal));
        if (refusal == null) {
            long now = System.currentTimeMillis();
            callback.token(new Token(callback.tokenValue(), now, aws.endOfSession(), aws.option("accessKey")));
        } else {
            callback.error(refusal, null, null);
        }
    }

    private String refusal(String token) throws GeneralSecurityException {
        URI url = URI.create(new String(Base64.getUrlDecoder().decode(token), StandardCharsets.UTF_8));
        String host = "kafka." + aws.option("region") + ".amazonaws.com";
        if (!host.equals(url.getHost())) {
            return "signed for " + url.getHost();
        }
        SortedMap<String, String> query = new TreeMap<>();
        for (String pair : url.getRawQuery().split("&")) {
            String[] parts = pair.split("=", 2);
            query.put(parts[0], parts[1]);
        }
        String signature = query.remove("X-Amz-Signature");
        query.remove("User-Agent"); // added after signing
        return aws.refusal(host, query, signature);
    }

    private record Token(String value, Long startTimeMs, long lifetimeMs, String principalName)
            implements OAuthBearerToken {
        @Override
        public Set<String> scope() {
            return Set.of();
        }
    }
}
