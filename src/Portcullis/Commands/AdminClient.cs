using System.Net;
using System.Text;
using System.Text.Json;
using Portcullis.Gateway.Explanation;

namespace Portcullis.Commands;

/// <summary>Asks a running gateway's admin API.</summary>
internal sealed class AdminClient : IDisposable
{
    public const string DefaultAddress = "http://127.0.0.1:15000";

    /// <summary>Name of the event that <see cref="ListenAsync"/> begins with, once nothing more is missed.</summary>
    public const string Opened = "";

    /// <summary>An answer is a page of decisions at most.</summary>
    private const long MaxAnswerBytes = 64 * 1024 * 1024;

    private static readonly TimeSpan ConnectTimeout = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan AnswerTimeout = TimeSpan.FromSeconds(30);

    private readonly HttpClient _client;
    private readonly string _address;

    /// <param name="address"><c>http://host:port</c>, or as <c>run --admin</c> takes it.</param>
    /// <exception cref="InputException">The address is none.</exception>
    public AdminClient(string address)
    {
        _address = address.Contains("://", StringComparison.Ordinal) ? address.TrimEnd('/') : $"http://{address}";
        if (!Uri.TryCreate(_address, UriKind.Absolute, out var uri) || uri.Scheme != Uri.UriSchemeHttp || uri.PathAndQuery != "/")
        {
            throw new InputException($"--admin: `{address}` is not an address; write it like {DefaultAddress}");
        }

        _client = new HttpClient(new SocketsHttpHandler { UseProxy = false, AllowAutoRedirect = false, ConnectTimeout = ConnectTimeout })
        {
            BaseAddress = uri,
            Timeout = Timeout.InfiniteTimeSpan,
            MaxResponseContentBufferSize = MaxAnswerBytes,
        };
    }

    /// <summary>Reads a JSON answer.</summary>
    /// <exception cref="InputException">There is none; the message says why and what to do.</exception>
    public async Task<T> GetAsync<T>(string path, CancellationToken cancellationToken)
    {
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        patience.CancelAfter(AnswerTimeout);
        try
        {
            using var response = await SendAsync(path, HttpCompletionOption.ResponseContentRead, patience.Token);
            return ExplanationJson.Deserialize<T>(await response.Content.ReadAsStringAsync(patience.Token));
        }
        catch (JsonException)
        {
            throw NotAdmin();
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            throw Unreachable($"no answer within {AnswerTimeout.TotalSeconds:0} s");
        }
    }

    /// <summary>Reads server-sent events until the gateway ends them.</summary>
    /// <exception cref="InputException">There are none; the message says why and what to do.</exception>
    public async IAsyncEnumerable<(string Event, string Data)> ListenAsync(
        string path, [System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken cancellationToken)
    {
        using var response = await SendAsync(path, HttpCompletionOption.ResponseHeadersRead, cancellationToken);
        using var reader = new StreamReader(await response.Content.ReadAsStreamAsync(cancellationToken), Encoding.UTF8);
        var name = "";
        while (await ReadLineAsync(reader, cancellationToken) is { } line)
        {
            if (line.StartsWith(": ", StringComparison.Ordinal))
            {
                yield return (Opened, "");
            }
            else if (line.StartsWith("event: ", StringComparison.Ordinal))
            {
                name = line["event: ".Length..];
            }
            else if (line.StartsWith("data: ", StringComparison.Ordinal))
            {
                yield return (name, line["data: ".Length..]);
            }
        }
    }

    public void Dispose() => _client.Dispose();

    private static async Task<string?> ReadLineAsync(StreamReader reader, CancellationToken cancellationToken)
    {
        try
        {
            return await reader.ReadLineAsync(cancellationToken);
        }
        catch (Exception e) when (e is IOException or HttpRequestException)
        {
            return null; // the gateway has ended
        }
    }

    private async Task<HttpResponseMessage> SendAsync(string path, HttpCompletionOption until, CancellationToken cancellationToken)
    {
        HttpResponseMessage response;
        try
        {
            response = await _client.GetAsync(new Uri(path, UriKind.Relative), until, cancellationToken);
        }
        catch (HttpRequestException e)
        {
            throw Unreachable((e.InnerException ?? e).Message);
        }

        if (response.StatusCode == HttpStatusCode.OK && response.Content.Headers.ContentType?.MediaType is "application/json" or "text/event-stream")
        {
            return response;
        }

        using (response)
        {
            var text = (await response.Content.ReadAsStringAsync(cancellationToken)).Trim();
            // What the admin API says of decisions begins so, and tells the remedy itself.
            throw response.Headers.CacheControl?.NoStore == true && text.Length > 0 || text.StartsWith("the gateway keeps no decisions", StringComparison.Ordinal)
                || text.StartsWith("decisions are told", StringComparison.Ordinal)
                ? new InputException(text)
                : NotAdmin();
        }
    }

    private InputException Unreachable(string reason) =>
        new($"the gateway's admin API cannot be reached at {_address}: {reason}; is the gateway running there, and is --admin the address that it was started with?");

    private InputException NotAdmin() =>
        new($"what answers at {_address} is not the admin API of a gateway that keeps decisions; is it the right port? `portcullis run` says `admin on …` at its start");
}
