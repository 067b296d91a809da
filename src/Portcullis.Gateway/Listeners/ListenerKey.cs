using System.Net;

namespace Portcullis.Gateway.Listeners;

/// <summary>Identifies a bound socket: the address (<see langword="null"/> is every address) and the port really bound.</summary>
/// <param name="Address">Address to bind; <see langword="null"/> binds all, IPv4 and IPv6.</param>
/// <param name="Port">1–65535; 0 lets the system choose.</param>
public readonly record struct ListenerKey(IPAddress? Address, int Port)
{
    /// <summary><c>*:8080</c>, <c>127.0.0.1:8080</c> or <c>[::1]:8080</c>.</summary>
    public override string ToString() => Address is null ? $"*:{Port}" : new IPEndPoint(Address, Port).ToString();
}
