using System.Collections.Immutable;
using System.Globalization;

namespace Portcullis.Gateway.PolicyTests;

/// <summary>What can be exercised.</summary>
public enum CoverageKind
{
    /// <summary>An AuthorizationPolicy: some test matches one of its rules; one without rules is exercised when a test reaches it.</summary>
    Policy,

    /// <summary>A rule of one: some test matches it.</summary>
    Rule,

    /// <summary>A list of a source, an operation or a condition: it holds in some test, and fails in some test.</summary>
    Clause,

    /// <summary>A value of such a list: it matches in some test.</summary>
    Value,

    /// <summary>A rule of a RequestAuthentication: some test's token is accepted by it.</summary>
    TokenRule,
}

/// <summary>One thing that tests exercise, or not.</summary>
/// <param name="Kind">What it is.</param>
/// <param name="Name">Policy and field, for people.</param>
/// <param name="Place"><c>file:line</c>, when known.</param>
/// <param name="Missing">What no test does; <see langword="null"/> when it is exercised.</param>
public sealed record CoverageItem(CoverageKind Kind, string Name, string? Place, string? Missing)
{
    /// <summary>Whether it is exercised.</summary>
    public bool IsCovered => Missing is null;
}

/// <summary>How much of the policies that apply to the gateway the tests exercise.</summary>
/// <param name="Items">Policy by policy, in the order in which they count.</param>
public sealed record PolicyTestCoverage(ImmutableArray<CoverageItem> Items)
{
    /// <summary>Exercised items of all, in percent; 100 when there are none.</summary>
    public double Percent => PercentOf(Items);

    /// <summary>Exercised and all items of a kind.</summary>
    public (int Covered, int All) Of(CoverageKind kind) => (Items.Count(i => i.Kind == kind && i.IsCovered), Items.Count(i => i.Kind == kind));

    /// <summary>A percentage that is 100 only when nothing is missing.</summary>
    public static string Format(double percent) => (Math.Floor(percent * 10) / 10).ToString("0.#", CultureInfo.InvariantCulture);

    private static double PercentOf(ImmutableArray<CoverageItem> items) => items.IsEmpty ? 100 : 100.0 * items.Count(i => i.IsCovered) / items.Length;
}
