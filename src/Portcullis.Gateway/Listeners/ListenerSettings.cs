using Portcullis.Gateway.Limits;

namespace Portcullis.Gateway.Listeners;

/// <summary>How a port serves.</summary>
/// <param name="Limits">What its clients may take.</param>
/// <param name="Load">Counts what they take; <see langword="null"/> for the control ports, which must answer when nothing else does.</param>
/// <param name="SharesPort">Another process may bind the port too (<c>SO_REUSEPORT</c>).</param>
/// <param name="RunsInline">Requests run on the threads that poll sockets (<see cref="InlineSockets"/>); not those of the control ports, which may take long.</param>
internal sealed record ListenerSettings(GatewayLimits Limits, ListenerLoad? Load, bool SharesPort = false, bool RunsInline = false)
{
    /// <summary>For the control ports.</summary>
    public static ListenerSettings Control { get; } = new(new GatewayLimits(), Load: null);
}
