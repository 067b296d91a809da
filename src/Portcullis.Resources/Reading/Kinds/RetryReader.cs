namespace Portcullis.Resources.Reading;

/// <summary>Reads and validates <c>retries</c> (routing.md §2.10).</summary>
internal static class RetryReader
{
    private static readonly string[] Conditions =
    [
        "5xx", "gateway-error", "reset", "reset-before-request", "connect-failure", "retriable-4xx", "refused-stream", "retriable-status-codes",
        "retriable-headers", "envoy-ratelimited", "http3-post-connect-failure", "cancelled", "deadline-exceeded", "internal", "resource-exhausted", "unavailable",
    ];

    public static HttpRetry Read(ObjectReader reader)
    {
        var retry = new HttpRetry
        {
            Attempts = reader.Integer("attempts", 0, int.MaxValue, "attempts cannot be negative; 0 turns retries off") ?? 0,
            PerTryTimeout = reader.Duration("perTryTimeout", allowsZero: true),
            RetryOn = reader.Text("retryOn"),
            RetryRemoteLocalities = reader.Boolean("retryRemoteLocalities"),
            RetryIgnorePreviousHosts = reader.Boolean("retryIgnorePreviousHosts"),
            Backoff = reader.Duration("backoff"),
        };
        if (!reader.Has("attempts") && (retry.PerTryTimeout is not null || retry.RetryOn is not null))
        {
            reader.Self.Warning("retries are off, since attempts is 0", "set attempts");
        }

        foreach (var part in (retry.RetryOn ?? "").Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries))
        {
            var isStatus = int.TryParse(part, System.Globalization.NumberStyles.None, System.Globalization.CultureInfo.InvariantCulture, out var status);
            if (isStatus ? status is < 100 or > 599 : !Conditions.Contains(part))
            {
                var near = isStatus ? null : FieldName.Nearest(part, Conditions);
                reader.At("retryOn").Error($"\"{part}\" is not a valid retryOn policy", near is null ? $"known: {string.Join(", ", Conditions)}, and HTTP status codes" : $"did you mean `{near}`?");
            }
        }

        return retry;
    }
}
