namespace Portcullis.Jose.Tests;

public sealed class RoundTripTests
{
    public static TheoryData<JwsAlgorithm> Algorithms => [.. JwsAlgorithms.All];

    [Theory]
    [MemberData(nameof(Algorithms))]
    public void VerifySignature_OfWhatWasSigned_IsOk(JwsAlgorithm algorithm)
    {
        var key = JsonWebKey.Generate(algorithm, "k1");
        var token = JwtSigner.Sign("""{"iss":"i","sub":"s"}""", key);

        Assert.Equal(JwtStatus.Ok, JsonWebToken.TryParse(token, out var jwt));

        Assert.Equal(JwtStatus.Ok, jwt!.VerifySignature(JsonWebKeySet.Parse($"{{\"keys\":[{key.ToJson(includePrivate: true)}]}}")));
        Assert.Equal((algorithm, "k1", "JWT", "i", "s"), (jwt.Algorithm, jwt.KeyId, jwt.Type, jwt.Issuer, jwt.Subject));
    }
}
