namespace Portcullis.Resources.Reading;

/// <summary>Reads the mesh's defaults of the way to backends.</summary>
internal static class MeshTrafficReader
{
    public static MeshTraffic Read(ObjectReader reader)
    {
        var policy = reader.Object("defaultTrafficPolicy", static r => new TrafficPolicy
        {
            ConnectionPool = r.Object("connectionPool", TrafficPolicyReader.ReadPool),
            OutlierDetection = r.Object("outlierDetection", TrafficPolicyReader.ReadOutliers),
        });
        return new()
        {
            Retries = reader.Object("defaultHttpRetryPolicy", RetryReader.Read),
            ConnectionPool = policy?.ConnectionPool,
            OutlierDetection = policy?.OutlierDetection,
            ConnectTimeout = reader.Duration("connectTimeout"),
            TcpKeepalive = reader.Object("tcpKeepalive", TrafficPolicyReader.ReadKeepalive),
            UpgradesToHttp2 = reader.Enumerated("h2UpgradePolicy", false, ("DO_NOT_UPGRADE", false), ("UPGRADE", true)),
            ServiceExportTo = ExportTo.Read(reader, "defaultServiceExportTo"),
            VirtualServiceExportTo = ExportTo.Read(reader, "defaultVirtualServiceExportTo"),
            DestinationRuleExportTo = ExportTo.Read(reader, "defaultDestinationRuleExportTo"),
        };
    }
}
