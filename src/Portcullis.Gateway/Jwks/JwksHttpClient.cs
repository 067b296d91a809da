using System.Buffers;
using System.Globalization;
using System.Net;
using System.Security.Cryptography.X509Certificates;

namespace Portcullis.Gateway.Jwks;

/// <summary>What lets a server answer 304: its validators, and the URL that they belong to.</summary>
internal sealed record JwksValidators(string Url, string? ETag, string? LastModified);

/// <summary>A 200 answer whole, or a 304.</summary>
/// <param name="Body">The body; <see langword="null"/> for a 304.</param>
/// <param name="Validators">For the next time; <see langword="null"/> when the server gave none.</param>
internal sealed record JwksAnswer(ReadOnlyMemory<byte>? Body, JwksValidators? Validators);

/// <summary>
/// GET for key sets and discovery documents: one deadline over connecting, redirects, headers and body; everything bounded; redirects checked hop by hop;
/// no connection kept, no compression, no cookies, no proxy of the environment.
/// </summary>
internal sealed class JwksHttpClient : IDisposable
{
    private const int MaxRedirects = 3;
    private const int MaxHeadersKiB = 32;
    private const int MaxValidatorLength = 1024;

    private readonly JwksRequestProfile _profile;
    private readonly JwksTargetRule _rule;
    private readonly int _maxBody;
    private readonly TimeProvider _timeProvider;
    private readonly HttpMessageInvoker _client;

    public JwksHttpClient(
        JwksRequestProfile profile, JwksTargetRule rule, JwksConnector connector, JwksFetchOptions options, TimeProvider timeProvider)
    {
        _profile = profile;
        _rule = rule;
        _maxBody = options.MaxBodyBytes;
        _timeProvider = timeProvider;
        var authorities = new X509Certificate2Collection(profile.Authorities);
        authorities.AddRange(options.ExtraAuthorities.ToArray());
        _client = new HttpMessageInvoker(
            new SocketsHttpHandler
            {
                AllowAutoRedirect = false,
                AutomaticDecompression = DecompressionMethods.None,
                UseCookies = false,
                UseProxy = profile.Proxy is not null,
                Proxy = profile.Proxy is null ? null : new WebProxy(profile.Proxy),
                ConnectCallback = connector.ConnectAsync,
                ConnectTimeout = Timeout.InfiniteTimeSpan,
                PooledConnectionLifetime = TimeSpan.Zero,
                MaxResponseHeadersLength = MaxHeadersKiB,
                MaxResponseDrainSize = 0,
                ActivityHeadersPropagator = null,
                SslOptions = JwksTls.Options(authorities),
            },
            disposeHandler: true);
    }

    /// <summary>Fetches one document.</summary>
    /// <param name="url">Where from.</param>
    /// <param name="trusted">The configured URL: its origin alone is sent the profile's headers and the URL's user part.</param>
    /// <param name="validators">Of an answer that is still held.</param>
    /// <param name="timeout">The deadline for all of it.</param>
    /// <param name="cancellationToken">Stops at once.</param>
    /// <exception cref="JwksFetchException">The fetch failed.</exception>
    public async Task<JwksAnswer> GetAsync(
        Uri url, Uri trusted, JwksValidators? validators, TimeSpan timeout, CancellationToken cancellationToken)
    {
        using var deadline = new CancellationTokenSource(timeout, _timeProvider);
        using var both = CancellationTokenSource.CreateLinkedTokenSource(deadline.Token, cancellationToken);
        try
        {
            return await FollowAsync(url, trusted, validators, both.Token).ConfigureAwait(false);
        }
        catch (Exception) when (deadline.IsCancellationRequested && !cancellationToken.IsCancellationRequested)
        {
            throw new JwksFetchException(string.Create(CultureInfo.InvariantCulture, $"no whole answer within {timeout.TotalSeconds:0.###} s"));
        }
        catch (Exception failure) when (failure is not JwksFetchException && !cancellationToken.IsCancellationRequested)
        {
            throw new JwksFetchException(JwksFetchException.Describe(failure), failure);
        }
    }

    public void Dispose() => _client.Dispose();

    private async Task<JwksAnswer> FollowAsync(Uri url, Uri trusted, JwksValidators? validators, CancellationToken cancellationToken)
    {
        for (var hop = 0; hop <= MaxRedirects; hop++)
        {
            if (JwksUrl.TryGetLiteral(url, out var address) && !_rule.Allows(address))
            {
                throw new JwksFetchException($"`{address}` is an address that key fetches may not use (link-local, cloud metadata or blocked)");
            }

            using var request = Request(url, trusted, validators);
            using var response = await _client.SendAsync(request, cancellationToken).ConfigureAwait(false);
            if (response.StatusCode is HttpStatusCode.MovedPermanently or HttpStatusCode.Found or HttpStatusCode.SeeOther
                or HttpStatusCode.TemporaryRedirect or HttpStatusCode.PermanentRedirect)
            {
                url = Target(url, response);
                continue;
            }

            return await ReadAsync(url, response, validators, cancellationToken).ConfigureAwait(false);
        }

        throw new JwksFetchException($"more than {MaxRedirects} redirects");
    }

