namespace Portcullis.Resources.Reading;

/// <summary>Reads and validates one rule of <c>http</c>.</summary>
internal static class HttpRouteReader
{
    private const int MaxBody = 1024 * 1024;

    public static HttpRoute Read(ObjectReader reader)
    {
        var route = new HttpRoute
        {
            Name = reader.Text("name"),
            Match = reader.List("match", static (r, _) => HttpMatchReader.Read(r)),
            Route = reader.List("route", static (r, _) => ReadDestination(r)),
            Redirect = reader.Object("redirect", ReadRedirect),
            DirectResponse = reader.Object("directResponse", ReadDirectResponse),
            Delegate = reader.Object("delegate", static r => new DelegateReference(r.RequiredText("name"), r.Text("namespace"))),
            Rewrite = reader.Object("rewrite", ReadRewrite),
            Timeout = reader.Duration("timeout", allowsZero: true),
            Retries = reader.Object("retries", RetryReader.Read),
            Fault = reader.Object("fault", FaultReader.Read),
            Mirrors = MirrorReader.Read(reader),
            CorsPolicy = reader.Object("corsPolicy", CorsReader.Read),
            Headers = HeaderRulesReader.Read(reader),
        };
        CheckAction(reader, route);
        CheckWeights(reader, route);
        if (route.Redirect is { PrefixRewrite: not null } && route.Match.Any(m => m.Uri is { Kind: not StringMatchKind.Prefix }))
        {
            reader.At("redirect").Error("prefixRewrite is only supported with prefix matches of the uri", "match every uri by prefix, or use redirect.uri");
        }

        return route;
    }

    public static Destination ReadTarget(ObjectReader reader)
    {
        var host = reader.RequiredText("host");
        if (host.Length > 0 && HostNames.Wrong(host, shortNames: true, addresses: false) is { } wrong)
        {
            reader.At("host").Error(wrong, "name a Service or a ServiceEntry's host");
        }
        else if (host is "*" || host.StartsWith("*.", StringComparison.Ordinal))
        {
            reader.At("host").Error($"wildcard host `{host}` is not allowed as a destination", "name one service");
        }

        return new Destination
        {
            Host = host,
            Subset = reader.Text("subset"),
            Port = reader.Object("port", static r => new PortSelector(r.Integer("number", 1, 65535, "ports are 1 to 65535") ?? Missing(r)))?.Number,
        };
    }

    private static int Missing(ObjectReader port)
    {
        if (!port.Has("number"))
        {
            port.Self.Error("`number` is required", "name the Service's port", ProblemCodes.MissingField);
        }

        return 0;
    }

    private static HttpRouteDestination ReadDestination(ObjectReader reader) => new()
    {
        Destination = reader.Object("destination", ReadTarget, required: true) ?? new Destination { Host = "" },
        Weight = reader.Integer("weight", 0, int.MaxValue, "weights are whole numbers from 0") ?? 0,
        Headers = HeaderRulesReader.Read(reader),
    };

    private static void CheckAction(ObjectReader reader, HttpRoute route)
    {
        if (route.Delegate is not null)
        {
            if (!route.Route.IsEmpty || route.Redirect is not null || route.DirectResponse is not null)
            {
                reader.At("delegate").Error("root HTTP route with delegate cannot contain route, redirect or directResponse", "move them to the delegate");
            }

            return;
        }

        if (route.Redirect is not null || route.DirectResponse is not null)
        {
            var field = route.Redirect is not null ? "redirect" : "directResponse";
            if (route.Redirect is not null && route.DirectResponse is not null)
            {
                reader.At("directResponse").Error("HTTP route cannot contain both redirect and direct_response", "keep one of the two");
            }

            foreach (var (name, given) in new[] { ("route", !route.Route.IsEmpty), ("fault", route.Fault is not null), ("rewrite", route.Rewrite is not null) })
            {
                if (given)
                {
                    reader.At(name).Error($"HTTP route cannot contain both {name} and {(field == "redirect" ? "redirect" : "direct_response")}", $"remove {name} or {field}");
                }
            }
        }
        else if (route.Route.IsEmpty)
        {
            reader.Self.Error("HTTP route, redirect or direct_response is required", "add route with a destination", ProblemCodes.MissingField);
        }
    }

