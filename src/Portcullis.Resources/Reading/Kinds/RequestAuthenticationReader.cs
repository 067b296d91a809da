namespace Portcullis.Resources.Reading;

/// <summary>Reads and validates RequestAuthentication (authentication.md §2, §3). Keys given inline are judged when they are compiled.</summary>
internal static class RequestAuthenticationReader
{
    private const int MaxRules = 4096;
    private const int MaxSpaceDelimitedClaims = 64;
    private const int MaxUriLength = 2048;

    public static Resource Read(ObjectReader root, ResourceHeader header) => root.ObjectOrEmpty("spec", spec =>
    {
        var policy = new RequestAuthentication
        {
            ApiVersion = header.ApiVersion,
            Kind = header.Kind,
            Metadata = header.Metadata,
            Origin = header.Origin,
            Selection = SelectionReader.Read(spec),
            JwtRules = spec.List("jwtRules", ReadRule),
        };
        if (policy.JwtRules.Length > MaxRules)
        {
            spec.At("jwtRules").Error($"must have at most {MaxRules} items", "split the policy");
        }

        return policy;
    });

    private static JwtRule ReadRule(ObjectReader reader, int _)
    {
        var rule = new JwtRule
        {
            Issuer = reader.Text("issuer"),
            Audiences = reader.Texts("audiences", static (v, p) => NotEmpty(v, p, "audience must be non-empty string")),
            JwksUri = reader.Text("jwksUri"),
            Jwks = reader.Text("jwks", "write the key set as one text: jwks: '{\"keys\":[…]}'"),
            FromHeaders = reader.List("fromHeaders", ReadLocation, static _ => "location header name must be non-null"),
            FromParams = reader.Texts("fromParams", static (v, p) => NotEmpty(v, p, "location query must be non-empty string")),
            FromCookies = reader.Texts("fromCookies", static (v, p) => NotEmpty(v, p, "cookie name must be non-empty string")),
            OutputPayloadToHeader = reader.Text("outputPayloadToHeader"),
            OutputClaimToHeaders = reader.List("outputClaimToHeaders", ReadClaimToHeader, static _ => "outputClaimToHeaders must not be null"),
            ForwardOriginalToken = reader.Boolean("forwardOriginalToken") ?? false,
            Timeout = reader.Duration("timeout"),
            SpaceDelimitedClaims = reader.Texts("spaceDelimitedClaims", static (v, p) => NotEmpty(v, p, "should be at least 1 chars long")),
            Presence = reader.Enumerated("presence", JwtPresence.Optional, ("OPTIONAL", JwtPresence.Optional), ("REQUIRED", JwtPresence.Required)),
        };
        if (rule.SpaceDelimitedClaims.Length > MaxSpaceDelimitedClaims)
        {
            reader.At("spaceDelimitedClaims").Error($"must have at most {MaxSpaceDelimitedClaims} items", "keep the claims that hold lists in one string");
        }

        if (rule.Issuer is "")
        {
            reader.At("issuer").Error("should be at least 1 chars long", "name the issuer, or remove the field to accept every issuer");
        }
        else if (rule.Issuer is null && string.IsNullOrEmpty(rule.JwksUri))
        {
            reader.Self.Error("issuer or jwksUri must be non-empty string", "name the issuer as it stands in the token's `iss`", ProblemCodes.MissingField);
        }

        if (rule.Jwks is not null && rule.JwksUri is not null)
        {
            reader.At("jwks").Error("only one of jwks or jwksUri can be set", "keep jwksUri if the keys rotate, jwks if they do not");
        }

        CheckUri(reader, rule.JwksUri);
        return rule;
    }

    private static void CheckUri(ObjectReader reader, string? uri)
    {
        if (uri is null)
        {
            return;
        }

        const string Remedy = "write it as https://issuer.example/path/jwks.json";
        if (uri.Length is 0 or > MaxUriLength)
        {
            reader.At("jwksUri").Error(uri.Length == 0 ? "should be at least 1 chars long" : $"may not be longer than {MaxUriLength}", Remedy);
        }
        else if (!uri.StartsWith("http://", StringComparison.Ordinal) && !uri.StartsWith("https://", StringComparison.Ordinal))
        {
            reader.At("jwksUri").Error("url must have scheme http:// or https://", Remedy);
        }
        else if (!Uri.TryCreate(uri, UriKind.Absolute, out var parsed) || parsed.Host.Length == 0)
        {
            reader.At("jwksUri").Error($"parse \"{uri}\": not a valid URL", Remedy);
        }
    }

    private static JwtHeaderLocation ReadLocation(ObjectReader reader, int _) =>
        new(reader.RequiredText("name", "location header name must be non-empty string", "name the header that carries the token"), reader.Text("prefix") ?? "");

    private static ClaimToHeader ReadClaimToHeader(ObjectReader reader, int _)
    {
        const string Missing = "outputClaimToHeaders header and claim value must be non-empty string";
        var header = reader.RequiredText("header", Missing, "give both header and claim");
        var claim = reader.RequiredText("claim", Missing, "give both header and claim");
        if (header.Length > 0 && !Names.IsToken(header))
        {
            reader.At("header").Error($"header name {header} is not a valid header name", "use letters, digits, `-` and `_`");
        }
        else if (header.Length > 0 && !Names.IsClaimHeader(header))
        {
            reader.At("header").Error("should match '^[-_A-Za-z0-9]+$'", "use letters, digits, `-` and `_`");
        }

        return new(header, claim);
    }

    private static void NotEmpty(string value, Place place, string message)
    {
        if (value.Length == 0)
        {
            place.Error(message, "remove the item or fill it in");
        }
    }
}
