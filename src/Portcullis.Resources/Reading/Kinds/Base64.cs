namespace Portcullis.Resources.Reading;

/// <summary>Standard base64, as protobuf's <c>bytes</c> and Secrets have it. The text never gets into a message.</summary>
internal static class Base64
{
    public static byte[] Decode(string text, Place place)
    {
        try
        {
            return Convert.FromBase64String(text);
        }
        catch (FormatException)
        {
            place.Error("not valid base64", "encode the bytes with standard base64, padding included");
            return [];
        }
    }
}
