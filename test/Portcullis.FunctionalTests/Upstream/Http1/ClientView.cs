using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;
using Portcullis.FunctionalTests.Support;

namespace Portcullis.FunctionalTests.Upstream.Http1;

/// <summary>What a client sees of a response, down to whether it came whole.</summary>
internal static class ClientView
{
    private static readonly string[] Own = ["date", "x-envoy-upstream-service-time", "server", "connection"];

    /// <summary>Sends bytes on a connection of its own, and says in one line what came back.</summary>
    public static async Task<string> OfAsync(int port, string request)
    {
        using var patience = new CancellationTokenSource(PortcullisProcess.Patience);
        using var client = new TcpClient();
        await client.ConnectAsync(IPAddress.Loopback, port, patience.Token);
        var stream = client.GetStream();
        await stream.WriteAsync(Encoding.Latin1.GetBytes(request), patience.Token);
        using var received = new MemoryStream();
        try
        {
            await stream.CopyToAsync(received, patience.Token);
        }
        catch (IOException)
        {
            // Reset: what came before counts.
        }

        return Describe(Encoding.Latin1.GetString(received.ToArray()), request.StartsWith("HEAD", StringComparison.Ordinal));
    }

    private static string Describe(string text, bool isHead)
    {
        var end = text.IndexOf("\r\n\r\n", StringComparison.Ordinal);
        if (end < 0)
        {
            return "cut";
        }

        var lines = text[..end].Split("\r\n");
        var headers = lines.Skip(1).Select(l => l.Split(':', 2)).Select(p => (Name: p[0].ToLowerInvariant(), Value: p[1].Trim())).ToArray();
        var (body, isWhole) = Body(text[(end + 4)..], headers, isHead);
        var shown = headers.Where(h => !Own.Contains(h.Name)).Select(h => $"{h.Name}={h.Value}").Order(StringComparer.Ordinal);
        return isWhole ? $"{lines[0][9..]}|{string.Join('|', shown)}|{body}" : "cut";
    }

    private static (string Body, bool IsWhole) Body(string rest, (string Name, string Value)[] headers, bool isHead)
    {
        if (isHead)
        {
            return (rest, true);
        }

        if (headers.Any(h => h.Name == "transfer-encoding"))
        {
            var body = new StringBuilder();
            while (rest.IndexOf("\r\n", StringComparison.Ordinal) is >= 0 and var line)
            {
                var size = int.Parse(rest.AsSpan(0, line), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture);
                if (size == 0)
                {
                    return (body.ToString(), rest[line..] == "\r\n\r\n");
                }

                if (rest.Length < line + 4 + size)
                {
                    break;
                }

                body.Append(rest, line + 2, size);
                rest = rest[(line + 4 + size)..];
            }

            return ("", false);
        }

        var length = headers.Where(h => h.Name == "content-length").Select(h => int.Parse(h.Value, CultureInfo.InvariantCulture)).DefaultIfEmpty(-1).Single();
        return (rest, length < 0 || rest.Length == length);
    }
}