    private HttpRequestMessage Request(Uri url, Uri trusted, JwksValidators? validators)
    {
        var request = new HttpRequestMessage(HttpMethod.Get, url) { Version = HttpVersion.Version11, VersionPolicy = HttpVersionPolicy.RequestVersionExact };
        var headers = request.Headers;
        if (JwksUrl.SameOrigin(url, trusted))
        {
            foreach (var (name, value) in _profile.Headers)
            {
                headers.TryAddWithoutValidation(name, value);
            }

            if (!headers.Contains("Authorization") && JwksRequestProfile.BasicAuthorization(trusted) is { } basic)
            {
                headers.TryAddWithoutValidation("Authorization", basic);
            }
        }

        if (!headers.Contains("User-Agent"))
        {
            headers.TryAddWithoutValidation("User-Agent", "portcullis");
        }

        if (!headers.Contains("Accept"))
        {
            headers.TryAddWithoutValidation("Accept", "application/json, application/jwk-set+json");
        }

        headers.TryAddWithoutValidation("Accept-Encoding", "identity");
        headers.ConnectionClose = true;
        if (validators?.Url == url.AbsoluteUri)
        {
            if (validators.ETag is { } tag)
            {
                headers.TryAddWithoutValidation("If-None-Match", tag);
            }

            if (validators.LastModified is { } date)
            {
                headers.TryAddWithoutValidation("If-Modified-Since", date);
            }
        }

        return request;
    }

    private static Uri Target(Uri from, HttpResponseMessage response)
    {
        var target = response.Headers.Location is { } location ? new Uri(from, location) : null;
        return target switch
        {
            null => throw new JwksFetchException("a redirect without a target"),
            _ when !JwksUrl.IsFetchable(target) => throw new JwksFetchException("a redirect to something other than http or https"),
            _ when JwksUrl.IsDowngrade(from, target) => throw new JwksFetchException("a redirect from https to http, which is not followed"),
            _ => target,
        };
    }

    private async Task<JwksAnswer> ReadAsync(Uri url, HttpResponseMessage response, JwksValidators? sent, CancellationToken cancellationToken)
    {
        if (response.StatusCode == HttpStatusCode.NotModified && sent?.Url == url.AbsoluteUri)
        {
            return new(Body: null, sent);
        }

        if (!response.IsSuccessStatusCode)
        {
            throw new JwksFetchException(string.Create(CultureInfo.InvariantCulture, $"the server answered {(int)response.StatusCode}"));
        }

        if (response.Content.Headers.ContentEncoding.Any(e => !e.Equals("identity", StringComparison.OrdinalIgnoreCase)))
        {
            throw new JwksFetchException("the answer is compressed, which was not asked for");
        }

        if (response.Content.Headers.ContentLength > _maxBody)
        {
            throw TooLong();
        }

        var body = await ReadBodyAsync(response.Content, cancellationToken).ConfigureAwait(false);
        return new(body, Validators(url, response));
    }

    private async Task<ReadOnlyMemory<byte>> ReadBodyAsync(HttpContent content, CancellationToken cancellationToken)
    {
        var stream = await content.ReadAsStreamAsync(cancellationToken).ConfigureAwait(false);
        await using (stream.ConfigureAwait(false))
        {
            var body = new ArrayBufferWriter<byte>(16 * 1024);
            int read;
            while ((read = await stream.ReadAsync(body.GetMemory(4 * 1024), cancellationToken).ConfigureAwait(false)) > 0)
            {
                body.Advance(read);
                if (body.WrittenCount > _maxBody)
                {
                    throw TooLong();
                }
            }

            return body.WrittenMemory;
        }
    }

    private JwksFetchException TooLong() => new(string.Create(CultureInfo.InvariantCulture, $"the answer is longer than {_maxBody} bytes"));

    private static JwksValidators? Validators(Uri url, HttpResponseMessage response)
    {
        var tag = First(response.Headers.NonValidated, "ETag");
        var date = First(response.Content.Headers.NonValidated, "Last-Modified");
        return tag is null && date is null ? null : new(url.AbsoluteUri, tag, date);
    }

    private static string? First(System.Net.Http.Headers.HttpHeadersNonValidated headers, string name)
    {
        if (!headers.TryGetValues(name, out var values))
        {
            return null;
        }

        foreach (var value in values)
        {
            return value.Length <= MaxValidatorLength && !value.AsSpan().ContainsAnyExceptInRange(' ', '~') && value.Length > 0 ? value : null;
        }

        return null;
    }
}
