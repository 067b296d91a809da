using System.Net;
using System.Net.Sockets;
using System.Runtime.InteropServices;
using Microsoft.AspNetCore.Server.Kestrel.Transport.Sockets;

namespace Portcullis.Gateway.Listeners;

/// <summary>
/// The options of listening sockets that .NET has no name for (Linux, <c>socket(7)</c>): sharing a port with another process, and leaving it
/// without losing a connection.
/// </summary>
internal static class ListenSocketOptions
{
    private const int SolSocket = 1;
    private const int SoReusePort = 15;
    private const int SoAttachFilter = 26;
    private const int SoAttachReusePortCbpf = 51;
    private const int SoDetachReusePortBpf = 68;

    /// <summary>A bound socket whose port other sockets of the same user may bind too; the kernel spreads new connections over them.</summary>
    public static Socket BindShared(EndPoint endpoint)
    {
        if (endpoint is not IPEndPoint ip || !OperatingSystem.IsLinux())
        {
            return SocketTransportOptions.CreateDefaultBoundListenSocket(endpoint);
        }

        var socket = new Socket(ip.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
        try
        {
            if (ip.Address.Equals(IPAddress.IPv6Any))
            {
                socket.DualMode = true;
            }

            Set(socket, SoReusePort, 1);
            socket.Bind(ip);
            return socket;
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    /// <summary>
    /// Makes the kernel drop connection requests to the socket, and nothing else: handshakes that have begun complete, and who is dropped asks again
    /// a second later (RFC 6298 §2.1), when another socket has the port.
    /// </summary>
    public static void DropRequests(Socket socket) => Attach(
        socket,
        SoAttachFilter,
        new(0x30, 0, 0, 13),   // A = flags of the TCP header
        new(0x54, 0, 0, 0x12), // A &= SYN | ACK
        new(0x15, 0, 1, 0x02), // only SYN?
        new(0x06, 0, 0, 0),    // yes: drop
        new(0x06, 0, 0, uint.MaxValue)); // no: keep it whole

    /// <summary>
    /// Sends connection requests to the second socket of the port: the one that was bound after this one in a rolling restart of two. Where there
    /// is no second socket the kernel goes on as before.
    /// </summary>
    public static void SteerToSuccessor(Socket socket) => Attach(socket, SoAttachReusePortCbpf, new Instruction(0x06, 0, 0, 1));

    /// <summary>Lets the kernel choose among the port's sockets again.</summary>
    public static void EndSteering(Socket socket) => Set(socket, SoDetachReusePortBpf, 0);

    private static void Set(Socket socket, int option, int value)
    {
        Span<byte> bytes = stackalloc byte[sizeof(int)];
        MemoryMarshal.Write(bytes, value);
        socket.SetRawSocketOption(SolSocket, option, bytes);
    }

    /// <summary>Passes a <c>struct sock_fprog</c>.</summary>
    private static void Attach(Socket socket, int option, params ReadOnlySpan<Instruction> program)
    {
        var code = GC.AllocateArray<Instruction>(program.Length, pinned: true);
        program.CopyTo(code);
        Span<byte> header = stackalloc byte[2 * sizeof(long)];
        header.Clear();
        MemoryMarshal.Write(header, (ushort)program.Length);
        MemoryMarshal.Write(header[sizeof(long)..], Marshal.UnsafeAddrOfPinnedArrayElement(code, 0));
        socket.SetRawSocketOption(SolSocket, option, header);
        GC.KeepAlive(code);
    }

    /// <summary><c>struct sock_filter</c>: an instruction of classic BPF.</summary>
    [StructLayout(LayoutKind.Sequential)]
    private readonly record struct Instruction(ushort Code, byte JumpTrue, byte JumpFalse, uint Operand);
}
