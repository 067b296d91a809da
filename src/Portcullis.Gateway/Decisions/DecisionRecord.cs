using System.Collections.Immutable;
using System.Net;
using Portcullis.Jose;
using Portcullis.Matching;
using Portcullis.Policy.Authorization;
using Portcullis.Policy.Explanation;

namespace Portcullis.Gateway.Decisions;

/// <summary>
/// The facts of one decision, as they are kept: enough to explain it later, without the token, and bounded in size. Immutable but for its place in the journal.
/// </summary>
internal sealed class DecisionRecord
{
    /// <summary>What an empty record takes, from above.</summary>
    private const int BaseBytes = 600;

    private const int BytesPerHeader = 64;

    public required string Id { get; init; }

    /// <summary>Place in the order of completion; 0 before it is in the journal.</summary>
    public long Sequence { get; set; }

    public required DateTimeOffset Time { get; init; }

    public required double Milliseconds { get; init; }

    /// <summary>Generation of the snapshot that decided.</summary>
    public required long Generation { get; init; }

    public required DecisionOutcome Outcome { get; init; }

    /// <summary>Why the token was refused; <see langword="null"/> when it was not.</summary>
    public JwtStatus? TokenStatus { get; init; }

    /// <summary>The rule that accepted or refused the token.</summary>
    public string? TokenRule { get; init; }

    /// <summary>What was noted about a refused token.</summary>
    public string? TokenNote { get; init; }

    public string? PolicyId { get; init; }

    /// <summary>Status of the answer; 0 when the client left before it was complete.</summary>
    public required int Status { get; init; }

    /// <summary>Response code details.</summary>
    public string? Details { get; init; }

    public required string Method { get; init; }

    public required string Scheme { get; init; }

    public required string Authority { get; init; }

    /// <summary>Path and query as received, credentials replaced.</summary>
    public required string Target { get; init; }

    /// <summary>Normalised path.</summary>
    public required string Path { get; init; }

    public required ImmutableArray<KeyValuePair<string, string>> Headers { get; init; }

    public RecordedClaims? Claims { get; init; }

    public string? Issuer { get; init; }

    public string? Subject { get; init; }

    /// <summary><c>issuer/subject</c>; <see langword="null"/> when the claims make none.</summary>
    public string? Principal { get; init; }

    public IPAddress? PeerAddress { get; init; }

    public IPAddress? RemoteAddress { get; init; }

    public IPAddress? LocalAddress { get; init; }

    public required int LocalPort { get; init; }

    /// <summary>Port of the listener as the configuration has it; <see langword="null"/> when it has it no longer.</summary>
    public int? ListenerPort { get; init; }

    public PeerCertificate? PeerCertificate { get; init; }

    public string? ServerName { get; init; }

    public string? Route { get; init; }

    public string? Cluster { get; init; }

    /// <summary>Something was too long to be kept whole.</summary>
    public bool IsCut { get; init; }

    public bool IsRefused => TokenStatus is not null || Outcome != DecisionOutcome.Allowed;

    /// <summary>Size in bytes, estimated from above: characters count two.</summary>
    public int Bytes
    {
        get
        {
            var characters = Authority.Length + Target.Length + Path.Length + (PolicyId?.Length ?? 0) + (Details?.Length ?? 0) + (TokenNote?.Length ?? 0)
                + (TokenRule?.Length ?? 0) + (Issuer?.Length ?? 0) + (Subject?.Length ?? 0) + (Principal?.Length ?? 0);
            foreach (var header in Headers)
            {
                characters += header.Value.Length;
            }

            return BaseBytes + (characters * 2) + (Headers.Length * BytesPerHeader) + (Claims?.Json.Length ?? 0);
        }
    }

    /// <summary>The facts as an explanation takes them.</summary>
    public RequestFacts ToFacts() => new()
    {
        Method = Method,
        Scheme = Scheme,
        Authority = Authority,
        Target = Target,
        Headers = Headers,
        PeerAddress = PeerAddress,
        RemoteAddress = RemoteAddress,
        LocalAddress = LocalAddress,
        LocalPort = LocalPort,
        PeerCertificate = PeerCertificate,
        ServerName = ServerName,
        Known = new KnownIdentity(
            TokenStatus ?? JwtStatus.Ok,
            Claims?.ToClaims(),
            TokenRule,
            Claims is { IsFiltered: true } or { IsCut: true } ? "of the token's claims, those are kept that policies or routes mention" : TokenNote),
    };
}
