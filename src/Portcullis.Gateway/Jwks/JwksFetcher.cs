using System.Text;
using System.Text.Json;
using Portcullis.Jose;
using Portcullis.Policy.Authentication;

namespace Portcullis.Gateway.Jwks;

/// <summary>What a source remembers of its last good fetch, to make the next one cheaper or possible at all.</summary>
/// <param name="KeysUrl">Where the keys were: <c>jwksUri</c>, or what discovery found.</param>
/// <param name="Validators">Of the set that is held.</param>
internal sealed record JwksFetchMemory(string? KeysUrl, JwksValidators? Validators)
{
    public static readonly JwksFetchMemory Nothing = new(null, null);
}

/// <summary>A successful fetch.</summary>
/// <param name="Keys">The set, with at least one key; <see langword="null"/> when the server says that it has not changed.</param>
/// <param name="Json">Its text; <see langword="null"/> like <paramref name="Keys"/>.</param>
/// <param name="Memory">For the next fetch.</param>
/// <param name="Warning">What went wrong without spoiling the fetch.</param>
internal sealed record JwksFetched(JsonWebKeySet? Keys, string? Json, JwksFetchMemory Memory, string? Warning);

/// <summary>Fetches the keys of one location: discovery if there is no <c>jwksUri</c>, then the set. Keeps no state.</summary>
internal sealed class JwksFetcher(JwksLocation location, JwksHttpClient client)
{
    private static readonly JsonDocumentOptions DiscoveryOptions = new() { MaxDepth = 32, AllowDuplicateProperties = false };
    private static readonly UTF8Encoding StrictUtf8 = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    /// <param name="memory">Of the last good fetch.</param>
    /// <param name="reuseDiscovery">Whether the URL of an earlier discovery is good enough, as it is for an extra fetch.</param>
    /// <param name="cancellationToken">Stops at once.</param>
    /// <exception cref="JwksFetchException">The fetch failed, or what came is no set with a usable key.</exception>
    public async Task<JwksFetched> FetchAsync(JwksFetchMemory memory, bool reuseDiscovery, CancellationToken cancellationToken)
    {
        var (url, trusted, warning) = await LocateAsync(memory, reuseDiscovery, cancellationToken).ConfigureAwait(false);
        var answer = await client.GetAsync(url, trusted, memory.Validators, location.Timeout, cancellationToken).ConfigureAwait(false);
        var next = new JwksFetchMemory(url.OriginalString, answer.Validators);
        if (answer.Body is not { } body)
        {
            return new(null, null, next, warning);
        }

        var json = Decode(body.Span);
        var keys = JsonWebKeySet.Parse(json);
        return keys.IsUsable ? new(keys, json, next, warning) : throw new JwksFetchException("no usable key: " + keys.Status.Message);
    }

    private async Task<(Uri Url, Uri Trusted, string? Warning)> LocateAsync(JwksFetchMemory memory, bool reuseDiscovery, CancellationToken cancellationToken)
    {
        if (location.JwksUri is { } jwksUri)
        {
            return JwksUrl.TryParse(jwksUri, out var configured)
                ? (configured, configured, null)
                : throw new JwksFetchException("jwksUri is not an http or https URL") { IsPermanent = true };
        }

        if (location.Issuer is not { Length: > 0 } issuer || !JwksUrl.TryParse(JwksUrl.Discovery(issuer), out var document))
        {
            throw new JwksFetchException("without jwksUri the issuer has to be an http or https URL, for OpenID discovery") { IsPermanent = true };
        }

        var known = JwksUrl.TryParse(memory.KeysUrl, out var found);
        if (known && reuseDiscovery)
        {
            return (found!, document, null);
        }

        try
        {
            return (await DiscoverAsync(document, cancellationToken).ConfigureAwait(false), document, null);
        }
        catch (JwksFetchException failure) when (known)
        {
            return (found!, document, failure.Message); // the keys themselves may still be served where they were
        }
    }

    private async Task<Uri> DiscoverAsync(Uri document, CancellationToken cancellationToken)
    {
        JwksAnswer answer;
        try
        {
            answer = await client.GetAsync(document, document, null, location.Timeout, cancellationToken).ConfigureAwait(false);
        }
        catch (JwksFetchException failure)
        {
            throw new JwksFetchException("OpenID discovery: " + failure.Message, failure);
        }

        if (!TryReadJwksUri(answer.Body ?? default, out var text) || !JwksUrl.TryParse(text, out var url))
        {
            throw new JwksFetchException("OpenID discovery: invalid jwks_uri in openID discovery configuration");
        }

        return JwksUrl.IsDowngrade(document, url)
            ? throw new JwksFetchException("OpenID discovery: a document from https names a jwks_uri of http, which is not followed")
            : url;
    }

    private static bool TryReadJwksUri(ReadOnlyMemory<byte> body, out string? url)
    {
        url = null;
        try
        {
            using var document = JsonDocument.Parse(body, DiscoveryOptions);
            if (document.RootElement.ValueKind == JsonValueKind.Object
                && document.RootElement.TryGetProperty("jwks_uri"u8, out var member) && member.ValueKind == JsonValueKind.String)
            {
                url = member.GetString();
            }
        }
        catch (Exception failure) when (failure is JsonException or InvalidOperationException)
        {
            return false; // the caller's reason says all there is to say about bytes that are no discovery document
        }

        return url is not null;
    }

    private static string Decode(ReadOnlySpan<byte> body)
    {
        try
        {
            return StrictUtf8.GetString(body.StartsWith("\uFEFF"u8) ? body[3..] : body);
        }
        catch (DecoderFallbackException)
        {
            throw new JwksFetchException("no usable key: the answer is not UTF-8");
        }
    }
}
