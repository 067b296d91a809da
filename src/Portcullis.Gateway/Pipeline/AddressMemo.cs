using System.Net;

namespace Portcullis.Gateway.Pipeline;

/// <summary>The client's address of one connection, which every request of it asks for again: as IPv4 where it is, and as text.</summary>
internal sealed class AddressMemo
{
    private IPAddress? _reported;
    private IPAddress? _address;
    private string _text = "";

    /// <summary>What <see cref="ClientAddress.Unmap"/> makes of an address.</summary>
    public IPAddress? Unmap(IPAddress? reported)
    {
        if (!ReferenceEquals(reported, _reported))
        {
            _address = ClientAddress.Unmap(reported);
            _text = _address?.ToString() ?? "";
            _reported = reported;
        }

        return _address;
    }

    /// <summary>An address as text.</summary>
    public string Text(IPAddress? address) => ReferenceEquals(address, _address) ? _text : address?.ToString() ?? "";
}
