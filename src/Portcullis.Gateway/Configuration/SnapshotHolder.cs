namespace Portcullis.Gateway.Configuration;

/// <summary>The snapshot in force. One writer publishes; a request reads it once and keeps it to its end.</summary>
internal sealed class SnapshotHolder<T>(T initial)
    where T : class
{
    private T _current = initial;

    public T Current => Volatile.Read(ref _current);

    public void Publish(T next) => Volatile.Write(ref _current, next);
}
