import com.fasterxml.jackson.core.type.TypeReference;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.net.URLEncoder;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.Provider;
import java.security.Security;
import java.util.List;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;
import javax.security.auth.Subject;
import javax.security.auth.callback.Callback;
import javax.security.auth.callback.CallbackHandler;
import javax.security.auth.login.AppConfigurationEntry;
import javax.security.auth.spi.LoginModule;
import javax.security.sasl.SaslServer;
import javax.security.sasl.SaslServerFactory;
import org.apache.kafka.common.errors.SaslAuthenticationException;
import org.apache.kafka.common.security.auth.AuthenticateCallbackHandler;

/**
 * MSK's side of the mechanism AWS_MSK_IAM, as the README of aws/aws-msk-iam-auth describes it: one JSON object with a
 * signed request from the client, one with a request id back. As a login module it makes the mechanism known to Java.
 */
public final class IamMechanism implements LoginModule {
    private static final String NAME = "AWS_MSK_IAM";

    static {
        Security.addProvider(new TestProvider());
    }

    @Override
    public void initialize(Subject subject, CallbackHandler handler, Map<String, ?> state, Map<String, ?> options) {}

    @Override
    public boolean login() {
        return true;
    }

    @Override
    public boolean commit() {
        return true;
    }

    @Override
    public boolean abort() {
        return false;
    }

    @Override
    public boolean logout() {
        return true;
    }

    private static final class TestProvider extends Provider {
        TestProvider() {
            super("test " + NAME, "1", "the server side of " + NAME);
            put("SaslServerFactory." + NAME, Factory.class.getName());
        }
    }

    /** Brings the login module's options to the server. */
    public static final class Options implements AuthenticateCallbackHandler {
        private IamSignature aws;

        @Override
        public void configure(Map<String, ?> configs, String mechanism, List<AppConfigurationEntry> entries) {
            aws = new IamSignature(entries.get(0).getOptions());
        }

        @Override
        public void handle(Callback[] callbacks) {}

        @Override
        public void close() {}
    }

    public static final class Factory implements SaslServerFactory {
        @Override
        public SaslServer createSaslServer(
                String mechanism, String protocol, String server, Map<String, ?> properties, CallbackHandler handler) {
            return new Server(((Options) handler).aws);
        }

        @Override
        public String[] getMechanismNames(Map<String, ?> properties) {
            return new String[] {NAME};
        }
    }

    private static final class Server implements SaslServer {
        private final IamSignature aws;
        private Long endOfSession;

        Server(IamSignature aws) {
            this.aws = aws;
        }

        @Override
        public byte[] evaluateResponse(byte[] message) {
            String refusal;
            try {
                refusal = refusal(new ObjectMapper().readValue(message, new TypeReference<Map<String, String>>() {}));
            } catch (IOException | GeneralSecurityException unreadable) {
                refusal = "unreadable: " + unreadable.getMessage();
            }
            System.out.println(NAME + " " + (refusal == null ? "accepted" : "refused: " + refusal));
            if (refusal != null) {
                throw new SaslAuthenticationException("Access denied: " + refusal);
            }
            endOfSession = aws.endOfSession();
            return "{\"version\":\"2020_10_22\",\"request-id\":\"test\"}".getBytes(StandardCharsets.UTF_8);
        }

        private String refusal(Map<String, String> request) throws GeneralSecurityException {
            SortedMap<String, String> query = new TreeMap<>();
            query.put("Action", encoded(request.get("action")));
            for (String name : List.of("Algorithm", "Credential", "Date", "Expires", "Security-Token", "SignedHeaders")) {
                String value = request.get("x-amz-" + name.toLowerCase());
                if (value != null) {
                    query.put("X-Amz-" + name, encoded(value));
                }
            }
            return aws.refusal(request.get("host"), query, request.get("x-amz-signature"));
        }

        private static String encoded(String text) {
            return URLEncoder.encode(text, StandardCharsets.UTF_8).replace("+", "%20");
        }

        @Override
        public boolean isComplete() {
            return endOfSession != null;
        }

        @Override
        public Object getNegotiatedProperty(String name) {
            return name.equals("CREDENTIAL.LIFETIME.MS") ? endOfSession : null;
        }

        @Override
        public String getAuthorizationID() {
            return aws.option("accessKey");
        }

        @Override
        public String getMechanismName() {
            return NAME;
        }

        @Override
        public byte[] wrap(byte[] outgoing, int offset, int length) {
            throw new IllegalStateException("not a security layer");
        }

        @Override
        public byte[] unwrap(byte[] incoming, int offset, int length) {
            throw new IllegalStateException("not a security layer");
        }

        @Override
        public void dispose() {}
    }
}
