using Portcullis.Gateway.Limits;

namespace Portcullis.Gateway.Listeners;

/// <summary>How a port serves.</summary>
/// <param name="Limits">What its clients may take.</param>
/// <param name="Load">Counts what they take; <see langword="null"/> for the control ports, which must answer when nothing else does.</param>
internal sealed record ListenerSettings(GatewayLimits Limits, ListenerLoad? Load)
{
    /// <summary>For the control ports.</summary>
    public static ListenerSettings Control { get; } = new(new GatewayLimits(), Load: null);
}
