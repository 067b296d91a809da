using System.Text;
using System.Text.Json;
using Portcullis.Jose;

namespace Portcullis.Commands;

/// <summary>What a command was given to read is not there or not what it should be; the message names the remedy.</summary>
internal sealed class InputException(string message) : Exception(message);

/// <summary>Keys and tokens as a user hands them over: a file, <c>-</c> for standard input, or (a token) the argument itself.</summary>
internal static class InputText
{
    /// <summary>Characters that are read at most.</summary>
    private const int MaxLength = 4 * 1024 * 1024;

    public static string ReadFile(string path)
    {
        try
        {
            if (path == "-")
            {
                return Read(Console.In);
            }

            using var reader = new StreamReader(path, new UTF8Encoding(encoderShouldEmitUTF8Identifier: false));
            return Read(reader);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new InputException($"cannot read `{path}`: {e.Message}");
        }
    }

    /// <summary>A token, or what it is read from. White space around it, as a line end of a file, is not part of it.</summary>
    public static string ReadToken(string? token)
    {
        var text = (token is null or "-" ? ReadFile("-") : token).Trim();
        if (text.Length == 0)
        {
            throw new InputException("the token is empty: give it as argument, or on standard input with `-`");
        }

        return text.StartsWith("Bearer ", StringComparison.Ordinal) ? text["Bearer ".Length..].TrimStart() : text;
    }

    /// <summary>One key: a JWK, a key set that has just one, or PEM.</summary>
    public static JsonWebKey ReadKey(string path)
    {
        var text = ReadFile(path);
        if (!text.AsSpan().TrimStart().StartsWith('{'))
        {
            return JsonWebKey.TryFromPem(text, out var fromPem, out var error) ? fromPem! : throw new InputException($"`{path}`: {error}");
        }

        var status = JsonWebKey.TryParse(SingleKeyOf(path, text), out var key);
        return key ?? throw new InputException($"`{path}` is no JWK that can be used: {status.Message}");
    }

    /// <summary>A key set, or one JWK taken for a set of one.</summary>
    public static JsonWebKeySet ReadKeySet(string path)
    {
        var text = ReadFile(path);
        if (text.Contains("-----BEGIN", StringComparison.Ordinal) && !text.AsSpan().TrimStart().StartsWith('{'))
        {
            throw new InputException($"`{path}` is PEM: make a key set of it with `portcullis jwk from-pem --jwks {path}`");
        }

        var set = JsonWebKeySet.Parse(IsSingleKey(text) ? $"{{\"keys\":[{text}]}}" : text);
        return set.IsUsable ? set : throw new InputException($"`{path}` has no key to verify with: {set.Status.Message}");
    }

    private static bool IsSingleKey(string text)
    {
        try
        {
            using var json = JsonDocument.Parse(text);
            return json.RootElement.ValueKind == JsonValueKind.Object
                && json.RootElement.TryGetProperty("kty", out _) && !json.RootElement.TryGetProperty("keys", out _);
        }
        catch (JsonException)
        {
            return false;
        }
    }

    private static string SingleKeyOf(string path, string text)
    {
        try
        {
            using var json = JsonDocument.Parse(text);
            if (json.RootElement.ValueKind != JsonValueKind.Object || !json.RootElement.TryGetProperty("keys", out var keys)
                || keys.ValueKind != JsonValueKind.Array)
            {
                return text;
            }

            return keys.GetArrayLength() == 1
                ? keys[0].GetRawText()
                : throw new InputException($"`{path}` is a set of {keys.GetArrayLength()} keys: give a file with the one that is meant");
        }
        catch (JsonException e)
        {
            throw new InputException($"`{path}` is not valid JSON: {e.Message}");
        }
    }

    private static string Read(TextReader reader)
    {
        var text = new StringBuilder();
        var buffer = new char[16 * 1024];
        for (int count; (count = reader.Read(buffer, 0, buffer.Length)) > 0;)
        {
            text.Append(buffer, 0, count);
            if (text.Length > MaxLength)
            {
                throw new InputException($"the input is longer than {MaxLength} characters");
            }
        }

        return text.ToString();
    }
}
