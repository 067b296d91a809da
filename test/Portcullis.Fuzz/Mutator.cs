using System.Buffers.Text;
using System.Text;

namespace Portcullis.Fuzz;

/// <summary>Spoils inputs: blindly, and with some knowledge of what a token, JSON and base64 look like. The same seed makes the same inputs.</summary>
public sealed class Mutator(int seed)
{
    private static readonly byte[][] Odd =
    [
        .. new[]
        {
            "null", "true", "[]", "{}", "\"\"", "0", "-0", "-1", "1e999", "-1e999", "1e-999", "18446744073709551616", "9223372036854775807", "0.1", "1.5e9",
            new('9', 400), "\"\\u0000\"", "\"\\ud800\"", "\"\\udc00\\ud800\"", "\"\\ud83d\\ude00\"", "\"\uFEFF\"", "\"HS256\"", "\"none\"", "\"RS256\"", "\"ES256\"", "\"EdDSA\"",
            "\"kid\":1,", "\"alg\":\"HS256\",", "\"crit\":[\"b64\"],", "\"aud\":[[]],", "\"exp\":\"1\",", "\"exp\":1e400,", "\"keys\":[],", "\"kty\":\"oct\",", "\"k\":\"\",",
            "\"e\":\"AQ\",", "\"e\":\"AAAA\",", "\"n\":\"\",", "\"crv\":\"P-521\",", "\"crv\":\"X25519\",", "\"use\":\"enc\",", "\"key_ops\":[\"sign\"],", "\"d\":\"AA\",",
            "{", "}", "[", "]", ":", ",", "\"", "\\", "/*x*/", "//x\n", ".", "..", "=", "==", "+", "/", "-", "_", " ", "\r\n", "\t", "\0", "%", "Bearer ",
        }.Select(Encoding.UTF8.GetBytes),
        [0xFF], [0xC0, 0xAF], [0xED, 0xA0, 0x80], [0xF4, 0x90, 0x80, 0x80], [0xEF, 0xBB, 0xBF], [0xE2, 0x28, 0xA1],
    ];

    private readonly Random _random = new(seed);

    /// <summary>Another input of the pool, set by the loop, to splice with.</summary>
    public byte[] Other { get; set; } = [];

    public T Pick<T>(IReadOnlyList<T> items) => items[_random.Next(items.Count)];

    /// <summary>A token: its text, or the octets of one of its segments.</summary>
    public byte[] Token(byte[] input)
    {
        if (_random.Next(4) == 0)
        {
            return Bytes(input);
        }

        var segments = Encoding.Latin1.GetString(input).Split('.');
        var which = _random.Next(segments.Length);
        switch (_random.Next(6))
        {
            case 0:
                segments[which] = Encoding.Latin1.GetString(Base64Text(Encoding.Latin1.GetBytes(segments[which])));
                break;
            case 1 when Encoding.Latin1.GetString(Other).Split('.') is var others && which < others.Length:
                segments[which] = others[which];
                break;
            case 2:
                (segments[which], segments[0]) = (segments[0], segments[which]);
                break;
            default:
                if (TryDecode(segments[which], out var octets))
                {
                    segments[which] = Base64Url.EncodeToString(octets.Length > 0 && octets[0] == '{' ? Json(octets) : Bytes(octets));
                }

                break;
        }

        return Encoding.Latin1.GetBytes(string.Join('.', segments));
    }

    /// <summary>PEM: its text, or the DER in it.</summary>
    public byte[] Pem(byte[] input)
    {
        var lines = Encoding.Latin1.GetString(input).Split('\n');
        if (_random.Next(3) == 0 || lines.Length < 3)
        {
            return Bytes(input);
        }

        try
        {
            var der = Bytes(Convert.FromBase64String(string.Concat(lines[1..].Where(l => !l.StartsWith('-')))));
            return Encoding.Latin1.GetBytes($"{lines[0]}\n{Convert.ToBase64String(der, Base64FormattingOptions.InsertLineBreaks)}\n{lines[0].Replace("BEGIN", "END", StringComparison.Ordinal)}\n");
        }
        catch (FormatException)
        {
            return Bytes(input);
        }
    }

