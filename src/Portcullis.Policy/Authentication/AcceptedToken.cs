using System.Collections.Immutable;

namespace Portcullis.Policy.Authentication;

/// <summary>What a rule makes of a token that it accepts: the same for every request, so it is kept with the token.</summary>
internal sealed class AcceptedToken(CompiledJwtRule rule, JwtIdentity identity, ImmutableArray<AppendedHeader> outputs)
{
    private KnownEdits? _edits;

    public CompiledJwtRule Rule { get; } = rule;

    public JwtIdentity Identity { get; } = identity;

    public ImmutableArray<AppendedHeader> Outputs { get; } = outputs;

    /// <summary>The edits of the last request that carried the token alone, if they depend on nothing but the location.</summary>
    public bool TryGetEdits(TokenLocation location, out RequestEdits? edits)
    {
        var known = Volatile.Read(ref _edits);
        edits = known?.Edits;
        return ReferenceEquals(known?.Location, location);
    }

    public void KeepEdits(TokenLocation location, RequestEdits? edits) => Volatile.Write(ref _edits, new(location, edits));

    private sealed record KnownEdits(TokenLocation Location, RequestEdits? Edits);
}
