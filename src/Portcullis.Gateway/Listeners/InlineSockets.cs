namespace Portcullis.Gateway.Listeners;

/// <summary>
/// Whether a request runs on the thread that polls its socket, rather than on one of the pool that is woken for it. Waking costs more than most requests do: at 2,000
/// requests a second inline takes three quarters of the processor time, at saturation four fifths (bench/results/load.md). What would hold a polling thread up, and every
/// connection with it, is sent to the pool: signatures beyond a budget (<see cref="Pipeline.SignatureLanes"/>) and TLS handshakes.
/// </summary>
public static class InlineSockets
{
    /// <summary>The runtime reads this when the process opens its first socket; there is no other way to tell it.</summary>
    public const string Variable = "DOTNET_SYSTEM_NET_SOCKETS_INLINE_COMPLETIONS";

    /// <summary>Sockets complete on the threads that poll them.</summary>
    public static bool IsOn { get; private set; } = Read() == "1";

    /// <summary>Turns it on unless the environment says otherwise. Before the first socket.</summary>
    public static void Prefer()
    {
        if (Read() is null)
        {
            Environment.SetEnvironmentVariable(Variable, "1");
            IsOn = true;
        }
    }

    private static string? Read() => Environment.GetEnvironmentVariable(Variable);
}