    /// <summary>JSON: mostly still JSON afterwards.</summary>
    public byte[] Json(byte[] input)
    {
        var at = Boundary(input);
        switch (_random.Next(9))
        {
            case 0: // a value becomes another
                var end = at;
                while (end < input.Length && input[end] is not ((byte)',' or (byte)'}' or (byte)']'))
                {
                    end++;
                }

                return [.. input[..at], .. Pick(Odd), .. input[end..]];
            case 1: // something before a member or an item
                return [.. input[..at], .. Pick(Odd), .. input[at..]];
            case 2: // deep
                var depth = 1 << _random.Next(13);
                var (open, close) = _random.Next(2) == 0 ? ("[", "]") : ("{\"a\":", "}");
                var nested = Encoding.ASCII.GetBytes($"{string.Concat(Enumerable.Repeat(open, depth))}1{string.Concat(Enumerable.Repeat(close, _random.Next(2) == 0 ? depth : depth / 2))}");
                return [.. input[..at], .. nested, .. input[at..]];
            case 3: // many
                var member = Encoding.ASCII.GetBytes(string.Concat(Enumerable.Range(0, 1 << _random.Next(10)).Select(i => $"\"m{i}\":{i},")));
                return input.Length > 0 ? [input[0], .. member, .. input[1..]] : member;
            case 4: // long
                return [.. input[..at], (byte)'"', .. Enumerable.Repeat((byte)'A', 1 << _random.Next(14)), (byte)'"', .. input[at..]];
            case 5: // a string's base64
                return Base64Text(input);
            case 6: // a piece of another
                var from = Boundary(Other);
                return [.. input[..at], .. Other[from..Math.Min(Other.Length, from + _random.Next(1, 200))], .. input[at..]];
            default:
                return Bytes(input);
        }
    }

    /// <summary>Anything.</summary>
    public byte[] Bytes(byte[] input)
    {
        var bytes = input.ToArray();
        for (var n = _random.Next(1, 4); n > 0; n--)
        {
            var at = bytes.Length == 0 ? 0 : _random.Next(bytes.Length);
            var length = Math.Min(bytes.Length - at, _random.Next(1, 64));
            switch (_random.Next(8))
            {
                case 0 or 1 when bytes.Length > 0:
                    bytes[at] ^= (byte)(1 << _random.Next(8));
                    break;
                case 2 when bytes.Length > 0:
                    bytes[at] = (byte)_random.Next(256);
                    break;
                case 3:
                    bytes = [.. bytes[..at], .. Pick(Odd), .. bytes[at..]];
                    break;
                case 4:
                    bytes = [.. bytes[..at], .. bytes[(at + length)..]];
                    break;
                case 5:
                    bytes = [.. bytes[..(at + length)], .. bytes[at..]];
                    break;
                case 6:
                    bytes = bytes[..at];
                    break;
                default:
                    bytes = [.. bytes[..at], .. Other[Math.Min(Other.Length, at)..]];
                    break;
            }
        }

        return bytes;
    }

    private byte[] Base64Text(byte[] text)
    {
        const string Characters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_+/= \n";
        var at = text.Length == 0 ? 0 : _random.Next(2) == 0 ? text.Length - 1 : _random.Next(text.Length);
        var character = (byte)Characters[_random.Next(Characters.Length)];
        return _random.Next(3) switch
        {
            0 => [.. text, character],
            1 => [.. text[..at], character, .. text[at..]],
            _ => text.Length == 0 ? [character] : [.. text[..at], character, .. text[(at + 1)..]],
        };
    }

    /// <summary>A place just after one of JSON's separators.</summary>
    private int Boundary(byte[] json)
    {
        if (json.Length == 0)
        {
            return 0;
        }

        var start = _random.Next(json.Length);
        var next = json.AsSpan(start).IndexOfAny("{[:,"u8);
        return next < 0 ? start : start + next + 1;
    }

    private static bool TryDecode(string segment, out byte[] octets)
    {
        octets = [];
        if (segment.Length > 64 * 1024 || !Base64Url.IsValid(segment))
        {
            return false;
        }

        octets = Base64Url.DecodeFromChars(segment);
        return true;
    }
}
