namespace Portcullis.Gateway.Limits;

/// <summary>Why the gateway turned something away; the label of <c>portcullis_overload_shed_total</c>.</summary>
internal enum ShedReason
{
    /// <summary>Nothing is turned away.</summary>
    None,

    /// <summary><c>connections</c>: too many of all listeners.</summary>
    Connections,

    /// <summary><c>listener_connections</c>: too many of one listener.</summary>
    ListenerConnections,

    /// <summary><c>requests</c>: too many in flight.</summary>
    Requests,

    /// <summary><c>queue_delay</c>: work begins too late for want of a thread.</summary>
    QueueDelay,

    /// <summary><c>memory</c>: little is left.</summary>
    Memory,
}
