using System.Collections.Concurrent;
using System.Collections.Frozen;
using System.Globalization;
using System.Net;
using System.Runtime.CompilerServices;
using Portcullis.Routing;

namespace Portcullis.Gateway.Telemetry.Metrics;

/// <summary>
/// Finds the series of a request: once its labels were seen, without allocating. Labels are made of the configuration and of a bounded number of
/// outcomes; should reloads make more than <see cref="MaxSeries"/> of them, the rest is counted together.
/// </summary>
internal sealed class RequestSeriesTable(string sourceLabels)
{
    /// <summary>Most series of each of the four metrics.</summary>
    public const int MaxSeries = 10_000;

    /// <summary>Not a gRPC request, or one whose status did not come.</summary>
    public const int NoGrpcStatus = -1;

    private const int MaxGrpcStatus = 16;

    private readonly ConcurrentDictionary<SeriesKey, RequestSeries> _series = new();
    private readonly ConcurrentDictionary<DestinationLabels, DestinationLabels> _destinations = new();
    private readonly ConditionalWeakTable<Cluster, ClusterDestinations> _clusters = [];
    private int _count;

    /// <summary>All series so far.</summary>
    public ICollection<RequestSeries> All => _series.Values;

    /// <summary>The series of one request.</summary>
    /// <param name="cluster">Chosen cluster.</param>
    /// <param name="address">Address of the chosen endpoint.</param>
    /// <param name="status">Status answered; 0 when the client left.</param>
    /// <param name="flags">Envoy's response flags; <see langword="null"/> for none.</param>
    /// <param name="isGrpc">Whether the request is gRPC.</param>
    /// <param name="grpcStatus">gRPC's status, or <see cref="NoGrpcStatus"/>.</param>
    public RequestSeries Find(Cluster? cluster, string? address, int status, string? flags, bool isGrpc, int grpcStatus)
    {
        var destination = DestinationLabels.None;
        if (cluster is not null)
        {
            if (!_clusters.TryGetValue(cluster, out var known))
            {
                _clusters.AddOrUpdate(cluster, known = new ClusterDestinations(cluster, this));
            }

            destination = known.Find(address);
        }

        // A backend can send any number as its gRPC status.
        var grpc = !isGrpc || grpcStatus is < 0 or > MaxGrpcStatus ? NoGrpcStatus : grpcStatus;
        var key = new SeriesKey(destination, status, flags ?? "-", isGrpc, grpc);
        return _series.TryGetValue(key, out var series) ? series : Add(key);
    }

    private RequestSeries Add(SeriesKey key)
    {
        if (Interlocked.Increment(ref _count) > MaxSeries)
        {
            Interlocked.Decrement(ref _count);
            key = new SeriesKey(DestinationLabels.None, 0, "-", false, NoGrpcStatus);
        }

        return _series.GetOrAdd(key, static (key, source) => new RequestSeries(key.Render(source)), sourceLabels);
    }

    private DestinationLabels Intern(DestinationLabels labels) => _destinations.Count >= MaxSeries ? DestinationLabels.None : _destinations.GetOrAdd(labels, labels);

    /// <summary>Destinations are interned, so that a reference is enough to compare.</summary>
    private readonly record struct SeriesKey(DestinationLabels Destination, int Status, string Flags, bool IsGrpc, int GrpcStatus)
    {
        public bool Equals(SeriesKey other) => ReferenceEquals(Destination, other.Destination) && Status == other.Status && IsGrpc == other.IsGrpc
            && GrpcStatus == other.GrpcStatus && Flags == other.Flags;

        public override int GetHashCode() => HashCode.Combine(RuntimeHelpers.GetHashCode(Destination), Status, Flags.Length, GrpcStatus);

        public string Render(string source)
        {
            var labels = new LabelText();
            Destination.AddTo(labels);
            labels.Add("request_protocol", IsGrpc ? "grpc" : "http");
            labels.Add("response_code", Status.ToString(CultureInfo.InvariantCulture));
            labels.Add("grpc_response_status", GrpcStatus < 0 ? "" : GrpcStatus.ToString(CultureInfo.InvariantCulture));
            labels.Add("response_flags", Flags);
            labels.Add("connection_security_policy", SourceLabels.Unknown);
            return $"{source},{labels}";
        }
    }

    /// <summary>The labels of each endpoint of a cluster.</summary>
    private sealed class ClusterDestinations
    {
        private readonly DestinationLabels _service;
        private readonly FrozenDictionary<string, DestinationLabels> _endpoints;

        public ClusterDestinations(Cluster cluster, RequestSeriesTable table)
        {
            _service = table.Intern(DestinationLabels.Of(cluster));
            _endpoints = cluster.Endpoints
                .Where(e => e is { IPAddress: not null, Labels.IsEmpty: false })
                .DistinctBy(e => (e.IPAddress, e.Port))
                .ToFrozenDictionary(e => new IPEndPoint(e.IPAddress!, e.Port).ToString(), e => table.Intern(DestinationLabels.Of(cluster, e)));
        }

        public DestinationLabels Find(string? address) => address is not null && _endpoints.TryGetValue(address, out var labels) ? labels : _service;
    }
}
