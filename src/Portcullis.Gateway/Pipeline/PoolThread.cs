using System.Runtime.CompilerServices;

namespace Portcullis.Gateway.Pipeline;

/// <summary>Awaited, goes on on a thread of the pool, behind what is queued there.</summary>
internal readonly struct PoolThread : ICriticalNotifyCompletion
{
    /// <summary>Never: the queue is the point.</summary>
    public bool IsCompleted => false;

    public PoolThread GetAwaiter() => this;

    public void GetResult()
    {
    }

    public void OnCompleted(Action continuation) => ThreadPool.QueueUserWorkItem(static c => c(), continuation, preferLocal: false);

    public void UnsafeOnCompleted(Action continuation) => ThreadPool.UnsafeQueueUserWorkItem(static c => c(), continuation, preferLocal: false);
}
