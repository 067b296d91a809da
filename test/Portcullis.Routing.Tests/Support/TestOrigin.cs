using Portcullis.Resources;

namespace Portcullis.Routing.Tests.Support;

/// <summary>A resource that comes from no text.</summary>
internal sealed class TestOrigin(int order = 0) : ResourceOrigin
{
    public override string Source => "test";

    public override int Order => order;

    public override SourcePosition? Locate(string fieldPath) => null;
}