    private static void CheckWeights(ObjectReader reader, HttpRoute route)
    {
        if (route.Route.Length > 1 && route.Route.All(d => d.Weight == 0))
        {
            reader.At("route").Error("total destination weight = 0", "give the destinations weights");
        }
        else if (route.Route.Sum(d => (long)d.Weight) > int.MaxValue)
        {
            reader.At("route").Error("the weights are too large to add up", "use smaller numbers of the same ratio");
        }
    }

    private static HttpRedirect ReadRedirect(ObjectReader reader)
    {
        var redirect = new HttpRedirect
        {
            Uri = reader.Text("uri"),
            PrefixRewrite = reader.Text("prefixRewrite"),
            Authority = reader.Text("authority"),
            Port = reader.Integer("port", 1, 65535),
            DerivePort = reader.Enumerated<string?>("derivePort", null, ("FROM_PROTOCOL_DEFAULT", "FROM_PROTOCOL_DEFAULT"), ("FROM_REQUEST_PORT", "FROM_REQUEST_PORT")),
            Scheme = reader.Text("scheme"),
            RedirectCode = reader.Integer("redirectCode", 300, 399, "use 301, 302, 303, 307 or 308") ?? 301,
        };
        if (redirect.RedirectCode is not (301 or 302 or 303 or 307 or 308))
        {
            reader.At("redirectCode").Error($"{redirect.RedirectCode} is not a redirect that can be sent", "use 301, 302, 303, 307 or 308");
        }

        if (redirect.Uri is not null && redirect.PrefixRewrite is not null)
        {
            reader.At("prefixRewrite").Error("only one of uri or prefixRewrite can be set", "keep one of the two");
        }

        if (redirect.Port is not null && redirect.DerivePort is not null)
        {
            reader.At("derivePort").Error("can only specify one of port or derivePort", "keep one of the two");
        }

        if (redirect.Scheme is not (null or "http" or "https"))
        {
            reader.At("scheme").Error("invalid redirect scheme, must be http or https", "write http or https");
        }

        if (reader.IsEmpty)
        {
            reader.Self.Error("redirect must specify URI, authority, scheme, or redirect code", "say what changes", ProblemCodes.MissingField);
        }

        return redirect;
    }

    private static HttpDirectResponse ReadDirectResponse(ObjectReader reader)
    {
        var status = reader.Integer("status", 200, 599, "use a status from 200 to 599");
        if (status is null && !reader.Has("status"))
        {
            reader.At("status").Error("`status` is required", "add status: 200", ProblemCodes.MissingField);
        }

        var body = reader.Object("body", static r => new Body(r.Text("string"), r.Text("bytes"), r));
        ReadOnlyMemory<byte>? content = null;
        if (body is { Text: not null, Base64: not null })
        {
            reader.At("body").Error("only one of string or bytes can be set", "keep one of the two");
        }
        else if (body?.Text is not null)
        {
            content = System.Text.Encoding.UTF8.GetBytes(body.Text);
        }
        else if (body?.Base64 is not null)
        {
            content = Base64.Decode(body.Base64, body.Reader.At("bytes"));
        }

        if (content is { Length: > MaxBody })
        {
            reader.At("body").Error("response body size must be less than or equal to 1048576 bytes", "serve it from a backend");
        }

        return new HttpDirectResponse { Status = status ?? 200, Body = content };
    }

    private static HttpRewrite ReadRewrite(ObjectReader reader)
    {
        var rewrite = new HttpRewrite
        {
            Uri = reader.Text("uri"),
            Authority = reader.Text("authority"),
            UriRegexRewrite = reader.Object("uriRegexRewrite", static r =>
            {
                var match = r.RequiredText("match");
                if (Regexes.Wrong(match) is { } wrong)
                {
                    r.At("match").Error(wrong, "write an RE2 expression");
                }

                return new RegexRewrite(match, r.Text("rewrite") ?? "");
            }),
        };
        if (reader.IsEmpty)
        {
            reader.Self.Error("rewrite must specify URI, UriRegexRewrite, or authority", "say what changes", ProblemCodes.MissingField);
        }

        if (rewrite.Uri is not null && rewrite.UriRegexRewrite is not null)
        {
            reader.At("uriRegexRewrite").Error("rewrite may only contain one of URI or UriRegexRewrite", "keep one of the two");
        }

        return rewrite;
    }

    private sealed record PortSelector(int Number);

    private sealed record Body(string? Text, string? Base64, ObjectReader Reader);
}
