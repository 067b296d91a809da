using System.Diagnostics.CodeAnalysis;

namespace Portcullis.Gateway.Jwks;

/// <summary>
/// Bounds how many fetches start at once. A fetch gives its place back when it ends or after <paramref name="patience"/>, whichever is first:
/// servers that hang slow the others down by no more than that.
/// </summary>
[SuppressMessage("Design", "CA1001:Types that own disposable fields should be disposable", Justification = "timers release the semaphore after its users; it holds no handle")]
internal sealed class FetchGate(int places, TimeSpan patience, TimeProvider timeProvider)
{
    private readonly SemaphoreSlim _places = new(places);

    public async ValueTask<IDisposable> EnterAsync(CancellationToken cancellationToken)
    {
        await _places.WaitAsync(cancellationToken).ConfigureAwait(false);
        return new Place(_places, patience, timeProvider);
    }

    private sealed class Place : IDisposable
    {
        private readonly ITimer _timer;
        private SemaphoreSlim? _places;

        public Place(SemaphoreSlim places, TimeSpan patience, TimeProvider timeProvider)
        {
            _places = places;
            _timer = timeProvider.CreateTimer(static place => ((Place)place!).GiveBack(), this, patience, Timeout.InfiniteTimeSpan);
        }

        public void Dispose()
        {
            GiveBack();
            _timer.Dispose();
        }

        private void GiveBack() => Interlocked.Exchange(ref _places, null)?.Release();
    }
}
