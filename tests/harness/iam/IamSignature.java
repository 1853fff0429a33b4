import java.net.URLDecoder;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.MessageDigest;
import java.time.Instant;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.util.HexFormat;
import java.util.Map;
import java.util.SortedMap;
import javax.crypto.Mac;
import javax.crypto.spec.SecretKeySpec;

/**
 * What AWS does with a request to connect: recomputes its Signature Version 4 with the access key's secret.
 *
 * Options of the login module: accessKey, secretKey, region, lifetimeSeconds.
 */
final class IamSignature {
    private static final DateTimeFormatter AMZ_DATE =
            DateTimeFormatter.ofPattern("yyyyMMdd'T'HHmmss'Z'").withZone(ZoneOffset.UTC);
    private static final String SERVICE = "kafka-cluster";

    private final Map<String, ?> options;

    IamSignature(Map<String, ?> options) {
        this.options = options;
    }

    String option(String name) {
        return (String) options.get(name);
    }

    /** When a session that begins now ends, in ms since the epoch. */
    long endOfSession() {
        return System.currentTimeMillis() + 1000 * Long.parseLong(option("lifetimeSeconds"));
    }

    /** Why the request is refused, null if it is not; `query` has its parameters URL-encoded, without the signature. */
    String refusal(String host, SortedMap<String, String> query, String signature) throws GeneralSecurityException {
        String date = query.getOrDefault("X-Amz-Date", "");
        String scope = date.substring(0, Math.min(8, date.length()))
                + "/" + option("region") + "/" + SERVICE + "/aws4_request";
        if (!"kafka-cluster:Connect".equals(decoded(query.get("Action")))) {
            return "the action is not kafka-cluster:Connect";
        }
        if (!(option("accessKey") + "/" + scope).equals(decoded(query.get("X-Amz-Credential")))) {
            return "unknown access key, or another region than " + option("region");
        }
        Instant signed = AMZ_DATE.parse(date, Instant::from);
        if (Instant.now().isAfter(signed.plusSeconds(Long.parseLong(query.get("X-Amz-Expires"))))) {
            return "expired";
        }
        StringBuilder parameters = new StringBuilder();
        query.forEach((key, text) ->
                parameters.append(parameters.isEmpty() ? "" : "&").append(key).append('=').append(text));
        String request = "GET\n/\n" + parameters + "\nhost:" + host + "\n\nhost\n" + sha256("");
        byte[] key = ("AWS4" + option("secretKey")).getBytes(StandardCharsets.UTF_8);
        for (String part : scope.split("/")) {
            key = hmac(key, part);
        }
        String expected = HexFormat.of()
                .formatHex(hmac(key, "AWS4-HMAC-SHA256\n" + date + "\n" + scope + "\n" + sha256(request)));
        return expected.equals(signature) ? null : "the signature does not match";
    }

    private static String decoded(String text) {
        return text == null ? null : URLDecoder.decode(text, StandardCharsets.UTF_8);
    }

    private static String sha256(String text) throws GeneralSecurityException {
        MessageDigest digest = MessageDigest.getInstance("SHA-256");
        return HexFormat.of().formatHex(digest.digest(text.getBytes(StandardCharsets.UTF_8)));
    }

    private static byte[] hmac(byte[] key, String text) throws GeneralSecurityException {
        Mac mac = Mac.getInstance("HmacSHA256");
        mac.init(new SecretKeySpec(key, "HmacSHA256"));
        return mac.doFinal(text.getBytes(StandardCharsets.UTF_8));
    }
}
