using System.Collections.Immutable;
using Portcullis.Resources;
using Portcullis.Routing.Tests.Support;

namespace Portcullis.Routing.Tests;

public sealed class HeaderTests
{
    [Theory]
    [InlineData("plain", "plain")]
    [InlineData("100%%", "100%")]
    [InlineData("%REQ(x-a)%", "REQ:x-a")]
    [InlineData("a-%PROTOCOL%-b", "a-PROTOCOL:-b")]
    [InlineData("%REQ(missing?x-a):5%", "REQ:x")]
    [InlineData("%START_TIME(%s.%3f)%;%%", "START_TIME:%s.%3f;%")]
    [InlineData("%DOWNSTREAM_REMOTE_ADDRESS_WITHOUT_PORT%", "DOWNSTREAM_REMOTE_ADDRESS_WITHOUT_PORT:")]
    [InlineData("%REQ(missing)%", "")]
    [InlineData("", "")]
    public void Render_CommandsAndPercentSigns_AreReadAsEnvoyReadsThem(string text, string expected)
    {
        Assert.True(HeaderTemplate.TryParse(text, out var template, out _));
        var source = new Echo();

        Assert.Equal(expected, template.Render(in source));
        Assert.Equal(text.Replace("%%", "", StringComparison.Ordinal).Contains('%', StringComparison.Ordinal), template.Constant is null);
    }

    [Theory]
    [InlineData("50%")]
    [InlineData("%NO_SUCH_COMMAND%")]
    [InlineData("%REQ(x-a%")]
    [InlineData("%REQ%")]
    [InlineData("%REQ(x):abc%")]
    [InlineData("%PROTOCOL%%")]
    [InlineData("a\r\nb: c")]
    public void TryParse_WhatEnvoyWouldRefuse_IsRefused(string text)
    {
        Assert.False(HeaderTemplate.TryParse(text, out var template, out var error));

        Assert.Null(template);
        Assert.NotEmpty(error);
    }

    [Fact]
    public void Operations_OneDestination_RemovesThenRouteThenDestination() => Assert.Equal(
        ["Remove z", "Remove w", "Set x=route", "Add v=r", "Set x=dest"],
        Operations("""
            headers: {request: {add: {v: r}, set: {x: route}, remove: [z]}}
            route: [{destination: {host: a}, headers: {request: {set: {x: dest}, remove: [w]}}}]
            """));

    [Fact]
    public void Operations_SeveralDestinations_TheRouteRunsLast() => Assert.Equal(
        ["Remove w", "Set x=dest", "Remove z", "Set x=route"],
        Operations("""
            headers: {request: {set: {x: route}, remove: [z]}}
            route:
            - {destination: {host: a}, weight: 1, headers: {request: {set: {x: dest}, remove: [w]}}}
            - {destination: {host: b}, weight: 1}
            """));

    [Fact]
    public void Compile_SetWithAValueThatCannotBe_RemovesTheClientsHeaderInstead()
    {
        var rules = new HeaderRules { Request = new() { Set = ImmutableDictionary<string, string>.Empty.Add("x-user", "%NOPE%") } };
        var read = ResourceReader.Read("t.yaml", Compiled.VirtualService("hosts: [\"*\"]\nhttp: [{route: [{destination: {host: a}}]}]"));
        var service = (VirtualService)read.Resources[0];
        var compiled = Compiled.From(
            [.. ResourceReader.Read("gw.yaml", Compiled.Gateway + "\n---\n" + Compiled.Service("a")).Resources, service with { Http = [service.Http[0] with { Headers = rules }] }]);

        Assert.Equal("spec.http[0].headers.request.set.x-user", Assert.Single(compiled.Problems).FieldPath);
        var operation = Assert.Single(compiled.Route(new("/"))!.Forward!.Destinations[0].RequestHeaders.Operations);
        Assert.Equal((HeaderMutationKind.Remove, "x-user"), (operation.Kind, operation.Name));
    }

    private static IEnumerable<string> Operations(string rule)
    {
        var indented = rule.Replace("\n", "\n  ", StringComparison.Ordinal);
        var compiled = Compiled.From(
            Compiled.Gateway, Compiled.Service("a"), Compiled.Service("b"), Compiled.VirtualService("hosts: [foo.com]\nhttp:\n- " + indented));
        return compiled.Route(new("/"))!.Forward!.Destinations[0].RequestHeaders.Operations
            .Select(o => o.Kind == HeaderMutationKind.Remove ? $"Remove {o.Name}" : $"{o.Kind} {o.Name}={o.Value.Constant}");
    }

    private readonly struct Echo : IHeaderCommandSource
    {
        public string? Value(HeaderCommand command, string argument) => argument == "missing" ? null : $"{command.EnvoyName}:{argument}";
    }
}
