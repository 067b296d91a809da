namespace Portcullis.Jose.Tests;

public sealed class ConcurrencyTests
{
    public static TheoryData<JwsAlgorithm> Algorithms => [.. JwsAlgorithms.All];

    [Theory]
    [MemberData(nameof(Algorithms))]
    public void VerifySignature_OnManyThreadsWithOneKey_IsAlwaysRight(JwsAlgorithm algorithm)
    {
        var keys = Keys.SetOf(Keys.Of(algorithm));
        var tokens = Enumerable.Range(0, 8).Select(i => JwtSigner.Sign($$"""{"i":{{i}}}""", Keys.Of(algorithm))).ToArray();
        var swapped = tokens.Select((t, i) => t[..t.LastIndexOf('.')] + tokens[(i + 1) % 8][tokens[(i + 1) % 8].LastIndexOf('.')..]).ToArray();
        var wrong = 0;

        Parallel.For(0, 8, new ParallelOptions { MaxDegreeOfParallelism = 8 }, worker =>
        {
            for (var i = 0; i < 100; i++)
            {
                var good = Keys.Check(tokens[(worker + i) % 8], keys) == JwtStatus.Ok;
                var bad = Keys.Check(swapped[(worker + i) % 8], keys) == JwtStatus.VerificationFailed;
                if (!good || !bad)
                {
                    Interlocked.Increment(ref wrong);
                }
            }
        });

        Assert.Equal(0, wrong);
    }

    /// <summary>With EC the platform makes a DER signature of ours, whichever form it is handed; that is the one thing we cannot avoid.</summary>
    [Theory]
    [MemberData(nameof(Algorithms))]
    public void VerifySignature_OfAParsedToken_AllocatesNothingOfOurs(JwsAlgorithm algorithm)
    {
        var keys = Keys.SetOf(Keys.Of(algorithm));
        JsonWebToken.TryParse(JwtSigner.Sign("""{"iss":"i"}""", Keys.Of(algorithm)), out var jwt);
        for (var i = 0; i < 50; i++)
        {
            jwt!.VerifySignature(keys);
        }

        var before = GC.GetAllocatedBytesForCurrentThread();
        for (var i = 0; i < 100; i++)
        {
            jwt!.VerifySignature(keys);
        }

        var perCall = (GC.GetAllocatedBytesForCurrentThread() - before) / 100;
        Assert.InRange(perCall, 0, algorithm.Name.StartsWith("ES", StringComparison.Ordinal) ? 1600 : 0);
    }
}
