namespace Portcullis.Resources.Reading;

/// <summary>Port protocols (routing.md §1.3).</summary>
internal static class Protocols
{
    private static readonly string[] Known = ["HTTP", "HTTPS", "HTTP2", "GRPC", "GRPC-WEB", "TCP", "TLS", "MONGO", "MYSQL", "REDIS"];

    /// <summary>Upper-cased; <c>TCP</c> when it is absent and may be.</summary>
    public static string Read(ObjectReader reader, bool required)
    {
        var text = required ? reader.RequiredText("protocol") : reader.Text("protocol");
        if (string.IsNullOrEmpty(text))
        {
            return "TCP";
        }

        var protocol = text.ToUpperInvariant();
        if (!Known.Contains(protocol) && !(protocol is "UDP" && !required))
        {
            var near = FieldName.Nearest(protocol, Known);
            reader.At("protocol").Error($"unsupported protocol: {text}", (near is null ? "" : $"did you mean `{near}`? ") + $"supported: {string.Join(", ", Known)}");
        }

        return protocol;
    }

    /// <summary>TLS is spoken on the port.</summary>
    public static bool IsTls(string protocol) => protocol is "HTTPS" or "TLS";

    /// <summary>Plain HTTP in any of its spellings.</summary>
    public static bool IsPlainHttp(string protocol) => protocol is "HTTP" or "HTTP2" or "GRPC" or "GRPC-WEB";
}
