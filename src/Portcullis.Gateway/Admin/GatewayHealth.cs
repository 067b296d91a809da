using System.Collections.Immutable;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;
using Microsoft.AspNetCore.Http;
using Portcullis.Gateway.Configuration;
using Portcullis.Gateway.Jwks;
using Portcullis.Resources;

namespace Portcullis.Gateway.Admin;

/// <summary>Whether the gateway serves, and what an operator should know about it.</summary>
internal sealed class GatewayHealth(SnapshotHolder<GatewaySnapshot> snapshots, RemoteJwksResolver keys, ConfigurationUpdater updater)
{
    private volatile bool _listening;
    private volatile bool _draining;

    /// <summary>A snapshot is live, its listeners are bound, and no stop was asked for.</summary>
    public bool IsReady => _listening && !_draining;

    public void MarkListening() => _listening = true;

    public void BeginDrain() => _draining = true;

    /// <summary><c>/healthz/ready</c> for probes (empty body), <c>/readyz</c> with detail; everything else is 404.</summary>
    public Task HandleStatusAsync(HttpContext context)
    {
        var response = context.Response;
        switch (context.Request.Path.Value)
        {
            case "/healthz/ready":
                response.StatusCode = IsReady ? StatusCodes.Status200OK : StatusCodes.Status503ServiceUnavailable;
                response.ContentLength = 0;
                return Task.CompletedTask;
            case "/readyz":
                response.StatusCode = IsReady ? StatusCodes.Status200OK : StatusCodes.Status503ServiceUnavailable;
                return WriteJsonAsync(response, Detail());
            default:
                response.StatusCode = StatusCodes.Status404NotFound;
                return Task.CompletedTask;
        }
    }

    /// <summary>State, problems of the configuration in force, errors of a refused one, remote key sets.</summary>
    public HealthDetail Detail()
    {
        var snapshot = snapshots.Current;
        var keySets = keys.GetStatuses();
        return new HealthDetail(
            _draining ? "draining" : _listening ? "ready" : "starting",
            snapshot.Generation,
            snapshot.Resources.All.Length,
            [.. snapshot.Problems.Where(p => p.Severity != ProblemSeverity.Note).Select(p => p.ToString())],
            [.. updater.Refused.Select(p => p.ToString())],
            [.. keySets.Where(s => s.KeyCount == 0).Select(s => s.Issuer ?? $"(any, {s.Url})")],
            keySets);
    }

    public static Task WriteJsonAsync<T>(HttpResponse response, T value)
    {
        response.ContentType = "application/json";
        return response.WriteAsync(JsonSerializer.Serialize(value, Indented) + "\n");
    }

    private static readonly JsonSerializerOptions Indented = new(JsonSerializerDefaults.Web)
    {
        WriteIndented = true,
        Converters = { new JsonStringEnumConverter(JsonNamingPolicy.CamelCase) },
        // Served as application/json to people and programs, never put into a page.
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    };
}

/// <summary>What <c>/readyz</c> says.</summary>
/// <param name="State"><c>starting</c>, <c>ready</c> or <c>draining</c>.</param>
/// <param name="Generation">Counts configurations that went live.</param>
/// <param name="Resources">Number of resources in force.</param>
/// <param name="Problems">Warnings and errors of the configuration in force.</param>
/// <param name="RefusedConfiguration">Errors of a later configuration, which is therefore not in force.</param>
/// <param name="IssuersWithoutKeys">Issuers whose tokens are all refused until their key server answers; <see cref="KeySets"/> says why.</param>
/// <param name="KeySets">Remote key sets.</param>
internal sealed record HealthDetail(
    string State,
    long Generation,
    int Resources,
    ImmutableArray<string> Problems,
    ImmutableArray<string> RefusedConfiguration,
    ImmutableArray<string> IssuersWithoutKeys,
    IReadOnlyList<JwksSourceStatus> KeySets);
